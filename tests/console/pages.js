// Every page of the console: its name, the form of its address, and one that is there on Monday.
"use strict";

const { until } = require("./world.js");

// A retry of what nobody has mended: three are tried, fail by the same cause, and the rest is left.
async function failsAgain(world) {
  const { id } = await world.api("POST", "operations", { task: "retry", query: { org: "apac", code: "QUEUE_NOT_FOUND" } });
  return until(60, async () => {
    const operation = await world.api("GET", `operations/${id}`);
    return operation.ended_at ? operation : undefined;
  }, () => `operation ${id} does not end`);
}

// What is on Monday, by which addresses are made.
async function facts(world) {
  const error = async (query) => (await world.api("GET", `sync-errors?${query}&limit=1`)).sync_errors[0];
  const groups = (await world.api("GET", "groups?limit=50")).groups;
  const operation = await failsAgain(world);
  const trigger = await error("org=apac&code=CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY");
  const picklist = await error("org=emea&channel=tiktok");
  return {
    trigger, picklist,
    operation,
    ambiguous: await error("org=gulf&class=contact"),
    script: await error("org=apac&code=SCRIPT_ERROR"),
    group: (text) => groups.find((group) => group.title.includes(text)),
  };
}

const id = "[^/]+";
// name, form of the address, address
const PAGES = [
  ["home", "/", () => "/"],
  ["errors", "/sync-errors", () => "/sync-errors"],
  ["errors-of-one", "/sync-errors", () => "/sync-errors?org=gulf&state=pending"],
  ["errors-found", "/sync-errors", () => "/sync-errors?q=Jane&state="],
  ["error", `/sync-errors/${id}`, (on) => `/sync-errors/${on.trigger.id}`],
  ["error-picklist", `/sync-errors/${id}`, (on) => `/sync-errors/${on.picklist.id}`],
  ["error-contact", `/sync-errors/${id}`, (on) => `/sync-errors/${on.ambiguous.id}`],
  ["error-script", `/sync-errors/${id}`, (on) => `/sync-errors/${on.script.id}`],
  ["conversation", `/conversations/${id}`, (on) => `/conversations/${on.trigger.conversation}`],
  ["message", `/messages/${id}`, (on) => `/messages/${on.trigger.affected[0]}`],
  ["checks", `/orgs/${id}/checks`, () => "/orgs/gulf/checks"],
  ["policies", "/policies", () => "/policies"],
  ["quarantine", "/quarantine", () => "/quarantine"],
  ["docs", "/docs", () => "/docs"],
  ["problem", `/problems/${id}`, () => "/problems/not-found"],
  ["nothing-here", "/nothing/is/here", () => "/nothing/is/here"],
  ["sign-in", "/login", () => "/login", { signedOut: true }],
];

// What links lead to beside pages: files, and the console's own parts.
const NO_PAGES = [`/sync-errors/${id}/repro`, "/v1/.*"];

module.exports = { facts, PAGES, NO_PAGES };
