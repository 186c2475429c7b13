"""What happens to the host: notifications, intake and operators' commands, noted when they are acknowledged."""

import datetime
import hashlib
import hmac
import http.client
import json
import random
import threading
import time

from processes import ACCOUNTS, SECRET, TOKEN

NOTIFY = "/alcmeon/main/notify"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
EPOCH = datetime.datetime(2026, 1, 5)
# Seconds between two requests of one sender, and of one operator.
PACE = 0.004
OPERATORS_PACE = 0.03
# Among so many of the newest conversations of a sender the next message is written.
RECENT = 30


class Conversation:
    """One conversation and what is known of its messages; only its sender changes it."""

    def __init__(self, org, key, name, team):
        self.org, self.key, self.name, self.team = org, key, name, team
        # Numbers of messages: all that were sent, and the newest that was acknowledged.
        self.sent, self.acknowledged = [], 0


class Model:
    """What was acknowledged, by conversation and by sync error."""

    def __init__(self):
        self.lock = threading.Lock()
        self.number = 0
        self.conversations = {}
        # By sync error, in their order: (what, reason, whether it was acknowledged).
        self.commands = {}
        # Ids of operations that were acknowledged.
        self.operations = []
        # Conversations of which an erasure was asked for: the newest message that was acknowledged before, once the erasure was.
        self.erased = {}
        # By organization, in their order: (concurrency, whether it was acknowledged).
        self.settings = {}
        self.acknowledged = 0
        self.commanded = 0

    def next_number(self):
        with self.lock:
            self.number += 1
            return self.number

    def sent(self, conversation, number):
        with self.lock:
            conversation.sent.append(number)

    def took(self, conversation, number):
        with self.lock:
            conversation.acknowledged = max(conversation.acknowledged, number)
            self.acknowledged += 1

    def asked(self, error, what, reason, acknowledged):
        with self.lock:
            self.commands.setdefault(error, []).append((what, reason, acknowledged))
            self.commanded += acknowledged

    def erasing(self, key):
        """Nobody knows yet whether it is done; answers what has to be gone when it is."""
        with self.lock:
            self.erased.setdefault(key, None)
            return self.conversations[key].acknowledged

    def erases(self, key, until):
        with self.lock:
            self.erased[key] = max(until, self.erased[key] or 0)
            self.commanded += 1

    def set(self, org, concurrency, acknowledged):
        with self.lock:
            self.settings.setdefault(org, []).append((concurrency, acknowledged))
            self.commanded += acknowledged

    def begun(self, operation):
        with self.lock:
            self.operations.append(operation)
            self.commanded += 1


def moment(number):
    return EPOCH + datetime.timedelta(seconds=number)


def email(conversation):
    return f"{conversation.key.replace(':', '.')}@example.com"


class Worker(threading.Thread):
    """Makes requests over one kept connection until it is told to stop, or the host is gone."""

    def __init__(self, host, model, seed):
        super().__init__(daemon=True)
        self.host, self.model, self.random = host, model, random.Random(seed)
        self.ending = threading.Event()
        self.connection = None
        self.fault = None

    def run(self):
        try:
            while not self.ending.is_set():
                self.step()
        except OSError:
            pass  # an answer that did not come, as is to be expected of a host that is killed
        except Exception as error:
            self.fault = error

    def request(self, method, path, body, headers):
        """The status and the body. `OSError`: nobody knows whether it was done."""
        if self.connection is None:
            self.connection = self.connect()
            if self.connection is None:
                return None, None
        kind = {"Content-Type": "application/json"} if body else {}
        try:
            self.connection.request(method, path, body=body, headers={**kind, **headers})
            answer = self.connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise OSError(error) from error

    def connect(self):
        """A connection as soon as there is one: the host may still be starting."""
        host, port = self.host.address.split(":")
        while not self.ending.is_set():
            connection = http.client.HTTPConnection(host, int(port), timeout=10)
            try:
                connection.connect()
                return connection
            except OSError:
                self.ending.wait(0.005)
        return None


class Sender(Worker):
    """Writes messages in conversations of its own, for one organization, by notification or at the intake."""

    def __init__(self, host, model, seed, name, org, intake, conversations):
        super().__init__(host, model, seed)
        self.label, self.org, self.intake, self.conversations = name, org, intake, conversations

    def step(self):
        conversation = self.choose()
        again = conversation.sent and self.random.random() < 0.1
        number = conversation.sent[-1] if again else self.model.next_number()
        if not again:
            self.model.sent(conversation, number)
        if self.intake:
            body = json.dumps(handed_in(conversation)).encode()
            status, text = self.request("POST", "/v1/intake/shop", body, BEARER)
        else:
            body = json.dumps(notification(conversation, number)).encode()
            signed = hmac.new(SECRET.encode(), f"{NOTIFY} ".encode() + body, hashlib.sha256).hexdigest()
            status, text = self.request("POST", NOTIFY, body, {"x-alcmeon-webhook-signature": signed})
        if status in (200, 202):
            self.model.took(conversation, number)
        elif status not in (None, 503):
            raise AssertionError(f"a message was answered with {status}: {text}")
        self.ending.wait(PACE)

    def choose(self):
        if self.conversations and self.random.random() < 0.5:
            return self.random.choice(self.conversations[-RECENT:])
        number = len(self.conversations)
        key = f"shop:{self.label}-{number}" if self.intake else f"main:{self.label}{number:06}"
        drawn = self.random.random()
        name = f"Bad Egg {number}" if drawn < 0.15 else f"Jane {self.label} {number}"
        made = Conversation(self.org, key, name, "moon" if drawn > 0.85 else "care")
        self.conversations.append(made)
        with self.model.lock:
            self.model.conversations[key] = made
        return made


def notification(conversation, number):
    number_of_it = int(conversation.key.split(":")[1])
    date, clock = moment(number).date().isoformat(), moment(number).time().isoformat()
    author = {
        "id": number_of_it, "name": conversation.name,
        "group": {"id": number_of_it, "custom_fields": [{"field_id": 2, "field_value": email(conversation)}]},
    }
    task = {
        "id": number, "url": f"https://alcmeon.example/{number}", "conversation_id": number_of_it, "tags": [],
        "conversation": {"id": number_of_it, "custom_fields": [{"field_id": 1, "field_value": conversation.team}]},
        "message": {"id": number, "content": f"Message {number}", "date": date, "time": clock, "author": author},
    }
    account = {"id": ACCOUNTS[conversation.org], "name": "Page", "type": "whatsapp"}
    action = {"id": number, "type": "task-create", "date": date, "time": clock, "account": account, "task": task}
    return {"id": number, "action": action}


def handed_in(conversation):
    sent = conversation.sent
    messages = [
        {"id": str(number), "body": f"Message {number}", "sent_at": f"{moment(number).isoformat()}Z"}
        for number in sent[-20:]
    ]
    return {
        "id": conversation.key.split(":")[1], "account": "web", "channel": "chat", "team": conversation.team,
        "customer": {"name": conversation.name, "email": email(conversation)}, "sequence": sent[-1],
        "url": f"https://alcmeon.example/{sent[-1]}", "messages": messages,
    }


class Operator(Worker):
    """Retries, ignores with a reason and reopens sync errors of one organization; the only one who does."""

    def __init__(self, host, model, seed, org):
        super().__init__(host, model, seed)
        self.org = org

    def step(self):
        self.ending.wait(OPERATORS_PACE)
        chance = self.random.random()
        if chance < 0.02:
            return self.retry_all()
        if chance < 0.06:
            return self.operate()
        if chance < 0.08:
            return self.set()
        what = self.random.choices(["retry", "ignore", "reopen"], [4, 4, 2])[0]
        state = "ignored" if what == "reopen" else self.random.choice(["pending", "pending", "retrying"])
        found = self.list(state)
        if not found:
            return
        if chance < 0.1:
            return self.erase(self.random.choice(found)["conversation"])
        # Often the same few, so that one command meets the attempt that another one asked for.
        error = self.random.choice(found[:5] if self.random.random() < 0.5 else found)["id"]
        self.ask(error, what)
        if what == "retry" and self.random.random() < 0.5:
            self.ask(error, "ignore")

    def list(self, state):
        path = f"/v1/sync-errors?org={self.org}&state={state}&limit=40"
        status, text = self.request("GET", path, None, BEARER)
        return json.loads(text)["sync_errors"] if status == 200 else []

    def ask(self, error, what):
        reason = f"not worth it {self.model.next_number()}" if what == "ignore" else None
        body = json.dumps({"reason": reason}).encode() if reason else b""
        try:
            status, text = self.request("POST", f"/v1/sync-errors/{error}/{what}", body, BEARER)
        except OSError:
            self.model.asked(error, what, reason, False)
            raise
        if status in (200, 202):
            self.model.asked(error, what, reason, True)
        elif status == 503:
            self.model.asked(error, what, reason, False)
        elif status not in (None, 404, 409):
            raise AssertionError(f"{what} was answered with {status}: {text}")

    def set(self):
        """How many calls may be on their way at once. Nobody else changes the settings of this organization."""
        concurrency = self.random.randint(1, 9)
        path, body = f"/v1/orgs/{self.org}/settings", json.dumps({"concurrency": concurrency}).encode()
        try:
            status, text = self.request("PATCH", path, body, BEARER)
        except OSError:
            self.model.set(self.org, concurrency, False)
            raise
        if status in (200, 503):
            self.model.set(self.org, concurrency, status == 200)
        elif status is not None:
            raise AssertionError(f"settings were answered with {status}: {text}")

    def erase(self, key):
        """All that is kept of a conversation; it learns no message again, for all were sent before it."""
        until = self.model.erasing(key)
        status, text = self.request("POST", "/v1/erasures", json.dumps({"conversations": [key]}).encode(), BEARER)
        if status == 202:
            self.model.erases(key, until)
        elif status not in (None, 503):
            raise AssertionError(f"an erasure was answered with {status}: {text}")

    def retry_all(self):
        """It concerns nothing that is ignored, so no sync error has to be told of it."""
        self.request("POST", f"/v1/orgs/{self.org}/retry-all", b"", BEARER)

    def operate(self):
        """Something over many sync errors at once. What it ignores, a person had not: no sync error has to be told of it."""
        choice = self.random.random()
        if choice < 0.3 and self.model.operations:
            # An operation that does not ignore, or goes on, is refused.
            return self.begin(f"/v1/operations/{self.random.choice(self.model.operations)}/undo", {})
        found = self.list("pending")
        if not found:
            return
        query = {"org": self.org, "group": self.random.choice(found)["group"]}
        if choice < 0.6:
            return self.begin("/v1/operations", {"task": "retry", "query": query})
        reason = f"not worth it {self.model.next_number()}"
        self.begin("/v1/operations", {"task": "ignore", "reason": reason, "query": query})

    def begin(self, path, body):
        status, text = self.request("POST", path, json.dumps(body).encode(), BEARER)
        if status == 202:
            self.model.begun(json.loads(text)["id"])
        elif status not in (None, 404, 409, 422, 503):
            raise AssertionError(f"{path} was answered with {status}: {text}")
