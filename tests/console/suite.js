// The console in Chromium, on Monday: node --test suite.js, by `run`.
"use strict";

const { test, before, after } = require("node:test");
const assert = require("node:assert");
const { World, counted } = require("./world.js");
const { ORGS } = require("./monday.js");
const { open, fresh, signedIn } = require("./chrome.js");
const { facts, PAGES } = require("./pages.js");
const looks = require("./looks.js");
const pictures = require("./pictures.js");
const tasks = require("./tasks.js");
const keys = require("./keys.js");
const live = require("./live.js");
const selection = require("./selection.js");
const demo = require("./demo.js");
const job = require("./job.js");
const { Operator } = require("./operator.js");

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

// Somebody with a tab of their own.
const somebody = (t, name, options) => signedIn(t, browser, world, name, options);

// Pages that say of an address that it leads nowhere.
const expected = /404.*\/nothing\/is\/here|400.*\/policies\/new/;

// Two tabs of the administrator, who may see everything, or of somebody else.
async function tabs(t, name = "admin") {
  const first = await somebody(t, name, { expected });
  return [first, await first.context().newPage()];
}

const named = (...names) => addresses.filter(([name]) => names.includes(name));

test("every page that a page leads to is looked at", async (t) => looks.complete(await tabs(t), addresses));
test("no page scrolls sideways from 320 to 2,560 px", async (t) => looks.noSidewaysScrolling(await tabs(t), addresses));
test("a page with all that it brings weighs less than 60 KB", async (t) => {
  const storageState = await (await tabs(t))[0].context().storageState();
  const options = { storageState, baseURL: world.url, expected };
  await looks.light(async () => (await fresh(t, browser, options)).newPage(), addresses);
});
test("a line of a list is a line below an incident, too", async (t) => looks.linesAreLines(await tabs(t), addresses));
test("axe finds nothing on a desk and on a phone, light and dark", async (t) => looks.accessible(await tabs(t), addresses));
test("axe finds nothing for who may only look", async (t) => looks.accessible(await tabs(t, "viewer"), named("home", "errors", "error")));
test("axe finds nothing on paper and with more contrast", async (t) =>
  looks.inOtherMedia(await tabs(t), named("home", "errors", "error", "cause", "conversation")));
test("axe finds nothing in the menu, the keys and the bar", async (t) => looks.opened(await somebody(t, "ann", { expected: /ERR_FAILED/ })));
test("home leads with what is wrong", async (t) => looks.home(await somebody(t, "ann"), ORGS.gulf.name));

test("the pictures of docs/console.md are made", { skip: !process.env.PICTURES }, async (t) => pictures.all((await tabs(t))[0], addresses));

for (const [task, does] of Object.entries(keys)) {
  test(`by its keys: ${task}`, async (t) => {
    const op = new Operator(await somebody(t, "bob"), "keys", true);
    await does(world, op);
    console.log(`${"by its keys".padEnd(20)}${task.padEnd(42)}${op.told()}`);
  });
}
for (const [what, does] of Object.entries(live)) {
  test(`a page that lies open ${what}`, async (t) => does(world, await somebody(t, "ann")));
}

for (const [how, options] of [["", {}], [" without JavaScript", { javaScriptEnabled: false }]]) {
  for (const [what, does] of Object.entries(selection)) {
    test(`${what}${how}`, async (t) => does(world, await somebody(t, "ann", { ...options, expected: /400.*selected=1/ }), !how));
  }
  test(`the second of two operators is told what became of it and who did it${how}`, async (t) =>
    tasks.twoAtOnce(world, await somebody(t, "ann", options), await somebody(t, "bob", options)));
  test(`a session that ends in the middle leads back to where it was${how}`, async (t) =>
    tasks.sessionEnds(world, await somebody(t, "ann", { ...options, expected: /401/ }), "ann"));
}

// The same job three times, each about conversations of its own.
const PASSES = [
  { how: "by clicks", by: "clicks", who: "ann", mends: { team: "store-events", org: "emea", queue: "Orders", count: 1200 }, ignores: "Test customers are not allowed" },
  { how: "by keys alone", by: "keys", who: "bob", mends: { team: "spare-parts", org: "apac", queue: "Spare_Parts", count: 300 }, ignores: "Conversations of the old shop page" },
  {
    how: "without JavaScript", by: "clicks", options: { javaScriptEnabled: false }, who: "ann",
    mends: { team: "gift-cards", org: "emea", queue: "General", count: 40 }, ignores: "A picklist does not have the value",
  },
];
for (const { how, by, options, who, mends, ignores } of PASSES) {
  test(`the job of a Monday is done ${how}`, async (t) => {
    if (by !== "clicks" || options) await world.again(mends);
    const page = await somebody(t, who, options);
    const tasks = {
      "what is wrong": (op) => job.glance(world, op),
      "all of one customer": (op) => job.find(world, op),
      "hand a cause over": (op) => job.handOver(world, op, ignores, who),
      "ignore a cause, and undo that": (op) => job.ignoreAndUndo(world, op, ignores),
      [`mend a cause and retry its ${mends.count}`]: (op) => job.mend(world, op, mends),
      "authorize, and what was parked follows": (op) => job.authorize(world, op),
      "a spreadsheet": (op) => job.spreadsheet(world, op),
      "which contact is it, for three": (op) => job.chooseContacts(world, op, 3),
      "what was said, from an error": (op) => job.readConversation(world, op),
      "retry what nobody mended": (op) => job.follow(world, op),
      "who did what": (op) => job.whoDidWhat(world, op, who),
    };
    for (const [task, does] of Object.entries(tasks)) {
      await page.goto("/");
      const op = new Operator(page, by, !options);
      await does(op);
      console.log(`${how.padEnd(20)}${task.padEnd(42)}${op.told()}`);
    }
  });
}

// Where no incident stands above the list any more, and much has been done.
test("a line of a list is a line, on a desk and on a phone", async (t) => looks.linesAreLines(await tabs(t), addresses));

test("the causes of the demo are mended from the console as its terminal says", async (t) => {
  assert.equal((await fetch(`${world.url}/style`)).status, 404, "the page of the parts is the demo's alone");
  await demo.mended(t, browser, binaries.host, (tab) => looks.accessible([tab], [["the parts", "/style"]]));
});

test("a page says that its host is gone, and that it is back", async (t) => tasks.restart(world, await somebody(t, "ann", { expected: /net::ERR_/ })));
