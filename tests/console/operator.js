// Somebody at the console: what they do is counted, by the pointer or by keys alone.
"use strict";

const assert = require("node:assert");

// Tab is pressed so often before something counts as out of reach.
const MOST_TABS = 150;

class Operator {
  // `by` is "clicks" or "keys"; `script` whether JavaScript is on.
  constructor(page, by, script) {
    Object.assign(this, { page, by, script, actions: 0, began: performance.now() });
  }

  // A link or a button is pressed.
  async press(it) {
    if (this.by === "keys") {
      await this.reach(it);
      await this.key("Enter");
    } else {
      this.actions += 1;
      await it.click();
    }
  }

  // A text is typed, which counts as one action.
  async type(it, text) {
    await this.to(it);
    this.actions += 1;
    await this.page.keyboard.press("ControlOrMeta+a");
    await this.page.keyboard.type(text);
  }

  // One of a list is taken, by its words.
  async choose(it, words) {
    if (this.by === "keys") {
      await this.reach(it);
      this.actions += 1;
      await this.page.keyboard.type(words.slice(0, 12));
    } else {
      this.actions += 2;
      await it.selectOption({ label: words });
    }
    assert.equal(await it.evaluate((select) => select.selectedOptions[0].label), words);
  }

  async key(key) {
    this.actions += 1;
    await this.page.keyboard.press(key);
  }

  async to(it) {
    if (this.by === "keys") return this.reach(it);
    this.actions += 1;
    return it.click();
  }

  // By Tab, past the menu where the page offers that.
  async reach(it) {
    const there = () => it.evaluate((element) => element === document.activeElement);
    await it.waitFor();
    const fresh = () => document.activeElement === document.body;
    if ((await it.evaluate((element) => Boolean(element.closest("main")))) && (await this.page.evaluate(fresh))) {
      await this.key("Tab");
      await this.key("Enter");
    }
    for (let tabs = 0; !(await there()); tabs += 1) {
      if (tabs === MOST_TABS) throw new Error(`${await it.evaluate((element) => element.outerHTML.slice(0, 200))} is out of reach of Tab`);
      await this.key("Tab");
    }
  }

  told() {
    return `${this.actions} actions, ${((performance.now() - this.began) / 1000).toFixed(1)} s`;
  }
}

module.exports = { Operator };
