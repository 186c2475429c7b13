// A page that lies open while things change: counts move, rows come when somebody wants them, and nothing that was written is lost.
"use strict";

const assert = require("node:assert");
const { until } = require("./world.js");

const SECONDS = 60;
const LIST = "/sync-errors?org=apac&state=pending";
const TRIGGER = "org=apac&code=CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY&state=pending";

const numberOf = (text) => Number(text.match(/\(?([\d,]+)/)?.[1].replaceAll(",", ""));

async function moves(what, wanted, asked) {
  let last;
  await until(SECONDS, async () => { last = await asked(); return last === wanted || undefined; }, () => `${what} is ${last}, and not ${wanted}`);
}

// A page that is loaded again has no such mark.
const mark = (page) => page.evaluate(() => { window.stays = true; });
const stays = async (page) => assert.ok(await page.evaluate(() => window.stays), "the page was loaded again");

// Counts move by themselves, and rows come when they are asked for.
async function list(world, page) {
  await page.goto(LIST);
  await mark(page);
  const tab = page.getByRole("link", { name: /^Pending/ });
  const title = async () => numberOf(await page.title());
  const count = async () => numberOf((await tab.innerText()).replace("Pending", ""));
  const before = { title: await title(), count: await count() };
  const firstRow = () => page.locator("tbody").getByRole("row").first().innerText();
  const first = await firstRow();
  for (let n = 0; n < 3; n += 1) await world.handIn("live", n, "apac", { team: "nobody-knows", customer: (n) => `Live ${n}` });
  await moves("the number of the title", before.title + 3, title);
  await moves("the count of the tab", before.count + 3, count);
  const bar = page.getByRole("status").filter({ hasText: "changed." });
  await bar.waitFor();
  assert.equal(await firstRow(), first, "no row moves under the pointer");
  assert.equal(await page.getByRole("link", { name: "Live 2", exact: true }).count(), 0);
  await bar.getByRole("button", { name: "Show" }).click();
  for (const n of [0, 1, 2]) await page.getByRole("link", { name: `Live ${n}`, exact: true }).waitFor();
  await bar.waitFor({ state: "hidden" });
  await stays(page);
}

// What is half typed stays as it is, with the focus, while the page around it moves.
async function halfTyped(world, page) {
  const [error] = (await world.api("GET", `sync-errors?${TRIGGER}&limit=1`)).sync_errors;
  await page.goto(`/sync-errors/${error.id}`);
  await mark(page);
  await page.getByText("Ignore…").click();
  const reason = page.getByLabel("Reason");
  await reason.pressSequentially("the market");
  await world.api("POST", `sync-errors/${error.id}/ignore`, { reason: "somebody was quicker" });
  await page.locator("main").getByText("ignored", { exact: true }).waitFor();
  await page.keyboard.type("place");
  assert.equal(await reason.inputValue(), "the marketplace");
  await stays(page);
  await world.api("POST", `sync-errors/${error.id}/reopen`);
  // So does what is typed into one form while another is sent.
  await page.goto(`/causes/${error.group}?org=${error.org}`);
  const note = page.getByLabel(/^What others should know/);
  await note.fill("half a note");
  await page.getByLabel("Assign to", { exact: true }).fill("somebody");
  await page.getByRole("button", { name: "Assign", exact: true }).click();
  await page.locator("main").getByText("somebody", { exact: true }).waitFor();
  assert.equal(await note.inputValue(), "half a note");
}

// What a form did is said once, and the way back leads to the list and not to the form.
async function back(world, page) {
  await page.goto(`/sync-errors?${TRIGGER}`);
  const address = page.url();
  await page.locator("tbody").getByRole("link").first().click();
  await page.getByRole("button", { name: "Retry" }).click();
  await page.getByRole("status").getByText(/tried again|failed again/).waitFor();
  assert.ok(!page.url().includes("done="), `${page.url()} repeats the notice`);
  await page.goBack();
  await page.getByRole("heading", { level: 1, name: "Errors of Asia Pacific" }).waitFor();
  assert.equal(page.url(), address);
  await page.goForward();
  await page.getByRole("heading", { name: "What to do" }).waitFor();
  assert.equal(await page.getByRole("status").filter({ hasText: /tried again|failed again/ }).count(), 0, "the notice comes again");
}

module.exports = { "moves by itself": list, "leaves what is half typed alone": halfTyped, "says once what a form did, and Back leads to the list": back };
