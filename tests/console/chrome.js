// Chromium as the distribution has it, and contexts in which somebody has signed in.
"use strict";

const { chromium } = require("playwright-core");
const { watch } = require("./faults.js");
const { secret } = require("./world.js");

const ARGS = [
  "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
];
// Longer than any page takes on a busy machine.
const MILLISECONDS = 30_000;
const DESK = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

// A browser with a profile of its own that is gone with it.
async function open(executablePath) {
  const asRoot = process.getuid?.() === 0;
  return chromium.launch({ executablePath, headless: true, chromiumSandbox: !asRoot, args: ARGS });
}

// A context that is closed after the test `t`, which fails where something went wrong within a page and is not `expected`.
async function fresh(t, browser, { expected, ...options }) {
  const context = await browser.newContext({ viewport: DESK, locale: "en-GB", timezoneId: "Europe/Paris", ...options });
  context.setDefaultTimeout(MILLISECONDS);
  const nothing = await watch(context, expected);
  t.after(async () => {
    await context.close();
    nothing();
  });
  return context;
}

// A page of somebody who has signed in by the form.
async function signedIn(t, browser, world, name, options = {}) {
  const page = await (await fresh(t, browser, { baseURL: world.url, ...options })).newPage();
  await page.goto("/login");
  await signIn(page, name);
  return page;
}

async function signIn(page, name) {
  await page.getByLabel("Token", { exact: true }).fill(secret(name));
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL((url) => url.pathname !== "/login");
}

module.exports = { open, fresh, signedIn, signIn, DESK, PHONE };
