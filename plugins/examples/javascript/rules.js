// The rules, without anything of the host: who asks, what is asked for, then the team.

export class Rules {
  constructor({ vip, keywords = {}, teams = {}, default: otherwise }) {
    Object.assign(this, { vip, keywords, teams, otherwise });
  }

  /** What is wrong with settings, as the host shows it; an empty list where nothing is. */
  static problems(settings) {
    const problems = [];
    const add = (path, message) => problems.push({ path, message });
    for (const key of Object.keys(settings)) {
      if (!["vip", "keywords", "teams", "default"].includes(key)) add(`settings.${key}`, "there is no such setting");
    }
    const isName = (value) => typeof value === "string" && value.trim() !== "";
    for (const table of ["keywords", "teams"]) {
      for (const [key, queue] of Object.entries(settings[table] ?? {})) {
        if (!isName(key)) add(`settings.${table}.${key}`, "the word is empty");
        if (!isName(queue)) add(`settings.${table}.${key}`, "the queue is empty");
      }
    }
    const { vip } = settings;
    if (vip && !isName(vip.queue)) add("settings.vip.queue", "the queue is empty");
    if (vip && !Array.isArray(vip.words)) add("settings.vip.words", "a list of words is needed");
    if ("default" in settings && !isName(settings.default)) add("settings.default", "the queue is empty");
    if (Object.keys(settings).length === 0) add("settings", "there is no rule: give vip, keywords, teams or default");
    return problems;
  }

  /** `{ queue, why }`, or nothing where no rule matches. */
  route({ tags, messages, team }) {
    const tag = this.vip && tags.find((tag) => firstWord(tag, this.vip.words) !== undefined);
    if (tag !== undefined) return { queue: this.vip.queue, why: `VIP by the tag "${tag}"` };
    const newest = messages.findLast((message) => message.direction === "inbound");
    const word = newest && firstWord(newest.body, Object.keys(this.keywords));
    if (word !== undefined) return { queue: this.keywords[word], why: `the newest message says "${word}"` };
    const queue = team && lookup(this.teams, team);
    if (queue) return { queue, why: `no keyword; team "${team}"` };
    return this.otherwise && { queue: this.otherwise, why: "no keyword and no team of the settings" };
  }
}

/** The key as it is; else the one that differs in case and blanks around it only. */
function lookup(table, key) {
  if (Object.hasOwn(table, key)) return table[key];
  const plain = (name) => name.trim().toLowerCase();
  return Object.entries(table).find(([name]) => plain(name) === plain(key))?.[1];
}

/** The word that stands first in the text; of two in one place, the longer. */
function firstWord(text, words) {
  const found = words
    .map((word) => ({ word, at: position(text.toLowerCase(), word.trim().toLowerCase()) }))
    .filter(({ at }) => at !== undefined)
    .sort((one, other) => one.at - other.at || other.word.length - one.word.length);
  return found[0]?.word;
}

/** Where the word first stands as a whole word. */
function position(text, word) {
  for (let at = text.indexOf(word); word && at >= 0; at = text.indexOf(word, at + 1)) {
    // Characters, not halves of them.
    const before = Array.from(text.slice(0, at)).at(-1);
    const [after] = text.slice(at + word.length);
    const letters = Array.from(word);
    if (!joined(before, letters[0]) && !joined(letters.at(-1), after)) return at;
  }
}

// The engine inside a component is built without Unicode's tables, so \p{L} is not there: a letter has two cases, is a
// digit, or is of a script that has no cases (Hebrew, Arabic, those of India, Ethiopic, Korean).
const caseless = /[0-9\u05D0-\u05EA\u0620-\u0669\u066E-\u06D3\u0904-\u0DFF\u1100-\u11FF\u1200-\u137F\uAC00-\uD7A3]/;
const inWord = (c) => c.toLowerCase() !== c.toUpperCase() || caseless.test(c);
// Thai, Lao, Burmese, Khmer, Chinese and Japanese put no spaces between words.
const spaceless = /[\u0E00-\u0EFF\u1000-\u109F\u1780-\u17FF\u2E80-\u9FFF\uF900-\uFAFF\uFF66-\uFF9D\u{20000}-\u{3FFFF}]/u;

/** True when two neighbouring characters belong to one word. */
function joined(left, right) {
  return [left, right].every((c) => c !== undefined && inWord(c) && !spaceless.test(c));
}
