// jsforce against the simulator.
const assert = require('node:assert');
const { Connection, OAuth2 } = require('jsforce');

const address = process.argv[2];
let told = 0;
let wrong = 0;

function equal(text, found, expected) {
  told += 1;
  try {
    assert.deepStrictEqual(found, expected);
    console.log(`ok    ${text}`);
  } catch {
    wrong += 1;
    console.log(`WRONG ${text}: ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`);
  }
}

async function control(method, path, body = {}) {
  const answer = await fetch(`${address}/control/${path}`, { method, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
  return answer.json();
}

const callback = 'http://127.0.0.1:1/callback';

function org(name, settings = {}) {
  return control('PUT', `orgs/${name}`, {
    client_id: name, view_all_data: true,
    client_secret: 'secret',
    refresh_token: `r-${name}`,
    callback_urls: [callback],
    external_ids: [
      { object: 'Contact', field: 'Ext__c' },
      { object: 'Contact', field: 'Loose__c', unique: false },
    ],
    ...settings,
  });
}

const app = (name, more = {}) =>
  new OAuth2({ loginUrl: address, clientId: name, clientSecret: 'secret', redirectUri: callback, ...more });

/** A connection that has nothing but a refresh token. */
function connect(name, more = {}) {
  return new Connection({
    oauth2: app(name),
    instanceUrl: address,
    accessToken: 'none',
    refreshToken: `r-${name}`,
    version: '59.0',
    ...more,
  });
}

async function error(run) {
  try {
    await run();
    return { name: 'no error' };
  } catch (caught) {
    return caught;
  }
}

async function logins() {
  await org('js-login', { rotation: true });
  const conn = connect('js-login', { accessToken: '00D000000000001!dead' });
  const refreshed = [];
  conn.on('refresh', (token) => refreshed.push(token));
  equal('a dead token is refreshed on the way', (await conn.query('SELECT Id FROM Contact')).totalSize, 0);
  equal('once', refreshed.length, 1);
  const again = await error(() => app('js-login').refreshToken('r-js-login'));
  equal('with rotation the old refresh token is dead', [again.name, again.message], ['invalid_grant', 'expired access/refresh token']);

  await org('js-web');
  const oauth2 = app('js-web', { useVerifier: true });
  const page = await fetch(oauth2.getAuthorizationUrl({ scope: 'api refresh_token', state: 'st ate' }), { redirect: 'manual' });
  const back = new URL(page.headers.get('location'));
  equal('the user is led back to the app', [page.status, back.origin + back.pathname], [302, callback]);
  equal('with the state that was sent', back.searchParams.get('state'), 'st ate');
  const code = back.searchParams.get('code');
  const web = new Connection({ oauth2, version: '59.0' });
  const user = await web.authorize(code);
  equal('the code and its verifier give tokens', [typeof web.accessToken, typeof web.refreshToken, user.id.slice(0, 3)], ['string', 'string', '005']);
  equal('which are of the integration user', (await web.identity()).username, 'integration@js-web.example');
  equal('a code is good once', (await error(() => new Connection({ oauth2 }).authorize(code))).name, 'invalid_grant');
  const second = new URL((await fetch(oauth2.getAuthorizationUrl({}), { redirect: 'manual' })).headers.get('location'));
  const stranger = app('js-web', { useVerifier: true });
  const stolen = await error(() => stranger.requestToken(second.searchParams.get('code')));
  equal('and only with the verifier of the one who asked', [stolen.name, stolen.message], ['invalid_grant', 'invalid code verifier']);
  const { refreshToken } = web;
  await web.logout(true);
  equal('a revoked refresh token is dead', (await error(() => oauth2.refreshToken(refreshToken))).name, 'invalid_grant');

  await org('js-six');
  for (let approval = 0; approval < 5; approval += 1) {
    const at = new URL((await fetch(app('js-six').getAuthorizationUrl({}), { redirect: 'manual' })).headers.get('location'));
    await new Connection({ oauth2: app('js-six') }).authorize(at.searchParams.get('code'));
  }
  equal('the sixth approval kills the first', (await error(() => app('js-six').refreshToken('r-js-six'))).name, 'invalid_grant');
}

async function records() {
  await org('js-records');
  const conn = connect('js-records');
  const contacts = conn.sobject('Contact');
  const made = await contacts.create({ LastName: 'Byron', Email: 'ada@x.org' });
  equal('create says success and no errors', [made.success, made.errors], [true, []]);
  equal('what was created is read back', (await contacts.retrieve(made.id)).LastName, 'Byron');
  equal('update', (await contacts.update({ Id: made.id, FirstName: 'Ada' })).success, true);
  const created = await contacts.upsert({ Ext__c: 'e1', LastName: 'A' }, 'Ext__c');
  equal('an upsert that creates says so', [created.success, created.created], [true, true]);
  equal('one that updates says so', (await contacts.upsert({ Ext__c: 'e1', LastName: 'B' }, 'Ext__c')).created, false);
  await contacts.create({ LastName: 'T', Loose__c: 't' });
  await contacts.create({ LastName: 'T', Loose__c: 't' });
  const several = await error(() => contacts.upsert({ Loose__c: 't', LastName: 'U' }, 'Loose__c'));
  equal('two records with one external id are several choices', [several.name, several.data.length], ['MULTIPLE_CHOICES', 2]);
  const many = await contacts.create(Array.from({ length: 250 }, (_, n) => ({ LastName: `L${n}` })), { allowRecursive: true });
  equal('more than 200 go in several calls', many.filter((one) => one.success).length, 250);
  const mixed = await contacts.upsert([{ Ext__c: 'm1', LastName: 'M' }, { Ext__c: 'm2', Email: 'nonsense', LastName: 'M' }], 'Ext__c');
  equal('each record of a collection has its own result', mixed.map((one) => one.success), [true, false]);
  equal('with its own error', mixed[1].errors[0].statusCode, 'INVALID_EMAIL_ADDRESS');
  const updated = await contacts.update(many.slice(0, 3).map((one) => ({ Id: one.id, Title: 'Dr' })));
  equal('a collection is updated by ids', updated.map((one) => one.success), [true, true, true]);
  const back = await contacts.retrieve(many.slice(0, 3).map((one) => one.id));
  equal('and read', back.map((one) => one.Title), ['Dr', 'Dr', 'Dr']);
  const gone = await contacts.destroy(many.slice(0, 3).map((one) => one.id));
  equal('and deleted', gone.map((one) => one.success), [true, true, true]);
  equal('a deleted record is told as deleted', (await error(() => contacts.retrieve(many[0].id))).name, 'ENTITY_IS_DELETED');
  equal('an object that is not there', (await error(() => conn.sobject('Nope').create({ A: 1 }))).name, 'NOT_FOUND');
  equal('describe', (await contacts.describe()).fields.some((field) => field.name === 'Ext__c' && field.externalId), true);
  equal('describe global', (await conn.describeGlobal()).sobjects.some((object) => object.name === 'Case'), true);
  equal('limits', (await conn.limits()).DailyApiRequests.Max, 100000);
  equal('the quota is read from every answer', conn.limitInfo.apiUsage.limit, 100000);
}

async function queries() {
  await org('js-queries');
  const fields = { LastName: 'N{n}', Email: 'n{n}@x.org', MobilePhone: '+33 6 00 {n}' };
  await control('POST', 'orgs/js-queries/generate', { object: 'Contact', count: 4500, from: 10001, fields });
  const conn = connect('js-queries');
  const first = await conn.query('SELECT Id, LastName FROM Contact ORDER BY LastName');
  equal('a page has 2,000 rows and says that more follow', [first.records.length, first.done, first.totalSize], [2000, false, 4500]);
  const second = await conn.queryMore(first.nextRecordsUrl);
  equal('the next one goes on', second.records[0].LastName, 'N12001');
  const all = await conn.query('SELECT Id FROM Contact', { autoFetch: true, maxFetch: 10000 });
  equal('all pages together have all rows', all.records.length, 4500);
  const [found] = await conn.sobject('Contact').find({ Email: { $like: 'n1000_@x.org' } }, ['Id', 'LastName']).sort('LastName').limit(1);
  equal('a query that the library builds', found.LastName, 'N10001');
  const account = await conn.sobject('Account').create({ Name: 'Acme' });
  await conn.sobject('Contact').create({ LastName: 'Child', AccountId: account.id });
  const nested = await conn.query('SELECT Name, (SELECT LastName FROM Contacts) FROM Account');
  equal('a subquery nests', nested.records[0].Contacts.records[0].LastName, 'Child');
  const sosl = await conn.search('FIND {3360010007} IN PHONE FIELDS RETURNING Contact(Id, LastName)');
  equal('SOSL compares the digits of a phone number', sosl.searchRecords.map((one) => one.LastName), ['N10007']);
  const url = `/parameterizedSearch?q=${encodeURIComponent('n10009@x.org')}&in=EMAIL&sobject=Contact&Contact.fields=LastName`;
  equal('a parameterized search finds by e-mail', (await conn.request(url)).searchRecords.map((one) => one.LastName), ['N10009']);
  equal('bad SOSL', (await error(() => conn.search('FIND {'))).name, 'MALFORMED_SEARCH');
  equal('bad SOQL', (await error(() => conn.query('SELECT FROM'))).name, 'MALFORMED_QUERY');
}

async function composites() {
  await org('js-composite');
  const conn = connect('js-composite');
  const requests = [
    { method: 'POST', url: '/services/data/v59.0/sobjects/Account', referenceId: 'account', body: { Name: 'Acme' } },
    { method: 'POST', url: '/services/data/v59.0/sobjects/Contact', referenceId: 'contact', body: { LastName: 'C', AccountId: '@{account.id}' } },
  ];
  const send = (list, allOrNone) => conn.requestPost('/composite', { allOrNone, compositeRequest: list });
  const done = await send(requests, true);
  equal('a later call uses what an earlier one made', done.compositeResponse.map((one) => one.httpStatusCode), [201, 201]);
  requests[1].body = { LastName: null, AccountId: '@{account.id}' };
  const failed = await send(requests, true);
  equal(
    'one that fails takes the others back',
    failed.compositeResponse.map((one) => one.body[0].errorCode),
    ['PROCESSING_HALTED', 'REQUIRED_FIELD_MISSING'],
  );
  equal('and nothing is left', (await conn.query('SELECT COUNT() FROM Account')).totalSize, 1);
  const graphs = { graphs: [{ graphId: '1', compositeRequest: requests }] };
  const graph = (await conn.requestPost('/composite/graph', graphs)).graphs[0];
  equal('a graph tells whether it succeeded', graph.isSuccessful, false);
  const batch = await conn.requestPost('/composite/batch', {
    batchRequests: [{ method: 'GET', url: 'v59.0/limits' }, { method: 'GET', url: 'v59.0/sobjects/Nope' }],
  });
  equal('a batch tells of each', [batch.hasErrors, batch.results.map((one) => one.statusCode)], [true, [200, 404]]);
}

async function refusals() {
  await org('js-refusals', { duplicate_rules: [{ object: 'Contact', name: 'Same', fields: ['Email'] }] });
  const conn = connect('js-refusals');
  await conn.sobject('Contact').create({ LastName: 'A', Email: 'a@x.org' });
  const found = await error(() => conn.sobject('Contact').create({ LastName: 'B', Email: 'a@x.org' }));
  equal('a duplicate is refused', found.name, 'DUPLICATES_DETECTED');
  const refreshes = [];
  conn.on('refresh', () => refreshes.push(1));
  await control('POST', 'orgs/js-refusals/expire-sessions');
  equal('an expired session is refreshed and the call repeated', (await conn.query('SELECT Id FROM Contact')).totalSize, 1);
  equal('with one refresh', refreshes.length, 1);
  await control('POST', 'orgs/js-refusals/revoke');
  const dead = await error(() => conn.query('SELECT Id FROM Contact'));
  equal('a revoked token ends in one error', /Unable to refresh session due to: expired access\/refresh token/.test(dead.message), true);
}

(async () => {
  for (const part of [logins, records, queries, composites, refusals]) await part();
  console.log(`${told} facts, ${wrong} wrong`);
  process.exit(wrong || !told ? 1 : 0);
})().catch((caught) => {
  console.error(caught);
  process.exit(1);
});
