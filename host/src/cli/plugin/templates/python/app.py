"""NAME: routes conversations by their team. Start here, and make it yours."""

import json

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import log
from wit_world.imports.types import (
    Conversation,
    Destination,
    Destination_Queue,
    Destination_TrackOnly,
    Problem,
    Refusal,
)

# Filled by `configure`, once; every decision then starts from a fresh copy of what it left.
queues: dict[str, str] = {}


class Lifecycle(exports.Lifecycle):
    def configure(self, settings: str) -> None:
        """Raises a list of problems where the settings are not accepted."""
        given = json.loads(settings)["settings"].get("queues")
        if not isinstance(given, dict):
            message = "a table of teams and their queues is needed"
            raise Err([Problem(path="queues", line=None, column=None, message=message)])
        queues.clear()
        queues.update(given)


class Routing(exports.Routing):
    def route(self, of: Conversation) -> Destination:
        if of.team is None:
            log.explain("nobody's conversation is only written")
            return Destination_TrackOnly()
        queue = queues.get(of.team)
        if queue is None:
            message = f'No queue is mapped to team "{of.team}". Add it to settings.queues.'
            raise Err(Refusal(code="TEAM_NOT_MAPPED", message=message))
        log.explain(f"the queue of team {of.team}")
        return Destination_Queue(queue)
