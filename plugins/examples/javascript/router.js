// The plugin: what the host calls, and what it is answered.
import { explain } from "switchyard:policy/log@0.2.0";
import { Rules } from "./rules.js";

let rules;

export const lifecycle = {
  configure(text) {
    const { settings = {}, script } = JSON.parse(text);
    const problems = Rules.problems(settings);
    if (script !== undefined) problems.push({ path: "script", message: "this plugin runs no script" });
    // What is thrown is the error of the answer.
    if (problems.length > 0) throw problems;
    rules = new Rules(settings);
  },
};

export const routing = {
  route(conversation) {
    const routed = rules.route(conversation);
    if (!routed) {
      throw {
        code: "NO_RULE_MATCHES",
        message: `no rule matches: team "${conversation.team ?? ""}" is not in settings.teams, and there is no settings.default`,
      };
    }
    explain(routed.why);
    return { tag: "queue", val: routed.queue };
  },
};
