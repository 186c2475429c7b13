"""A host with sync errors, for clients that are made from its document: the simulator, `serve`, and some conversations that fail."""

import json
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "kill"))
from processes import TOKEN, Host, Simulator, call  # noqa: E402

# Conversations of a team that no queue is mapped to: so many sync errors, of one cause.
ERRORS = 6
SCOPES = ["read", "errors", "policies", "intake", "connect", "backup"]
# The queue of the errors is filled by then.
SECONDS = 60


class Everything(Host):
    """Its token may do everything."""

    def config(self, salesforce):
        return super().config(salesforce).replace("['read', 'errors', 'intake']", str(SCOPES))


def conversation(number, team):
    return {
        "id": f"c{number}", "account": "web", "channel": "chat", "team": team,
        "customer": {"name": f"Customer {number}", "email": f"customer{number}@example.com"},
        "messages": [{"id": f"m{number}", "body": "hello", "sent_at": "2026-01-05T10:00:00Z"}],
    }


def main(switchyard, simulator):
    """Prints address and token as a line of JSON when everything stands, and ends when its input does."""
    switchyard, simulator = (str(pathlib.Path(binary).resolve()) for binary in (switchyard, simulator))
    salesforce = Simulator(simulator)
    folder = tempfile.TemporaryDirectory(prefix="switchyard-api-")
    host = Everything(switchyard, pathlib.Path(folder.name), salesforce.url)
    try:
        host.start()
        host.wait()
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        for number in range(ERRORS + 2):
            team = "nobody" if number < ERRORS else "care"
            status, answer = call(host.address, "POST", "/v1/intake/shop", conversation(number, team), bearer)
            if status != 202:
                raise SystemExit(f"a conversation was answered with {status}: {answer}")
        until = time.monotonic() + SECONDS
        while True:
            _, page = call(host.address, "GET", "/v1/sync-errors?state=pending", headers=bearer)
            if page["total"] == ERRORS:
                break
            if time.monotonic() > until:
                raise SystemExit(f"there are {page['total']} sync errors, and not {ERRORS}")
            time.sleep(0.05)
        print(json.dumps({"url": f"http://{host.address}", "token": TOKEN}), flush=True)
        sys.stdin.read()
    finally:
        host.stop()
        salesforce.stop()
        folder.cleanup()


if __name__ == "__main__":
    main(*sys.argv[1:])
