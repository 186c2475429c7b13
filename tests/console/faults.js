// What goes wrong within a page without anybody seeing it: exceptions of scripts, errors in the console, and what the content security
// policy forbids.
"use strict";

const assert = require("node:assert");

// Watches all pages of a context from now on; answers a function that fails with what was found. What `expected` matches has to happen.
async function watch(context, expected) {
  const found = [];
  const take = (text) => {
    if (!expected?.test(text)) found.push(text);
  };
  context.on("weberror", (it) => take(`a script threw: ${it.error().stack}`));
  context.on("console", (it) => {
    if (it.type() === "error") take(`the console says: ${it.text()} (${it.location().url})`);
  });
  await context.addInitScript(() => {
    const tell = (it) => console.error(`the content security policy forbids ${it.effectiveDirective}: ${it.blockedURI} ${it.sample}`);
    document.addEventListener("securitypolicyviolation", tell);
  });
  return () => assert.ok(found.length === 0, [...new Set(found)].join("\n"));
}

module.exports = { watch };
