// The cases that the examples in all languages are tried with.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";
import { Rules } from "./rules.js";

const cases = new URL("../cases/", import.meta.url);

for (const file of readdirSync(cases)) {
  const { settings, conversation, expected } = JSON.parse(readFileSync(new URL(file, cases), "utf8"));
  test(file, () => {
    assert.deepEqual(Rules.problems(settings), []);
    const routed = new Rules(settings).route({ tags: [], ...conversation });
    assert.deepEqual(routed ? { queue: routed.queue } : { refused: "NO_RULE_MATCHES" }, expected);
  });
}

test("settings that make no sense are problems", () => {
  const paths = (settings) => Rules.problems(settings).map(({ path }) => path);
  assert.deepEqual(paths({}), ["settings"]);
  assert.deepEqual(paths({ defualt: "General" }), ["settings.defualt"]);
  assert.deepEqual(paths({ keywords: { card: "" } }), ["settings.keywords.card"]);
  assert.deepEqual(paths({ vip: { queue: " " } }), ["settings.vip.queue", "settings.vip.words"]);
});
