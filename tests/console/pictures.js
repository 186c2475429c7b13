// Pictures of the pages for docs/console.md: `PICTURES=1 ./run` makes them anew.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { DESK, PHONE } = require("./chrome.js");

const FOLDER = path.join(__dirname, "../../docs/console");
// They are kept in the repository.
const MOST_BYTES = 60_000;
// Widest first: what is too large is kept less exactly.
const QUALITIES = [75, 60, 45, 30, 15];

// Those that the document shows: NAME of a page on a desk, NAME-phone on a phone, NAME-dark in the dark.
async function all(tab, addresses) {
  const shown = [...fs.readFileSync(`${FOLDER}.md`, "utf8").matchAll(/\(console\/(\S+)\.webp\)/g)].map(([, name]) => name);
  fs.rmSync(FOLDER, { recursive: true, force: true });
  fs.mkdirSync(FOLDER, { recursive: true });
  const session = await tab.context().newCDPSession(tab);
  const named = new Map(addresses);
  for (const picture of shown) {
    const [, name, how] = picture.match(/^(.+?)(?:-(phone|dark))?$/);
    if (!named.has(name)) throw new Error(`docs/console.md shows ${picture}, and no page is called ${name}`);
    await tab.goto(named.get(name));
    await one(tab, session, `${picture}.webp`, how === "phone" ? PHONE : DESK, how === "dark" ? "dark" : "light");
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
