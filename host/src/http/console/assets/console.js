// What moves by itself, keys, and forms without a full reload. Every page is whole without it.
'use strict';
(() => {
  const one = (words, within = document) => within.querySelector(words);
  const all = (words, within = document) => [...within.querySelectorAll(words)];

  // The place that is looked at is asked for again with its notice; the address loses it, so that no bookmark repeats it.
  let source = location.href;
  const plain = (address) => {
    const url = new URL(address, location.href);
    url.searchParams.delete('done');
    return url;
  };
  if (new URL(source).searchParams.has('done')) history.replaceState(null, '', plain(source));

  // A line above the foot of the page.
  const bar = document.createElement('div');
  bar.className = 'bar';
  bar.setAttribute('role', 'status');
  bar.hidden = true;
  document.body.append(bar);
  let said = '';
  function say(kind, words, action, does) {
    said = kind;
    bar.replaceChildren(words);
    if (action) {
      const button = document.createElement(typeof does === 'string' ? 'a' : 'button');
      button.textContent = action;
      if (typeof does === 'string') Object.assign(button, { href: does, target: '_blank' });
      else button.onclick = () => { hush(kind); does(); };
      bar.append(button);
    }
    bar.hidden = false;
  }
  function hush(kind) {
    if (said === kind) { bar.hidden = true; said = ''; }
  }
  const signIn = () => say('out', 'You are signed out. ', 'Sign in', `/login?next=${encodeURIComponent(plain(source).pathname + plain(source).search)}`);
  const away = (words) => say('away', words);

  // Times: in words as of now, and in the reader's zone for who points at them; of long ago in that zone, with the exact one behind.
  function words(then, now) {
    const seconds = Math.abs(now - then) / 1000;
    if (seconds < 45) return then > now ? 'in a moment' : 'just now';
    const long = seconds < 90 ? '1 min' : seconds < 3570 ? `${Math.round(seconds / 60)} min` : seconds < 86400 ? `${Math.max(1, Math.floor(seconds / 3600))} h`
      : seconds < 2592000 ? `${Math.floor(seconds / 86400)} d` : null;
    return long && (then > now ? `in ${long}` : `${long} ago`);
  }
  function times(within = document) {
    for (const time of all('time', within)) {
      const then = new Date(time.dateTime);
      const zoned = (timeStyle) => then.toLocaleString(undefined, { dateStyle: 'medium', timeStyle });
      const text = words(then.getTime(), Date.now());
      const shown = text || zoned('short');
      if (time.dataset.exact && time.textContent === shown) continue;
      const exact = time.dataset.exact ||= time.title || time.textContent;
      time.textContent = shown;
      time.title = text ? `${zoned('long')} (${exact})` : exact;
    }
  }
  setInterval(times, 20000);

  // Reads a page of this host; answers nothing where it is not there, or somebody has to sign in.
  async function read(address, options) {
    let answer;
    try {
      answer = await fetch(address, { headers: { accept: 'text/html' }, ...options });
    } catch {
      away(options ? 'The host does not answer. Nothing of the form is lost: try again.' : 'The host does not answer. It is asked again.');
      return null;
    }
    hush('away');
    if (new URL(answer.url).pathname === '/login') { signIn(); return null; }
    hush('out');
    return { page: new DOMParser().parseFromString(await answer.text(), 'text/html'), ok: answer.ok, url: answer.url, redirected: answer.redirected };
  }
  const has = (place) => place.contains(document.activeElement) || one('input:checked, details[open]', place);
  const alike = (old, fresh) => old.dataset.was === fresh.outerHTML;
  const remember = (within = document) => {
    for (const place of all('[data-live], tbody[data-rows] > tr', within)) place.dataset.was ||= place.outerHTML;
  };

  // What somebody was at keeps the focus where it is still there; else the page has it, and not its head.
  let shown = Date.now();
  function put(page, sent) {
    shown = Date.now();
    // What was written into other forms and not sent yet stays.
    const fields = (within) => all('textarea, input:not([type=hidden], [type=checkbox], [type=radio], [type=file])', within);
    const draft = (it) => it.form && it.form !== sent && it.name && it.value !== it.defaultValue;
    const drafts = fields(one('main')).filter(draft).map((it) => [it.form.getAttribute('action'), it.name, it.value]);
    // A copy: what is live is compared with the page.
    const [old, fresh] = [one('main'), one('main', page)?.cloneNode(true)];
    const was = old.contains(document.activeElement) ? document.activeElement : null;
    const at = rows().indexOf(current());
    if (fresh) old.replaceWith(fresh);
    for (const [action, name, value] of fresh ? drafts : []) {
      const again = fields(fresh).find((it) => it.name === name && it.form?.getAttribute('action') === action);
      if (again) again.value = value;
    }
    ready();
    live(page);
    if (!fresh || !was) return;
    const alike = (it) => it.name === was.name && it.value === was.value && it.href === was.href && it.textContent === was.textContent && it.form?.action === was.form?.action;
    // Of a row that is gone, the next one.
    const again = (was.id && document.getElementById(was.id)) || all(was.tagName, fresh).find(alike) || (at >= 0 && one('[data-open]', rows().slice(0, at + 1).at(-1)));
    if (!again) fresh.tabIndex = -1;
    (again || fresh).focus({ preventScroll: true });
  }
  // Counts and states change where they stand; which rows there are changes when somebody wants to see it.
  function live(page) {
    document.title = page.title;
    for (const old of all('[data-live][id]')) {
      const fresh = page.getElementById(old.id);
      if (!fresh) { if (old.closest('.menu')) old.remove(); continue; }
      if (!alike(old, fresh) && !has(old)) { fresh.dataset.was = fresh.outerHTML; old.replaceWith(fresh); times(fresh); }
    }
    let changed = 0;
    for (const rows of all('tbody[data-rows]')) {
      const fresh = new Map(all('tbody[data-rows] > tr[data-key]', page).map((row) => [row.dataset.key, row]));
      for (const old of all('tr[data-key]', rows)) {
        const row = fresh.get(old.dataset.key);
        fresh.delete(old.dataset.key);
        old.classList.toggle('gone', !row);
        if (!row) changed += 1;
        else if (!alike(old, row) && !has(old)) { row.dataset.was = row.outerHTML; old.replaceWith(row); times(row); }
      }
      changed += fresh.size;
    }
    if (changed) say('changed', `${changed} changed. `, 'Show', () => put(page));
    else hush('changed');
  }
  let asked = 0, asking = false, again = null;
  async function refresh() {
    again = null;
    if (asking || document.hidden || one('dialog[open]')) return later();
    asking = true;
    asked = Date.now();
    const answer = await read(source);
    asking = false;
    if (!answer) later(5000);
    else if (answer.ok) live(answer.page);
  }
  function later(least = 700) {
    // What a form answered in its place, or what Salesforce led to, cannot be asked for again.
    if (!one('[data-once]')) again ??= setTimeout(refresh, Math.max(least, asked + 2000 - Date.now()));
  }

  // What changes is told by the host; nobody listens for a page that nobody sees.
  const types = ['sync_error.opened', 'sync_error.retrying', 'sync_error.failed', 'sync_error.ignored', 'sync_error.reopened',
    'sync_error.resolved', 'group.new', 'group.escalating', 'group.regressed', 'incident.began', 'incident.ended',
    'operation.accepted', 'operation.progressed', 'operation.paused', 'operation.resumed', 'operation.ended',
    'policy.in_force', 'policy.rolled_back', 'settings.changed', 'reset'];
  let events = null;
  function listen() {
    if (!one('.menu') || document.hidden) return;
    events = new EventSource('/v1/events');
    for (const type of types) events.addEventListener(type, () => later());
    // What changed before it listened was told to nobody here.
    events.onopen = () => { hush('away'); later(0); };
    events.onerror = () => {
      if (events.readyState === EventSource.CLOSED) { events = null; setTimeout(() => { if (!events) { listen(); later(0); } }, 5000); }
      else away('The host does not answer. It is asked again.');
    };
  }
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) { events?.close(); events = null; } else if (!events) { listen(); later(0); }
  });
  addEventListener('pagehide', () => { events?.close(); events = null; });
  addEventListener('pageshow', (event) => { if (event.persisted && !events) { listen(); later(0); } });

  // Forms: what they did is shown in its place. Where something goes wrong, nothing that was written is lost.
  document.addEventListener('submit', async (event) => {
    const form = event.target;
    if (form.method !== 'post' || form.matches('[data-whole], [action="/login"], [action="/logout"]')) return;
    event.preventDefault();
    const button = event.submitter;
    if (form.dataset.sent) return;
    form.dataset.sent = '1';
    const data = new FormData(form, button && button.name ? button : undefined);
    // Not disabled: who pressed it by a key would lose the place.
    button?.setAttribute('aria-disabled', 'true');
    const body = form.enctype === 'multipart/form-data' ? data : new URLSearchParams(data);
    const action = button?.hasAttribute('formaction') ? button.formAction : form.action;
    const answer = await read(action, { method: 'POST', body });
    delete form.dataset.sent;
    button?.removeAttribute('aria-disabled');
    if (!answer) return;
    if (!answer.ok && !answer.redirected && !one('main form', answer.page)) {
      say('refused', [...all('main h1, main p', answer.page)].slice(0, 2).map((part) => part.textContent).join(': ') + ' ', 'Close', () => {});
      return;
    }
    // What is answered at the form's own address (a preview, a mistake) can only be shown: nobody can ask for it again.
    if (answer.redirected) {
      const there = plain(answer.url);
      if (answer.ok && there.pathname !== location.pathname) { location.assign(answer.url); return; }
      source = answer.url;
      history.replaceState(null, '', there);
    }
    one('dialog[open]')?.close();
    const inRow = form.closest('tr');
    put(answer.page, form);
    const done = one('#done, main [role=alert], main [role=status]');
    // Who goes down a list keeps the place; what became of it is said below where it is out of sight.
    if (inRow && done?.getBoundingClientRect().bottom < 0) say('done', `${done.firstElementChild?.textContent ?? done.textContent} `, 'Show', () => done.scrollIntoView({ block: 'nearest' }));
    else done?.scrollIntoView({ block: 'nearest' });
  });

  // Selection
  const boxes = () => all('input[type=checkbox][name=id]');
  function count() {
    const chosen = boxes().filter((box) => box.checked).length;
    for (const button of all('[data-selected]')) {
      button.dataset.words ||= button.dataset.selected;
      button.disabled = chosen === 0;
      one('[data-number]', button).textContent = chosen || '';
    }
    const every = one('input[data-all]');
    if (every) { every.hidden = false; every.checked = chosen > 0 && chosen === boxes().length; every.indeterminate = chosen > 0 && !every.checked; }
    for (const place of all('[data-when-selected]')) {
      place.hidden = chosen === 0;
      place.parentElement.classList.toggle('chosen', chosen > 0);
    }
  }
  let lastBox = null;
  document.addEventListener('click', (event) => {
    const box = event.target;
    if (box.matches?.('input[data-all]')) boxes().forEach((each) => { each.checked = box.checked; });
    if (box.matches?.('input[name=id]')) {
      const row = boxes();
      if (event.shiftKey && lastBox && row.includes(lastBox)) {
        const [from, to] = [row.indexOf(lastBox), row.indexOf(box)].sort((a, b) => a - b);
        row.slice(from, to + 1).forEach((each) => { each.checked = box.checked; });
      }
      lastBox = box;
    }
    if (box.matches?.('input[data-all], input[name=id]')) count();
    for (const open of all('.menu details[open]')) if (!open.contains(box)) open.open = false;
  });

  // Keys
  const keys = [['j / k', 'the next, the one before'], ['Enter', 'open it'], ['x', 'select it'], ['a', 'select all of this page'],
    ['r', 'retry it, or what is selected'], ['i', 'ignore it, or what is selected'], ['u', 'take an ignore back'], ['b', 'back to the list'], ['n / p', 'the next page or error, the one before'], ['1 to 9', 'choose that contact'],
    ['/', 'search'], ['g h, g c, g e, g o, g p', 'home, causes, errors, operations, policies'], ['?', 'these keys']];
  function help() {
    const dialog = document.createElement('dialog');
    const title = document.createElement('h2');
    title.textContent = 'Keys';
    const list = document.createElement('div');
    list.className = 'keys';
    for (const [key, meaning] of keys) {
      const [cap, text] = [document.createElement('kbd'), document.createElement('span')];
      cap.textContent = key;
      text.textContent = meaning;
      list.append(cap, text);
    }
    const close = document.createElement('button');
    close.textContent = 'Close';
    close.onclick = () => dialog.close();
    dialog.append(title, list, document.createElement('p'), close);
    dialog.onclose = () => dialog.remove();
    document.body.append(dialog);
    dialog.showModal();
  }
  const rows = () => all('tbody[data-rows] > tr').filter((row) => one('[data-open]', row));
  const current = () => rows().find((row) => row.contains(document.activeElement));
  function move(by) {
    const list = rows();
    const at = list.indexOf(current());
    const to = list[at < 0 ? (by > 0 ? 0 : list.length - 1) : Math.min(list.length - 1, Math.max(0, at + by))];
    if (to) { one('[data-open]', to).focus(); to.scrollIntoView({ block: 'nearest' }); }
    else if (!list.length) one(by > 0 ? 'a[rel=next]' : 'a[rel=prev]')?.click();
  }
  function press(key) {
    // Who presses a number means the page that was there, not the one that has just come.
    if (/[1-9]/.test(key) && Date.now() - shown < 800) return;
    const chosen = boxes().some((box) => box.checked) && one(`[data-selected][data-key="${key}"]`);
    const row = current();
    const target = chosen || (row && one(`[data-key="${key}"]`, row)) || all(`main [data-key="${key}"]:not([data-selected])`).find((each) => !each.closest('tr'));
    if (!target) return;
    if (target.matches('summary')) { target.parentElement.open = true; one('input:not([type=hidden])', target.parentElement)?.focus(); } else target.click();
  }
  const places = { h: '/', c: '/causes', e: '/sync-errors', o: '/operations', p: '/policies' };
  let going = 0;
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const inField = event.target.matches?.('input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]');
    if (event.key === 'Escape') { if (inField) event.target.blur(); for (const open of all('details.ignore[open], .menu details[open]')) open.open = false; return; }
    if (inField || one('dialog[open]')) return;
    if (Date.now() - going < 1500 && places[event.key]) { event.preventDefault(); location.assign(places[event.key]); return; }
    const does = {
      j: () => move(1), k: () => move(-1), b: () => press('b'), r: () => press('r'), i: () => press('i'), u: () => press('u'),
      x: () => { const row = current(); if (row) one('input[name=id]', row)?.click(); },
      a: () => one('input[data-all]')?.click(),
      n: () => one('a[rel=next]')?.click(), p: () => one('a[rel=prev]')?.click(),
      g: () => { going = Date.now(); },
      '/': () => all('input[data-key="/"]').at(-1)?.focus(),
      '?': help,
    }[event.key] || (/^[1-9]$/.test(event.key) && (() => press(event.key)));
    if (does) { event.preventDefault(); does(); }
  });

  function ready() {
    // As the host wrote it.
    remember();
    times();
    count();
    // What is looked at in parts goes on by itself as long as somebody looks.
    const more = one('[data-goes-on]');
    if (more) setTimeout(() => { if (more.isConnected && !document.hidden) more.form.requestSubmit(more); }, 300);
  }
  ready();
  listen();
})();
