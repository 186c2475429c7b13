"""The rounds: in each the host starts, is under load and in trouble, and is killed at the moment that the seed drew."""

import collections
import pathlib
import random
import tempfile
import time

import judge
from processes import ORGS, RULE, Host, Lost, Simulator
from traffic import Model, Operator, Sender

# Name, organization and way of those who write messages.
SENDERS = [("1", "acme", False), ("2", "acme", False), ("3", "beta", False), ("i", "beta", True)]
# How Salesforce fails while it does. A call that hangs is given up by the host after its time-out of a second.
OUTAGES = {
    "hangs": {"latency_ms": 3_600_000},
    "answers 503": {"status": 503, "json": [{"errorCode": "SERVER_UNAVAILABLE", "message": "Server unavailable"}]},
    "does it and cuts the connection": {"method": "PATCH", "drop": "after"},
    "makes a contact and cuts the connection": {"method": "POST", "path": "sobjects/Contact", "drop": "after"},
    "makes a contact and says so late": {"method": "POST", "path": "sobjects/Contact", "late_ms": 600},
}
# Lines that are printed of each kind of what is wrong.
SHOWN = 10
# Share of the rounds in which it is killed while it starts, and how long the others last, in seconds.
WHILE_STARTING = 0.2
LASTS = (0.3, 1.8)


class Run:
    """All rounds of one seed, and what became of them."""

    def __init__(self, host, simulator, options):
        self.count, self.seed = options.rounds, options.seed
        self.temporary = None if options.keep else tempfile.TemporaryDirectory(prefix="switchyard-kill-")
        folder = pathlib.Path(options.keep or self.temporary.name)
        folder.mkdir(exist_ok=True)
        self.simulator = Simulator(simulator)
        self.host = Host(host, folder, self.simulator.url)
        self.model = Model()
        self.conversations = {label: [] for label, _, _ in SENDERS}
        self.outage = dict.fromkeys(ORGS)
        self.ruled = dict.fromkeys(ORGS, True)
        self.while_starting = 0
        # What is wrong, by its kind.
        self.found = collections.defaultdict(list)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.host.stop()
        self.simulator.stop()
        if self.temporary:
            self.temporary.cleanup()

    def rounds(self):
        for number in range(1, self.count + 1):
            try:
                print(f"round {number}/{self.count}: {self.round(number)}", flush=True)
            except Lost as lost:
                self.found["the host broke off"].append(f"round {number}: {lost}")
                print(f"round {number}/{self.count}: {lost}", flush=True)
                return

    def round(self, number):
        """Carries out what the seed drew for this round, and says it in a line."""
        drawn = random.Random(f"{self.seed}:{number}")
        starting = drawn.random() < WHILE_STARTING
        moment = drawn.uniform(0.0, 0.6) if starting else drawn.uniform(*LASTS)
        steps = [] if starting else sorted(self.troubles(drawn, moment), key=lambda step: step[0])
        before = self.model.acknowledged, self.model.commanded
        self.host.start()
        workers = self.workers(number)
        for worker in workers:
            worker.start()
        try:
            took = None if starting else self.host.wait()
            told = self.wait_until(moment, steps)
        finally:
            self.host.kill()
            for worker in workers:
                worker.ending.set()
            for worker in workers:
                worker.join()
        for worker in workers:
            if worker.fault:
                raise Lost(f"{type(worker).__name__}: {worker.fault}")
        self.while_starting += starting
        after = "its start began" if starting else f"a start of {took:.2f} s"
        messages, commands = self.model.acknowledged - before[0], self.model.commanded - before[1]
        return f"killed {moment:.2f} s after {after}; {messages} messages and {commands} commands acknowledged{told}"

    def workers(self, number):
        seed = f"{self.seed}:{number}"
        senders = [
            Sender(self.host, self.model, f"{seed}:{label}", label, org, intake, self.conversations[label])
            for label, org, intake in SENDERS
        ]
        return senders + [Operator(self.host, self.model, f"{seed}:{org}", org) for org in ORGS]

    def troubles(self, drawn, moment):
        """When is done what, in seconds from the time when it answers."""
        for org in ORGS:
            for _ in range(drawn.choice([0, 1, 1, 2])):
                yield drawn.uniform(0, moment), self.outage_switch(org, drawn.choice(list(OUTAGES)))
            if drawn.random() < 0.2:
                yield drawn.uniform(0, moment), self.rule_switch(org)
            if drawn.random() < 0.2:
                yield drawn.uniform(0, moment), self.expire(org)

    def wait_until(self, moment, steps):
        began, told = time.monotonic(), ""
        for at, do in [*steps, (moment, lambda: "")]:
            time.sleep(max(0, at - (time.monotonic() - began)))
            told += do()
        return told

    def outage_switch(self, org, kind):
        def switch():
            if self.outage[org]:
                return self.end_outage(org)
            self.outage[org] = kind
            self.simulator.control("POST", f"orgs/{org}/faults", OUTAGES[kind])
            return f"; {org} {kind}"
        return switch

    def end_outage(self, org):
        self.outage[org] = None
        self.simulator.control("DELETE", f"orgs/{org}/faults")
        return f"; {org} is well"

    def rule_switch(self, org):
        def switch():
            self.rule(org, not self.ruled[org])
            return f"; {org}'s rule is {'there' if self.ruled[org] else 'gone'}"
        return switch

    def rule(self, org, there):
        self.ruled[org] = there
        self.simulator.control("PATCH", f"orgs/{org}", {"validation_rules": [RULE] if there else []})

    def expire(self, org):
        def expire():
            self.simulator.control("POST", f"orgs/{org}/expire-sessions")
            return f"; {org}'s session ends"
        return expire

    def judge(self):
        """Lets all drain, compares, and prints what was found; the exit status."""
        if not self.found:
            try:
                for org in ORGS:
                    self.end_outage(org)
                    self.rule(org, True)
                judge.judge(self)
            except Lost as lost:
                self.found["the end was not reached"].append(str(lost))
        model = self.model
        print(
            f"{self.count} rounds with seed {self.seed}, in {self.while_starting} it was killed while it started; "
            f"acknowledged: {model.acknowledged} messages of {len(model.conversations)} conversations, "
            f"{model.commanded} commands"
        )
        for kind, lines in self.found.items():
            print(f"WRONG {kind}: {len(lines)}")
            for line in lines[:SHOWN]:
                print(f"      {line}")
        print("FAILED" if self.found else "nothing is lost, and nothing is there twice")
        return 1 if self.found else 0
