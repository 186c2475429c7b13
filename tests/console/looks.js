// What holds for every page: axe finds nothing in four designs, nothing scrolls sideways, and it is light; and what the first pages show.
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

// What axe finds on the page as it is.
async function violations(tab, how, runOnly) {
  if (!(await tab.evaluate("typeof axe"))?.startsWith("obj")) await tab.evaluate(axe.source);
  const { violations: found } = await tab.evaluate((only) => axe.run(document, { resultTypes: ["violations"], runOnly: only }), runOnly);
  return found.map(({ id, help, nodes }) => `${how}: ${id} (${help}), ${nodes.length} times, first ${nodes[0].html.slice(0, 200)}`);
}

async function inDesigns(tab) {
  const found = [];
  for (const { size, colorScheme } of DESIGNS) {
    await tab.setViewportSize(size);
    await tab.emulateMedia({ colorScheme });
    // The dark differs in its colours alone.
    const runOnly = colorScheme === "dark" ? { type: "rule", values: ["color-contrast", "link-in-text-block"] } : undefined;
    found.push(...(await violations(tab, `${size.width} ${colorScheme}`, runOnly)));
  }
  return found;
}

async function accessible(tabs, addresses) {
  await all(tabs, addresses, inDesigns);
}

// On paper, and for who wants more contrast.
async function inOtherMedia(tabs, addresses) {
  await all(tabs, addresses, async (tab) => {
    const found = [];
    for (const media of [{ media: "print", contrast: "no-preference" }, { media: "screen", contrast: "more" }]) {
      await tab.emulateMedia(media);
      found.push(...(await violations(tab, JSON.stringify(media))));
    }
    return found;
  });
}

// What is there only when somebody opens it, or when something is to be said.
async function opened(tab) {
  const states = {
    "the menu": async () => tab.getByRole("navigation", { name: "Main" }).locator("summary").click(),
    "the keys": async () => tab.keyboard.press("?"),
    "the bar": async () => {
      await tab.route("**/v1/events", (route) => route.abort());
      await tab.reload();
      await tab.getByRole("status").getByText("The host does not answer").waitFor();
    },
  };
  const found = [];
  for (const [what, open] of Object.entries(states)) {
    await tab.goto("/sync-errors");
    await open();
    found.push(...(await violations(tab, what)));
  }
  nothing(found);
}

// Rows of these are as high as what was said, or as what is wrong.
const OF_TEXTS = ["conversation", "checks"];

// A line of a list is a line: at most 40 px on a desk, and six of them are seen at once on a phone.
async function linesAreLines(tabs, addresses) {
  const [tab] = tabs;
  await all(tabs, addresses.filter(([name]) => !OF_TEXTS.includes(name)), async (tab) => {
    await tab.setViewportSize(DESK);
    const high = await tab.locator("tbody").getByRole("row").evaluateAll((rows) => rows.map((row) => row.getBoundingClientRect().height).filter((it) => it > 40));
    return high.length ? [`rows of ${high.slice(0, 5).join(", ")} px`] : [];
  });
  await tab.goto("/sync-errors");
  const heights = await tab.locator("tbody").getByRole("row").evaluateAll((rows) => rows.map((row) => row.getBoundingClientRect().height));
  assert.ok(heights.length === 50 && Math.max(...heights) <= 40, `rows of ${heights.join(", ")} px`);
  await tab.setViewportSize(PHONE);
  await tab.goto("/sync-errors");
  const whole = await tab.locator("tbody").getByRole("row").evaluateAll((rows) => rows.filter((row) => {
    const { left, top, bottom } = row.getBoundingClientRect();
    const seen = (y) => row.contains(document.elementFromPoint(left + 20, y));
    return seen(top + 2) && seen(bottom - 2);
  }).length);
  assert.ok(whole >= 6, `${whole} whole rows are seen on a phone`);
}

// Home leads with where nothing gets through, then what waits for whom and whether it grows, then each organization.
async function home(tab, name) {
  await tab.goto("/");
  const main = tab.locator("main");
  const incident = main.getByRole("region", { name });
  await incident.getByRole("button", { name: "Authorize" }).waitFor();
  const causes = main.getByRole("table");
  const card = main.getByRole("article", { name });
  const at = async (it) => (await it.first().boundingBox()).y;
  assert.ok((await at(incident)) < (await at(causes)) && (await at(causes)) < (await at(card)), "the incident, the causes, the cards");
  assert.deepEqual((await causes.getByRole("columnheader").allInnerTexts()).slice(-4), ["Trend", "State", "Since", "Owner"]);
  const rows = causes.locator("tbody").getByRole("row");
  assert.equal(await rows.count(), await rows.filter({ has: tab.getByRole("img") }).count(), "each has its trend");
  for (const owner of await rows.evaluateAll((all) => all.map((row) => row.cells[row.cells.length - 1].innerText))) assert.notEqual(owner, "");
  await card.getByRole("meter", { name: "API calls used" }).waitFor();
  assert.match(await card.innerText(), /[\d,]+ of 100,000 in 24 hours/);
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
    const take = (request) => sent.push(request);
    tab.on("requestfinished", take);
    await tab.goto(address, { waitUntil: "load" });
    // What the script asks for later is none of it.
    tab.off("requestfinished", take);
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

module.exports = { accessible, inOtherMedia, opened, linesAreLines, home, noSidewaysScrolling, light, complete };
