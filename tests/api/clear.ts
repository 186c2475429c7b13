// Clears sync errors with a client whose types were generated from docs/openapi.json: what the API's readers do first.

import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./openapi";

type SyncError = components["schemas"]["SyncError"];
type Client = ReturnType<typeof createClient<paths>>;

const PAGE = 2;

/** What an answer has, where it is none of a problem. */
function found<T>({ data, error }: { data?: T; error?: unknown }): NonNullable<T> {
  assert.ok(data, JSON.stringify(error));
  return data as NonNullable<T>;
}

/** All pending ones of an organization, page by page. */
async function pending(client: Client, org: string): Promise<SyncError[]> {
  const all: SyncError[] = [];
  let cursor: string | undefined;
  do {
    const query = { org: [org], state: ["pending" as const], limit: PAGE, cursor };
    const page = found(await client.GET("/v1/sync-errors", { params: { query } }));
    all.push(...page.sync_errors);
    cursor = page.next_cursor;
  } while (cursor);
  return all;
}

async function main(baseUrl: string, token: string): Promise<void> {
  const client = createClient<paths>({
    baseUrl,
    headers: { Authorization: `Bearer ${token}` },
    querySerializer: { array: { style: "form", explode: false } },
  });
  const { orgs } = found(await client.GET("/v1/orgs"));
  const org = orgs.find((org) => org.sync_errors.pending > 0);
  assert.ok(org);
  const errors = await pending(client, org.id);
  assert.equal(errors.length, org.sync_errors.pending);
  const params = { path: { id: errors[0].id } };
  const body = { reason: "a test account" };
  const ignored = found(await client.POST("/v1/sync-errors/{id}/ignore", { params, body }));
  assert.equal(ignored.state, "ignored");
  const { error } = await client.POST("/v1/sync-errors/{id}/retry", { params });
  assert.deepEqual([error?.type, error?.state], ["/problems/state", "ignored"]);
  found(await client.POST("/v1/sync-errors/{id}/reopen", { params }));
  const request = { task: "ignore", query: { org: org.id }, reason: "test accounts", dry_run: false };
  const begun = found(await client.POST("/v1/operations", { body: request }));
  assert.ok("status" in begun && begun.matched === errors.length, JSON.stringify(begun));
  const again = { params: { path: { org: org.id } } };
  found(await client.POST("/v1/orgs/{org}/retry-all", again));
  console.log(`the generated TypeScript client saw ${errors.length} sync errors, and ignored, reopened and retried them`);
}

const [url, token] = process.argv.slice(2);
main(url, token);
