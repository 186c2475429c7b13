// What pages cost with many sync errors: the host's time, weight, and the first paint in Chromium on loopback. By `speed`.
"use strict";

const fs = require("node:fs");
const { open } = require("./chrome.js");

// Requests of each page one after another, and loads of each in a browser.
const REQUESTS = 300;
const LOADS = 9;

const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
const ms = (time) => time.toFixed(1).padStart(9);

async function pages(ask) {
  const errors = async (query) => (await ask(`/v1/sync-errors?limit=50&${query}`));
  const first = await errors("state=pending");
  const [error] = first.sync_errors;
  let deep = first;
  for (let page = 1; page < 10; page += 1) deep = await errors(`state=pending&cursor=${encodeURIComponent(deep.next_cursor)}`);
  const [group] = (await ask("/v1/groups?limit=1")).groups;
  const of = `org=${group.org}&group=${group.id}`;
  return [
    ["home", "/"],
    ["organizations", "/orgs"],
    ["causes", "/causes"],
    ["causes of one organization", `/causes?org=${error.org}`],
    ["one cause", `/causes/${group.id}?org=${group.org}`],
    ["question before a retry of many", `/operations/new?task=retry&${of}`],
    ["operations", "/operations"],
    ["actions", "/actions"],
    ["errors, newest first", "/sync-errors"],
    ["errors, tenth page", `/sync-errors?state=pending&cursor=${encodeURIComponent(deep.next_cursor)}`],
    ["errors of one organization", `/sync-errors?org=${error.org}&state=pending`],
    ["errors by two filters", `/sync-errors?class=record&team=${error.team}&state=pending`],
    ["errors by words", "/sync-errors?q=cedar"],
    ["errors of a customer", `/sync-errors?q=${encodeURIComponent(error.person?.name ?? "customer")}`],
    ["one error", `/sync-errors/${error.id}`],
    ["one conversation", `/conversations/${error.conversation}`],
    ["customers by a name", "/customers?q=amber"],
    ["settings of an organization", `/orgs/${error.org}/settings`],
    ["policies", "/policies"],
    ["a message's audit", `/messages/${error.message}`],
  ];
}

async function main() {
  const { url, token } = JSON.parse(fs.readFileSync(0, "utf8"));
  const ask = async (address) => (await fetch(url + address, { headers: { authorization: `Bearer ${token}` } })).json();
  const browser = await open(process.env.CHROMIUM);
  const context = await browser.newContext({ baseURL: url });
  const page = await context.newPage();
  await page.goto("/login");
  await page.getByLabel("Token", { exact: true }).fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL((there) => there.pathname !== "/login");
  const cookie = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
  console.log(`${"page".padEnd(32)}   p50 ms   p99 ms  paint ms       KB`);
  for (const [name, address] of await pages(ask)) {
    const times = [];
    for (let request = 0; request < REQUESTS; request += 1) {
      const began = performance.now();
      const answer = await fetch(url + address, { headers: { cookie } });
      await answer.arrayBuffer();
      times.push(performance.now() - began);
      if (!answer.ok) throw new Error(`${address} was answered with ${answer.status}`);
    }
    times.sort((one, other) => one - other);
    const paints = [];
    let bytes = 0;
    for (let load = 0; load < LOADS; load += 1) {
      const response = await page.goto(address, { waitUntil: "load" });
      bytes = (await response.request().sizes()).responseBodySize;
      const painted = () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime;
      paints.push(await (await page.waitForFunction(painted)).jsonValue());
    }
    paints.sort((one, other) => one - other);
    console.log(`${name.padEnd(32)}${ms(at(times, 0.5))}${ms(at(times, 0.99))}${ms(at(paints, 0.5)).padStart(10)}${ms(bytes / 1000)}`);
  }
  await browser.close();
}

main().catch((error) => { console.error(error); process.exit(1); });
