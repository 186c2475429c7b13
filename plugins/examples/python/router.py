"""The plugin: what the host calls, and what it is answered."""

import json

from componentize_py_types import Err
from wit_world.imports import log
from wit_world.imports.types import Destination_Queue, Direction, Problem, Refusal

from rules import Rules, problems

rules = None


class Lifecycle:
    def configure(self, settings):
        global rules
        given = json.loads(settings)
        found = problems(given.get("settings", {}))
        if "script" in given:
            found.append(("script", "this plugin runs no script"))
        if found:
            raise Err([Problem(path, None, None, message) for path, message in found])
        rules = Rules(given.get("settings", {}))


class Routing:
    def route(self, of):
        inbound = [message.body for message in of.messages if message.direction == Direction.INBOUND]
        routed = rules.route(of.tags, inbound[-1] if inbound else "", of.team)
        if routed is None:
            raise Err(
                Refusal(
                    "NO_RULE_MATCHES",
                    f'no rule matches: team "{of.team or ""}" is not in settings.teams, and there is no settings.default',
                )
            )
        queue, why = routed
        log.explain(why)
        return Destination_Queue(queue)
