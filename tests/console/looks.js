// What holds for every page: axe finds nothing in four designs, nothing scrolls sideways, and it is light.
"use strict";

const assert = require("node:assert");
const axe = require("axe-core");
const { DESK, PHONE } = require("./chrome.js");
const { PAGES, NO_PAGES } = require("./pages.js");

const WIDTHS = [320, 390, 768, 1280, 1920, 2560];
const DESIGNS = [DESK, PHONE].flatMap((size) => ["light", "dark"].map((colorScheme) => ({ size, colorScheme })));
// A page with all that it brings, as sent to a browser that has nothing yet.
const MOST_BYTES = 60_000;

// Goes through the pages in these tabs, side by side, and fails with all that was found.
async function all(tabs, addresses, look) {
  const found = [], left = addresses.values();
  await Promise.all(tabs.map(async (tab) => {
    for (const [name, address] of left) {
      await tab.goto(address);
      found.push(...(await look(tab)).map((text) => `${name} (${address}): ${text}`));
    }
  }));
  nothing(found);
}

function nothing(found) {
  assert.ok(found.length === 0, found.join("\n"));
}

async function accessible(tabs, addresses) {
  await all(tabs, addresses, async (tab) => {
    const found = [];
    for (const { size, colorScheme } of DESIGNS) {
      await tab.setViewportSize(size);
      await tab.emulateMedia({ colorScheme });
      if (!(await tab.evaluate("typeof axe"))?.startsWith("obj")) await tab.evaluate(axe.source);
      // The dark differs in its colours alone.
      const runOnly = colorScheme === "dark" ? { type: "rule", values: ["color-contrast", "link-in-text-block"] } : undefined;
      const { violations } = await tab.evaluate((only) => axe.run(document, { resultTypes: ["violations"], runOnly: only }), runOnly);
      for (const { id, help, nodes } of violations) {
        found.push(`${size.width} ${colorScheme}: ${id} (${help}), ${nodes.length} times, first ${nodes[0].html.slice(0, 200)}`);
      }
    }
    return found;
  });
}

async function noSidewaysScrolling(tabs, addresses) {
  await all(tabs, addresses, async (tab) => {
    const found = [];
    for (const width of WIDTHS) {
      await tab.setViewportSize({ width, height: 800 });
      const wide = await tab.evaluate(() => {
        const room = document.documentElement.clientWidth;
        if (document.documentElement.scrollWidth <= room) return undefined;
        const widest = [...document.querySelectorAll("main *, header *")].filter((it) => it.getBoundingClientRect().right > room + 1).at(-1);
        return `${document.documentElement.scrollWidth} px, by ${widest?.outerHTML.slice(0, 160)}`;
      });
      if (wide) found.push(`at ${width} px it is ${wide}`);
    }
    return found;
  });
}

// Weighs each page and prints what it weighs; `newTab` gives one that has nothing in its cache.
async function light(newTab, addresses) {
  const found = [];
  for (const [name, address] of addresses) {
    const tab = await newTab();
    const sent = [];
    tab.on("requestfinished", (request) => sent.push(request));
    await tab.goto(address, { waitUntil: "load" });
    let page = 0, rest = 0;
    for (const request of sent) {
      const { responseBodySize } = await request.sizes();
      if (request.isNavigationRequest()) page += responseBodySize;
      else rest += responseBodySize;
    }
    console.log(`${name.padEnd(20)}${(page / 1000).toFixed(1).padStart(6)} KB, with what it brings ${((page + rest) / 1000).toFixed(1).padStart(6)} KB`);
    if (page + rest > MOST_BYTES) found.push(`${name} weighs ${page + rest} bytes`);
    await tab.context().close();
  }
  nothing(found);
}

// No page leads to one that is not in the list, or to nothing.
async function complete(tabs, addresses) {
  const forms = [...PAGES.map(([, form]) => form), ...NO_PAGES].map((form) => new RegExp(`^${form}$`));
  await all(tabs, addresses, async (tab) => {
    const links = await tab.evaluate(() => [...document.links].filter((it) => it.origin === location.origin).map((it) => it.pathname));
    return [...new Set(links)].filter((link) => !forms.some((form) => form.test(link))).map((link) => `it leads to ${link}, which pages.js does not list`);
  });
}

module.exports = { accessible, noSidewaysScrolling, light, complete };
