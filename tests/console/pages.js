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
    quarantined: (await world.api("GET", "quarantine")).quarantine[0],
    ambiguous: await error("org=gulf&class=contact"),
    script: await error("org=apac&code=SCRIPT_ERROR"),
    cause: (text) => groups.find((group) => group.title.includes(text)),
  };
}

const id = "[^/]+";
// name, form of the address, address
const PAGES = [
  ["home", "/", () => "/"],
  ["organizations", "/orgs", () => "/orgs"],
  ["causes", "/causes", () => "/causes"],
  ["causes-of-one", "/causes", () => "/causes?org=gulf"],
  ["cause", `/causes/${id}`, (on) => `/causes/${on.cause("store-events").id}?org=emea`],
  ["cause-contact", `/causes/${id}`, (on) => `/causes/${on.cause("which contact").id}?org=gulf`],
  ["question-retry", "/operations/new", (on) => `/operations/new?task=retry&org=emea&group=${on.cause("Test customers").id}`],
  ["question-ignore", "/operations/new", (on) => `/operations/new?task=ignore&org=emea&group=${on.cause("Test customers").id}`],
  ["question-resync", "/operations/new", () => "/operations/new?task=resync&org=emea"],
  ["operations", "/operations", () => "/operations"],
  ["operation", `/operations/${id}`, (on) => `/operations/${on.operation.id}`],
  ["errors", "/sync-errors", () => "/sync-errors"],
  ["errors-of-one", "/sync-errors", () => "/sync-errors?org=gulf&state=pending"],
  ["errors-found", "/sync-errors", () => "/sync-errors?q=Jane&state="],
  ["parked", "/parked", () => "/parked?org=gulf"],
  ["parked-of-all", "/parked", () => "/parked"],
  ["error", `/sync-errors/${id}`, (on) => `/sync-errors/${on.trigger.id}`],
  ["error-picklist", `/sync-errors/${id}`, (on) => `/sync-errors/${on.picklist.id}`],
  ["error-contact", `/sync-errors/${id}`, (on) => `/sync-errors/${on.ambiguous.id}`],
  ["error-script", `/sync-errors/${id}`, (on) => `/sync-errors/${on.script.id}`],
  ["choose", `/sync-errors/${id}/choose`, (on) => `/sync-errors/${on.ambiguous.id}/choose`],
  ["conversation", `/conversations/${id}`, (on) => `/conversations/${on.trigger.conversation}`],
  ["message", `/messages/${id}`, (on) => `/messages/${on.trigger.affected[0]}`],
  ["checks", `/orgs/${id}/checks`, () => "/orgs/gulf/checks"],
  ["settings", `/orgs/${id}/settings`, () => "/orgs/gulf/settings"],
  ["settings-long-name", `/orgs/${id}/settings`, () => "/orgs/emea/settings"],
  ["mails", "/mails", () => "/mails"],
  ["policies", "/policies", () => "/policies"],
  ["policy", `/policies/${id}`, () => "/policies/apac"],
  ["policy-new", "/policies/new", () => "/policies/new"],
  ["edit", `/policies/${id}/edit`, () => "/policies/apac/edit"],
  ["revision", `/policies/${id}/revisions/${id}`, () => "/policies/apac/revisions/1"],
  ["coverage", `/policies/${id}/coverage`, () => "/policies/emea/coverage"],
  ["ask", `/policies/${id}/ask`, (on) => `/policies/apac/ask?sync_error=${on.script.id}`],
  ["mend", `/policies/${id}/mend`, (on) => `/policies/emea/mend?org=emea&group=${on.cause("store-events").id}`],
  ["mend-change", `/policies/${id}/mend`, (on) => `/policies/emea/mend?org=emea&group=${on.cause("store-events").id}&queue=Orders`],
  ["mended", `/policies/${id}/mended`, (on) => `/policies/emea/mended?org=emea&group=${on.cause("store-events").id}`],
  ["policy-delete", `/policies/${id}/delete`, () => "/policies/apac/delete"],
  ["plugins", "/plugins", () => "/plugins"],
  ["plugin-delete", `/plugins/${id}/delete`, () => "/plugins/own/delete"],
  ["quarantine", "/quarantine", () => "/quarantine"],
  ["customers", "/customers", () => "/customers"],
  ["customers-found", "/customers", () => "/customers?q=jane"],
  ["erase", "/customers/erase", (on) => `/customers/erase?id=${on.trigger.conversation}`],
  ["erased", "/customers/erased", (on) => `/customers/erased?id=${on.trigger.conversation}`],
  ["actions", "/actions", () => "/actions"],
  ["tokens", "/tokens", () => "/tokens"],
  ["quarantined", `/quarantine/${id}`, (on) => `/quarantine/${on.quarantined.id}`],
  ["docs", "/docs", () => "/docs"],
  ["problem", `/problems/${id}`, () => "/problems/not-found"],
  ["nothing-here", "/nothing/is/here", () => "/nothing/is/here"],
  ["sign-in", "/login", () => "/login", { signedOut: true }],
];

// What links lead to beside these: files and redirects.
const NO_PAGES = [`/sync-errors/${id}/repro`, `/causes/${id}/choose`, "/v1/.*"];

module.exports = { facts, PAGES, NO_PAGES };
