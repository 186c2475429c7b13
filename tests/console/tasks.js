// What operators do on Monday, and what happens to them meanwhile. Each takes the world and a tab, and leaves its own mark alone.
"use strict";

const assert = require("node:assert");
const { signIn } = require("./chrome.js");
const { until } = require("./world.js");

const SECONDS = 60;

// The state of one sync error, asked of the API.
const state = async (world, id) => (await world.api("GET", `sync-errors/${id}`)).state;

async function ignore(page, reason) {
  const form = page.locator("main form").filter({ has: page.getByRole("button", { name: /^Ignore/ }) }).first();
  if (!(await form.isVisible())) await page.getByText("Ignore…").first().click();
  await form.getByLabel("Reason").fill(reason);
  await form.getByRole("button", { name: /^Ignore/ }).click();
}

// The second of two who press the same button is told what became of it, and who did it.
async function twoAtOnce(world, ann, bob) {
  const [error] = (await world.api("GET", "sync-errors?org=apac&code=QUEUE_NOT_FOUND&state=pending&limit=1")).sync_errors;
  for (const page of [ann, bob]) await page.goto(`/sync-errors/${error.id}`);
  await ignore(ann, "the workshop has closed");
  await ann.getByRole("status").getByText(/ignored/).first().waitFor();
  await ignore(bob, "nobody repairs this");
  const notice = bob.getByRole("status").filter({ hasText: "ann" });
  await notice.waitFor();
  assert.match(await notice.innerText(), /ignored/);
  assert.equal(await state(world, error.id), "ignored");
  assert.equal((await world.api("GET", `sync-errors/${error.id}`)).reason, "the workshop has closed", "the second word has no effect");
}

// A session that ends in the middle: nothing is done by the form, signing in leads back to where it stood, and then it works.
async function sessionEnds(world, page, name) {
  const [error] = (await world.api("GET", "sync-errors?org=apac&code=QUEUE_NOT_FOUND&state=pending&limit=1")).sync_errors;
  const address = `/sync-errors/${error.id}`;
  await page.goto(address);
  await page.context().clearCookies();
  await ignore(page, "a test");
  const token = page.getByLabel("Token", { exact: true });
  const elsewhere = page.locator(".bar").getByRole("link", { name: "Sign in" });
  await token.or(elsewhere).first().waitFor();
  assert.equal(await state(world, error.id), "pending", "nobody was signed in");
  if (await elsewhere.isVisible()) {
    // With the script the form stays as it was written, and the signing in has a tab of its own.
    const [tab] = await Promise.all([page.context().waitForEvent("page"), elsewhere.click()]);
    await signIn(tab, name);
    await tab.close();
    assert.equal(await page.getByLabel("Reason").first().inputValue(), "a test");
    await page.getByRole("button", { name: /^Ignore/ }).first().click();
  } else {
    await signIn(page, name);
    assert.equal(new URL(page.url()).pathname, address);
    await ignore(page, "a test");
  }
  await until(SECONDS, async () => ((await state(world, error.id)) === "ignored" ? true : undefined), () => "it is not ignored");
}

// A host that is killed under an open page: the page says so, and that it is back.
async function restart(world, page) {
  await page.goto("/sync-errors");
  await world.kill();
  const bar = page.locator(".bar");
  await bar.waitFor();
  assert.match(await bar.innerText(), /host/i);
  await world.start();
  await bar.waitFor({ state: "hidden" });
}

module.exports = { twoAtOnce, sessionEnds, restart };
