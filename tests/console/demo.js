// The demo as its terminal tells it: each of its causes is mended from the console by clicks, until nothing waits.
"use strict";

const assert = require("node:assert");
const { spawn } = require("node:child_process");
const readline = require("node:readline");
const { fresh } = require("./chrome.js");
const { ended } = require("./operation.js");
const { free } = require("./world.js");

const SECONDS = 120;

const link = (page, name) => page.getByRole("link", { name }).first();
const button = (page, name) => page.getByRole("button", { name }).first();

// Starts the demo: where it answers, and what its terminal tells of its causes, each with where and how it is mended.
async function start(t, binary) {
  const url = `http://127.0.0.1:${await free()}`;
  const demo = spawn(binary, ["demo", "--listen", new URL(url).host], { stdio: ["ignore", "ignore", "pipe"] });
  t.after(() => demo.kill("SIGKILL"));
  const timer = setTimeout(() => demo.kill("SIGKILL"), SECONDS * 1000);
  const lines = [];
  for await (const line of readline.createInterface({ input: demo.stderr })) {
    // The list ends with an empty line or the next word on how things stand.
    if (lines.length && !line.startsWith("  ")) break;
    if (lines.length || line.startsWith("What went wrong")) lines.push(line);
    if (lines.length === 11) break;
  }
  clearTimeout(timer);
  assert.equal(lines.length, 11, `the terminal tells of five causes, and not\n${lines.join("\n")}`);
  const causes = [];
  for (let at = 1; at < lines.length; at += 2) {
    const [, org, happened, count] = lines[at].match(/^ {2}(.+?): (.+) \((\d+) conversations\)$/);
    const [, address, mend] = lines[at + 1].match(/^ {4}(\S+) {2}(.+)$/);
    causes.push({ org, happened, count: Number(count), address, mend });
  }
  return { url, causes };
}

// How each is mended, by the words of the terminal.
const MENDS = [
  [/^press Authorize: what is parked follows by itself$/, async (page, { org }) => {
    await button(page, "Authorize").click();
    await page.getByRole("heading", { level: 1, name: `${org} is authorized` }).waitFor();
  }],
  [/^write (.+) = "(.+)", put that in force, and retry the cause$/, async (page, { count }, team, queue) => {
    const text = page.getByRole("textbox", { name: /\.toml$/ });
    const before = await text.inputValue();
    const after = before.replace(new RegExp(`^${team} = ".*"$`, "m"), `${team} = "${queue}"`);
    assert.notEqual(after, before, `no line of ${team}`);
    await text.fill(after);
    await button(page, "Put in force").click();
    await page.getByRole("status").getByText(/put in force/).waitFor();
    await link(page, "Causes").click();
    await page.locator("main").getByRole("link", { name: "The queue is not there" }).first().click();
    await link(page, `Retry these ${count}`).click();
    await button(page, `Retry ${count} sync errors`).click();
    await ended(page, { "got through": count });
  }],
  [/^choose the queue (.+), put that in force, and retry$/, async (page, { count }, queue) => {
    await link(page, "Choose a queue").click();
    await page.getByLabel(/^Queue of/).selectOption({ label: queue });
    await button(page, "Show the change").click();
    await button(page, `Put in force and retry these ${count}`).click();
    await page.getByText(`The retry has ended: ${count} got through, of ${count}.`).waitFor();
  }],
  [/^ignore all of it, with the reason; (Take back these) undoes that$/, async (page, { count }, undo) => {
    await link(page, `Ignore these ${count}`).click();
    await page.getByLabel(/^Reason/).fill("the agency has left Twitter");
    await button(page, `Ignore ${count} sync errors`).click();
    await ended(page, { ignored: count });
    await button(page, `${undo} ${count}`).waitFor();
  }],
  [/^choose the contact of each$/, async (page, { count }) => {
    await link(page, `Choose ${count} contacts, one after the other`).click();
    for (let done = 0; done < count; done += 1) {
      if (done > 0) await page.getByText(`${done} of ${count} done`).waitFor();
      await page.getByRole("heading", { level: 1, name: /^Which contact is/ }).waitFor();
      await button(page, /^Choose .+ and retry$/).click();
    }
    await page.waitForURL(/\/sync-errors\/[^/]+$/);
  }],
];

// `look` is given a tab of its own.
async function mended(t, browser, binary, look) {
  const { url, causes } = await start(t, binary);
  const context = await fresh(t, browser, { baseURL: url });
  const page = await context.newPage();
  await page.goto("/");
  assert.match(await page.getByRole("heading", { level: 1 }).innerText(), /^Nothing gets through to 1 organization/);
  await look(await context.newPage());
  for (const cause of causes) {
    const [words, mend] = MENDS.find(([words]) => words.test(cause.mend)) ?? assert.fail(`nobody knows how to ${cause.mend}`);
    await page.goto(cause.address);
    await mend(page, cause, ...cause.mend.match(words).slice(1));
  }
  await page.goto("/");
  await page.getByRole("heading", { level: 1, name: "All is well" }).waitFor();
  assert.doesNotMatch(await page.title(), /^\(/, "nothing waits");
}

module.exports = { mended };
