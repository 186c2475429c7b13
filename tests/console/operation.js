// An operation on its page, which moves by itself: what it came to is read there.
"use strict";

// Waits for its end; `figures` says how many of what.
async function ended(page, figures) {
  await page.waitForURL(/\/operations\/op-/);
  await page.locator("main").getByText("done", { exact: true }).waitFor();
  for (const [words, count] of Object.entries(figures)) {
    await page.getByRole("listitem").filter({ hasText: new RegExp(`^${count.toLocaleString("en-GB")}${words}$`) }).waitFor();
  }
}

module.exports = { ended };
