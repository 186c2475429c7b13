// The console in Chromium, on Monday: node --test suite.js, by `run`.
"use strict";

const { test, before, after } = require("node:test");
const { World, counted } = require("./world.js");
const { open, signedIn } = require("./chrome.js");
const { facts, PAGES } = require("./pages.js");
const looks = require("./looks.js");

const binaries = { host: process.env.SWITCHYARD, simulator: process.env.SIMULATOR };
const world = new World(binaries);
let browser, addresses;

before(async () => {
  await world.begin();
  const seconds = await world.fill();
  console.log(`${await counted(world)}\nThe world stands after ${seconds.toFixed(0)} s.`);
  browser = await open(process.env.CHROMIUM);
  const on = await facts(world);
  addresses = PAGES.filter(([, , , more]) => !more?.signedOut).map(([name, , address]) => [name, address(on)]);
}, { timeout: 300_000 });

after(async () => {
  await browser?.close();
  world.stop();
});

// Each with a tab of its own, in which the administrator has signed in.
async function tab(t, options) {
  const page = await signedIn(browser, world, "admin", options);
  t.after(() => page.context().close());
  return page;
}

test("every page that a page leads to is looked at", async (t) => looks.complete(await tab(t), addresses));
test("no page scrolls sideways from 320 to 2,560 px", async (t) => looks.noSidewaysScrolling(await tab(t), addresses));
test("a page with all that it brings weighs less than 60 KB", async (t) => {
  const storageState = await (await tab(t)).context().storageState();
  const fresh = async () => (await browser.newContext({ storageState, baseURL: world.url })).newPage();
  await looks.light(fresh, addresses);
});
test("axe finds nothing on a desk and on a phone, light and dark", async (t) => looks.accessible(await tab(t), addresses));
