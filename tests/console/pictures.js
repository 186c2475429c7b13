// Pictures of the pages for docs/console.md: `PICTURES=1 ./run` makes them anew.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { DESK, PHONE } = require("./chrome.js");
const { PAGES } = require("./pages.js");

const FOLDER = path.join(__dirname, "../../docs/console");
// They are kept in the repository.
const MOST_BYTES = 60_000;
// Widest first: what is too large is kept less exactly.
const QUALITIES = [75, 60, 45, 30, 15];

// Each page on a desk and on a phone; those that say so in the dark as well.
async function all(tab, addresses) {
  fs.rmSync(FOLDER, { recursive: true, force: true });
  fs.mkdirSync(FOLDER, { recursive: true });
  const session = await tab.context().newCDPSession(tab);
  const dark = new Set(PAGES.filter(([, , , more]) => more?.dark).map(([name]) => name));
  for (const [name, address] of addresses) {
    await tab.goto(address);
    await one(tab, session, `${name}.webp`, DESK, "light");
    if (dark.has(name)) await one(tab, session, `${name}-dark.webp`, DESK, "dark");
    await one(tab, session, `${name}-phone.webp`, PHONE, "light");
  }
}

async function one(tab, session, file, size, colorScheme) {
  await tab.setViewportSize(size);
  await tab.emulateMedia({ colorScheme, reducedMotion: "reduce" });
  for (const quality of QUALITIES) {
    const { data } = await session.send("Page.captureScreenshot", { format: "webp", quality });
    const picture = Buffer.from(data, "base64");
    if (picture.length <= MOST_BYTES) {
      fs.writeFileSync(path.join(FOLDER, file), picture);
      return;
    }
  }
  throw new Error(`${file} is larger than ${MOST_BYTES} bytes however it is kept`);
}

module.exports = { all };
