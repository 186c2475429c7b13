// The job of a Monday: what is wrong, who is it, mend it, retry it, ignore it, take that back, hand it over, report.
"use strict";

const assert = require("node:assert");
const { ORGS } = require("./monday.js");
const { until } = require("./world.js");

const SECONDS = 60;

// How many sync errors match, asked of the API: of a filter that it has no count for, up to a page.
async function matching(world, query) {
  const { total, sync_errors: found } = await world.api("GET", `sync-errors?${query}&limit=500`);
  return total ?? found.length;
}

async function becomes(world, query, wanted) {
  await until(SECONDS, async () => ((await matching(world, query)) === wanted ? true : undefined),
    async () => `${await matching(world, query)} match ${query}, and not ${wanted}`);
}

const link = (op, name) => op.page.getByRole("link", { name }).first();
const button = (op, name) => op.page.getByRole("button", { name }).first();
const main = (op) => op.page.locator("main");

async function menu(op, name) {
  const entry = op.page.getByRole("navigation", { name: "Main" }).getByRole("link", { name });
  if (!(await entry.isVisible())) await op.press(op.page.getByText("More", { exact: true }));
  await op.press(entry);
}

async function toCause(op, words) {
  await menu(op, /^Causes/);
  await op.press(main(op).getByRole("link", { name: words }).first());
  await op.page.getByRole("heading", { level: 1, name: words }).waitFor();
}

// One look says how many wait, and where nothing gets through.
async function glance(world, op) {
  const orgs = Object.values(await world.orgs());
  const waits = orgs.reduce((sum, org) => sum + org.sync_errors.pending + org.parked, 0);
  const number = waits.toLocaleString("en-GB");
  assert.ok((await op.page.title()).startsWith(`(${number})`), `${await op.page.title()} does not begin with (${number})`);
  const card = main(op).getByText(ORGS.gulf.name).first();
  await card.waitFor();
}

// All sync errors of one customer, by the search that stands on every page.
async function find(world, op) {
  const search = op.page.getByRole("searchbox", { name: "Search", exact: true }).first();
  if (op.by === "keys" && op.script) await op.key("/");
  else await op.to(search);
  op.actions += 1;
  await op.page.keyboard.type("Jane Okafor");
  await op.key("Enter");
  await op.page.waitForURL(/q=Jane/);
  const row = main(op).getByRole("link", { name: "Jane Okafor" }).first();
  await row.waitFor();
  await op.press(row);
  await op.page.waitForURL(/\/sync-errors\/se-/);
}

// A team without a queue: choose one, see the change and what it would do, put it in force and retry.
async function mend(world, op, { org, team, queue, count }) {
  await toCause(op, `Team ${team} has no queue`);
  await op.press(link(op, "Choose a queue"));
  await op.choose(op.page.getByLabel(/^Queue of/), queue);
  await op.press(button(op, "Show the change"));
  await op.press(button(op, "Preview"));
  await op.page.getByText(/would pass/).first().waitFor();
  await op.press(button(op, `Put in force and retry these ${count.toLocaleString("en-GB")}`));
  await op.page.getByRole("heading", { level: 1, name: "Mended" }).waitFor();
  await becomes(world, `org=${org}&team=${team}&state=pending,retrying`, 0);
}

// The cause whose title has these words.
async function causeOf(world, words) {
  const { groups } = await world.api("GET", "groups?limit=50");
  return groups.find((group) => group.title.includes(words));
}

// Ignore a cause with a reason, and take that back.
async function ignoreAndUndo(world, op, words) {
  const { id, org, counts } = await causeOf(world, words);
  const number = counts.pending.toLocaleString("en-GB");
  const query = `org=${org}&group=${id}`;
  await toCause(op, words);
  await op.press(link(op, `Ignore these ${number}`));
  await op.type(op.page.getByLabel(/^Reason/), "they are none of ours");
  await op.press(button(op, `Ignore ${number} sync errors`));
  await op.page.waitForURL(/\/operations\/op-/);
  await becomes(world, `${query}&state=ignored`, counts.pending);
  // Without a script the page shows that it has ended when it is asked for again.
  const takeBack = button(op, /^Take back these/);
  if (!op.script) await until(SECONDS, async () => { await op.page.reload(); return (await takeBack.isVisible()) || undefined; }, () => "there is nothing to undo");
  await op.press(takeBack);
  await becomes(world, `${query}&state=pending`, counts.pending);
}

// Who looks after a cause, and what others should know.
async function handOver(world, op, words, who) {
  await toCause(op, words);
  await op.press(button(op, "Assign to me"));
  await main(op).getByText(new RegExp(`\\b${who}\\b`)).first().waitFor();
  await op.type(op.page.getByLabel(/^What others should know/), `${who} asks them.`);
  await op.press(button(op, "Keep the note"));
  await until(SECONDS, async () => {
    const { assignee, note } = await causeOf(world, words);
    return assignee === who && note === `${who} asks them.` ? true : undefined;
  }, () => "the cause has no owner or no note");
}

// A dead connection is authorized from the card that says so, and what was parked follows.
async function authorize(world, op) {
  await menu(op, /^Home/);
  await op.press(button(op, /^Authorize/));
  await until(SECONDS, async () => ((await world.orgs()).gulf.parked === 0 ? true : undefined), async () => `${(await world.orgs()).gulf.parked} are parked`);
}

// A spreadsheet of what is open.
async function spreadsheet(world, op) {
  await menu(op, /^Errors/);
  const download = op.page.waitForEvent("download");
  await op.press(link(op, "CSV"));
  const file = await (await download).path();
  const lines = require("node:fs").readFileSync(file, "utf8").split("\n").length;
  assert.ok(lines > 1000, `${lines} lines`);
}

// Who did what.
async function whoDidWhat(world, op, who) {
  await menu(op, /^Actions/);
  await main(op).getByText(who).first().waitFor();
}

module.exports = { glance, find, mend, ignoreAndUndo, handOver, authorize, spreadsheet, whoDidWhat };
