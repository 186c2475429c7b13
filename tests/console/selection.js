// What is selected or filtered is what is acted on: no more, and no less.
"use strict";

const assert = require("node:assert");
const { ended } = require("./operation.js");
const { until } = require("./world.js");

const SECONDS = 60;
const LIST = "/sync-errors?org=apac&code=CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY&state=pending";

const boxes = (page) => page.getByRole("checkbox", { name: /^Select (?!all)/ });
const values = (all) => all.map((box) => box.value);

// The question is about exactly these, and is left.
async function asked(page, task, ids) {
  const words = ids.length === 1 ? "1 sync error" : `${ids.length} sync errors`;
  await page.getByRole("heading", { level: 1, name: `${task} ${words}?`, exact: true }).waitFor();
  const meant = await page.locator("main form input[name=id]").evaluateAll(values);
  assert.deepEqual(meant.toSorted(), ids.toSorted());
}

// One, several, a row of them with Shift, all of the page.
async function ticked(world, page, script) {
  const ways = [
    ["Retry", 1, async () => boxes(page).nth(4).check()],
    ["Ignore", 3, async () => { for (const n of [0, 7, 3]) await boxes(page).nth(n).check(); }],
    ["Retry", 6, async () => { await boxes(page).nth(8).check(); await boxes(page).nth(3).click({ modifiers: ["Shift"] }); }],
    ["Ignore", 50, async () => page.getByRole("checkbox", { name: "Select all of this page" }).check()],
  ];
  for (const [task, count, tick] of script ? ways : ways.slice(0, 2)) {
    await page.goto(LIST);
    await tick();
    const ids = await boxes(page).and(page.locator(":checked")).evaluateAll(values);
    assert.equal(ids.length, count);
    await page.getByRole("button", { name: new RegExp(`^${task} ${script ? count : ""} ?selected$`) }).click();
    await asked(page, task, ids);
  }
  if (script) return;
  // Without a script the buttons are there while nothing is ticked: then nothing is meant, and not everything.
  await page.goto(LIST);
  await page.getByRole("button", { name: /^Ignore ?selected$/ }).click();
  await page.getByText(/nothing is selected/i).waitFor();
}

// "Retry these N" under two filters beside the organization acts on these N, and on none of the others.
async function filtered(world, page, script) {
  const team = script ? "selected" : "selected-without-script";
  const all = 12, meant = 3;
  for (let n = 0; n < all; n += 1) await world.handIn(team, n, "apac", { team });
  const errors = async (query = "") => (await world.api("GET", `sync-errors?org=apac&team=${team}&limit=500${query}`)).sync_errors;
  const open = async () => (await errors("&state=pending")).length === all || undefined;
  await until(SECONDS, open, async () => `${(await errors()).length} of ${all} of team ${team}`);
  const attempts = async () => Object.fromEntries((await errors()).map(({ id, attempts }) => [id, attempts]));
  const before = await attempts();
  const chosen = (await errors("&channel=whatsapp")).map(({ id }) => id);
  assert.equal(chosen.length, meant);

  await page.goto(`/sync-errors?org=apac&team=${team}&channel=whatsapp&state=pending`);
  await page.getByRole("link", { name: /^Retry (these 3|all that match)$/ }).click();
  await page.getByRole("button", { name: `Retry ${meant} sync errors` }).click();
  await ended(page, { matched: meant, "failed by the same cause": meant });
  for (const [id, after] of Object.entries(await attempts())) {
    assert.equal(after - before[id], chosen.includes(id) ? 1 : 0, `attempts of ${id}`);
  }
}

module.exports = { "what is ticked is what is asked about": ticked, "what is filtered is what is retried": filtered };
