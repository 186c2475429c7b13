// The console by its own keys: rows are walked, opened, selected and acted on, pages are turned, places are gone to, contacts are chosen.
"use strict";

const assert = require("node:assert");
const { until } = require("./world.js");
const { causeOf } = require("./job.js");
const { ended } = require("./operation.js");

const SECONDS = 60;
const OF = "/sync-errors?org=apac&code=CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY";
const LIST = `${OF}&state=pending`;

const rows = (page) => page.locator("tbody").getByRole("row");
const link = (page, n) => rows(page).nth(n).getByRole("link").first();
const heading = (page, name) => page.getByRole("heading", { level: 1, name });

async function focused(it, words) {
  assert.ok(await it.evaluate((element) => element === document.activeElement), `${words} does not have the focus`);
}

async function press(op, keys) {
  for (const key of keys.split(" ")) await op.key(key);
}

// The rows are walked, one is opened, and the list goes on from there.
async function walk(world, op) {
  const { page } = op;
  await page.goto(LIST);
  const ids = await rows(page).evaluateAll((all) => all.map((row) => row.dataset.key));
  await press(op, "j");
  await focused(link(page, 0), "the first row");
  await press(op, "j j k");
  await focused(link(page, 1), "the second row");
  await press(op, "Enter");
  await page.waitForURL((url) => url.pathname === `/sync-errors/${ids[1]}`);
  await press(op, "n");
  await page.waitForURL((url) => url.pathname === `/sync-errors/${ids[2]}`);
  await press(op, "p");
  await page.waitForURL((url) => url.pathname === `/sync-errors/${ids[1]}`);
}

// One is retried, ignored with a reason and taken back where it stands; so is a row, and the next one is at hand.
async function act(world, op) {
  const { page } = op;
  await page.goto(LIST);
  const [id] = await rows(page).evaluateAll((all) => all.map((row) => row.dataset.key));
  const stands = (state) => until(SECONDS, async () => (await world.api("GET", `sync-errors/${id}`)).state === state || undefined, () => `${id} is not ${state}`);
  await press(op, "j Enter");
  await page.waitForURL((url) => url.pathname === `/sync-errors/${id}`);
  await press(op, "r");
  await page.getByRole("status").getByText(/tried again|failed again/).waitFor();
  await stands("pending");
  await press(op, "i");
  await focused(page.getByLabel("Reason"), "the reason");
  op.actions += 1;
  await page.keyboard.type("none of ours; r and u are letters here");
  await press(op, "Enter");
  await page.getByRole("status").getByText(/is ignored/).waitFor();
  await stands("ignored");
  await press(op, "u");
  await page.getByRole("status").getByText(/waits for somebody again/).waitFor();
  await stands("pending");

  await page.goto(LIST);
  // Customers of the same name stand above.
  const far = 14;
  const there = await rows(page).nth(far).getAttribute("data-key");
  const next = await rows(page).nth(far + 1).getAttribute("data-key");
  await press(op, Array(far + 1).fill("j").join(" "));
  await press(op, "r");
  // At the head of the page, and below it, for the head is out of sight.
  await page.getByRole("status").getByText(/tried again|failed again/).first().waitFor();
  const at = () => page.evaluate(() => document.activeElement.closest("tr")?.dataset.key);
  assert.ok([there, next].includes(await at()), `after r the focus is at ${await at()}, and not at ${there} or ${next}`);
}

// What is selected is ignored with one reason, and taken back from the list of what is ignored.
async function select(world, op) {
  const { page } = op;
  await page.goto(LIST);
  await press(op, "j x j x");
  await page.getByRole("button", { name: "Ignore 2 selected" }).waitFor();
  await press(op, "i");
  await heading(page, "Ignore 2 sync errors?").waitFor();
  await op.type(page.getByLabel(/^Reason/), "two by keys");
  await press(op, "Enter");
  await ended(page, { ignored: 2 });
  await page.goto(`${OF}&state=ignored`);
  for (const left of [1, 0]) {
    await press(op, "j u");
    await page.getByRole("status").getByText(/waits for somebody again/).waitFor();
    await until(SECONDS, async () => (await rows(page).count()) === left || undefined, () => `${left} ignored are not left`);
    await page.goto(`${OF}&state=ignored`);
  }
  await page.goto(LIST);
  await press(op, "a r");
  await heading(page, "Retry 50 sync errors?").waitFor();
}

// Pages of a list are turned, and places are gone to.
async function go(world, op) {
  const { page } = op;
  await page.goto(LIST);
  const range = (text) => page.getByRole("navigation", { name: "Pages" }).getByText(text).waitFor();
  await range("1–50 of");
  await press(op, "n");
  await range("51–100 of");
  await press(op, "p");
  await range("1–50 of");
  for (const [key, address] of [["c", "/causes"], ["o", "/operations"], ["p", "/policies"], ["e", "/sync-errors"], ["h", "/"]]) {
    await press(op, `g ${key}`);
    await page.waitForURL((url) => url.pathname === address);
  }
}

// The search has the focus and takes letters as letters; the keys are shown and go away.
async function help(world, op) {
  const { page } = op;
  await press(op, "/");
  const search = page.getByRole("searchbox", { name: "Search", exact: true });
  await focused(search, "the search");
  await page.keyboard.type("j?");
  assert.equal(await search.inputValue(), "j?");
  assert.equal(await page.getByRole("dialog").count(), 0, "a letter of the search is no key");
  await press(op, "Escape ?");
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("heading", { name: "Keys" }).waitFor();
  await press(op, "g c Escape");
  await dialog.waitFor({ state: "detached" });
  assert.equal(new URL(page.url()).pathname, "/", "no key acts behind the dialog");
}

// Contacts are chosen by their numbers, one conversation after the other.
async function choose(world, op) {
  const { page } = op;
  const { id } = await causeOf(world, "which contact");
  await page.goto(`/causes/${id}?org=gulf`);
  await op.press(page.getByRole("link", { name: /one after the other$/ }));
  for (const key of [1, 2]) {
    await heading(page, /^Which contact is/).waitFor();
    const error = new URL(page.url()).pathname.split("/")[2];
    const { candidates } = await world.api("GET", `sync-errors/${error}/candidates`);
    op.actions += 1;
    // A number that is pressed while the page has just come means the page before, and does nothing.
    await until(SECONDS, async () => {
      await page.keyboard.press(String(key));
      return (await page.getByText(new RegExp(`^${key} of `)).count()) > 0 || undefined;
    }, () => `${key} chooses nothing`);
    const { chosen } = await world.api("GET", `sync-errors/${error}/candidates`);
    assert.equal(chosen.contact, candidates[key - 1].contact);
  }
}

module.exports = {
  "walk the rows": walk, "retry, ignore and take back": act, "act on what is selected": select, "turn pages and go to places": go,
  "search, and show the keys": help, "choose contacts": choose,
};
