// NAME: routes conversations by their team. Start here, and make it yours.

import { explain } from "switchyard:policy/log@0.2.0";

// Filled by `configure`, once; every decision then starts from a fresh copy of what it left.
let queues = {};

export const lifecycle = {
  // Throws a list of problems where the settings are not accepted.
  configure(text) {
    const { settings } = JSON.parse(text);
    if (typeof settings.queues !== "object") {
      throw [{ path: "queues", message: "a table of teams and their queues is needed" }];
    }
    queues = settings.queues;
  },
};

export const routing = {
  route(conversation) {
    const { team } = conversation;
    if (team === undefined) {
      explain("nobody's conversation is only written");
      return { tag: "track-only" };
    }
    const queue = queues[team];
    if (queue === undefined) {
      throw { code: "TEAM_NOT_MAPPED", message: `No queue is mapped to team "${team}". Add it to settings.queues.` };
    }
    explain(`the queue of team ${team}`);
    return { tag: "queue", val: queue };
  },
};
