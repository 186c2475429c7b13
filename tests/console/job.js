// The job of a Monday: what is wrong, who is it, mend it, retry it, ignore it, take that back, hand it over, report.
"use strict";

const assert = require("node:assert");
const { ORGS } = require("./monday.js");
const { ended } = require("./operation.js");
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
  if (!(await entry.isVisible())) await op.press(op.page.getByRole("navigation", { name: "Main" }).locator("summary"));
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
  // The page says by itself what became of it; without a script, when it is asked for again.
  const over = op.page.getByText(`The retry has ended: ${count.toLocaleString("en-GB")} got through, of ${count.toLocaleString("en-GB")}.`);
  await op.page.getByRole("heading", { level: 1, name: "Mended" }).waitFor();
  if (!op.script) await until(SECONDS, async () => (await over.isVisible()) || (await op.press(link(op, "Look again"))), () => "the retry does not end");
  await over.waitFor();
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

// Who did what on a day, and what it was done to.
async function whoDidWhat(world, op, who) {
  await menu(op, "Who did what");
  await op.press(link(op, "Today"));
  const rows = main(op).locator("tbody").getByRole("row");
  await op.type(op.page.getByLabel("Person"), who);
  await op.press(button(op, "Show"));
  await op.page.waitForURL((url) => url.searchParams.get("by") === who && url.searchParams.get("day"));
  const said = await rows.allInnerTexts();
  assert.ok(said.length > 0 && said.every((row) => row.includes(who)), said.join("\n"));
  const began = rows.filter({ hasText: "began an operation over many sync errors" }).first();
  await op.press(began.getByRole("link").first());
  await main(op).getByText(`by ${who}, begun`).waitFor();

  await menu(op, "Who did what");
  await op.press(link(op, "Yesterday"));
  await op.page.waitForURL((url) => url.searchParams.get("day") && !url.searchParams.get("by"));
  const day = new URL(op.page.url()).searchParams.get("day");
  assert.equal(Date.parse(day), Date.parse(new Date().toISOString().slice(0, 10)) - 86_400_000, day);
  // The world was made today, unless midnight has passed meanwhile.
  const { actions } = await world.api("GET", `actions?since=${day}T00:00:00Z&limit=50`);
  const yesterday = actions.filter(({ at }) => at.startsWith(day)).length;
  if (yesterday === 0) await main(op).getByText("Nobody did that.").waitFor();
  else assert.equal(await rows.count(), yesterday);
}

// A few of those whose customer could be several contacts, one after the other.
async function chooseContacts(world, op, several) {
  await toCause(op, "Nobody can tell which contact the customer is");
  const { id, counts: { pending } } = await causeOf(world, "which contact");
  await op.press(link(op, `Choose ${pending} contacts, one after the other`));
  for (let done = 0; done < several; done += 1) {
    await op.page.getByRole("heading", { level: 1, name: /^Which contact is/ }).waitFor();
    const error = new URL(op.page.url()).pathname.split("/")[2];
    await op.press(button(op, /^Choose Anna .* and retry$/));
    await op.page.getByText(`${done + 1} of ${pending} done`).waitFor();
    const { candidates, chosen } = await world.api("GET", `sync-errors/${error}/candidates`);
    assert.equal(candidates.find(({ contact }) => contact === chosen.contact).name.replace(/ \d+$/, ""), "Anna Keller");
  }
  const left = (await world.api("GET", `sync-errors?org=gulf&group=${id}&state=pending&limit=500`)).sync_errors.length;
  assert.equal(left, pending - several);
}

// What was said with one customer, and what happened, from an error of theirs.
async function readConversation(world, op) {
  await menu(op, /^Errors/);
  const row = main(op).locator("tbody").getByRole("row").first();
  const customer = await row.getByRole("link").first().innerText();
  await op.press(row.getByRole("link").first());
  await op.page.waitForURL(/\/sync-errors\/se-/);
  const { conversation } = await world.api("GET", `sync-errors/${new URL(op.page.url()).pathname.split("/")[2]}`);
  await op.press(link(op, "Conversation"));
  await op.page.getByRole("heading", { level: 1, name: customer, exact: true }).waitFor();
  await main(op).getByText(conversation, { exact: true }).waitFor();
  const [{ messages }] = (await world.api("GET", `conversations/${encodeURIComponent(conversation)}`)).orgs;
  for (const { text } of messages) await main(op).getByText(text, { exact: true }).first().waitFor();
  await op.page.getByRole("heading", { name: "What happened", exact: true }).waitFor();
  await main(op).getByText(/failed/).first().waitFor();
}

// A retry of what nobody has mended is followed on its page: three are tried, fail by the same cause, and the rest is left alone.
async function follow(world, op) {
  await toCause(op, "Policy apac refuses");
  const { counts: { pending } } = await causeOf(world, "Policy apac refuses");
  await op.press(link(op, `Retry these ${pending}`));
  await op.press(button(op, `Retry ${pending} sync errors`));
  await ended(op.page, { matched: pending, "failed by the same cause": 3 });
  await main(op).getByText("the rest of it was left alone").waitFor();
}

module.exports = {
  causeOf, glance, find, mend, ignoreAndUndo, handOver, authorize, spreadsheet, whoDidWhat, chooseContacts, readConversation, follow,
};
