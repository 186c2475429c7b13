"""The two processes: the simulator, which lives through all rounds, and the host, which is killed in each of them."""

import http.client
import json
import os
import signal
import socket
import subprocess
import time
import urllib.parse

SECRET = "1309768d3f6f8462"
TOKEN = "a-long-enough-secret"
ORGS = ("acme", "beta")
# The accounts of the Alcmeon environment that lead to each organization.
ACCOUNTS = {"acme": 12, "beta": 13}
# A host that does not answer by then has failed to start.
START_SECONDS = 60
STOP_SECONDS = 60

POLICY = """fn route(conversation) {
    if conversation.team == "care" { return queue("Finance"); }
    refuse("TEAM_NOT_MAPPED", `No queue is mapped to team ${conversation.team}`)
}
fn search(conversation) { [search_by("Email", conversation.customer.email)] }
fn choose(conversation, found) {
    switch found.len() {
        0 => create(#{ LastName: conversation.customer.name, Email: conversation.customer.email }),
        1 => contact(found[0].id),
        _ => ambiguous(found.map(|it| it.id)),
    }
}
fn judge(error) { as_usual() }
"""
RULE = {
    "object": "alcmeon__Conversation__c", "field": "alcmeon__User_name__c", "contains": "bad egg",
    "message": "No bad eggs",
}


class Lost(Exception):
    """What was found to be wrong."""


def call(address, method, path, body=None, headers=None, timeout=10):
    """One request on a connection of its own: the status, and the answer as JSON where it is JSON."""
    connection = http.client.HTTPConnection(address, timeout=timeout)
    try:
        sent = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        kind = {"Content-Type": "application/json"} if sent else {}
        connection.request(method, path, body=sent, headers={**kind, **(headers or {})})
        answer = connection.getresponse()
        text = answer.read()
    finally:
        connection.close()
    try:
        return answer.status, json.loads(text)
    except ValueError:
        return answer.status, text.decode(errors="replace")


class Simulator:
    """Salesforce with two organizations; acme's Cases are written by the host, beta's by a trigger."""

    def __init__(self, binary):
        self.process = subprocess.Popen([binary], stdout=subprocess.PIPE)
        addresses = json.loads(self.process.stdout.readline())
        self.url = addresses["salesforce"]
        self.address = urllib.parse.urlsplit(self.url).netloc
        for org in ORGS:
            settings = {
                "client_id": f"{org}-app", "client_secret": "shh", "refresh_token": f"{org}-refresh",
                "client_credentials": True, "api_limit": 10_000_000, "validation_rules": [RULE],
                "queues": [{"name": "Finance", "objects": ["Case", "alcmeon__Conversation__c"]}],
            }
            if org == "acme":
                settings["external_ids"] = [{"object": "Case", "field": "Switchyard_Id__c"}]
            else:
                settings["case_trigger"] = True
            self.control("PUT", f"orgs/{org}", settings)

    def control(self, method, path, body=None):
        status, answer = call(self.address, method, f"/control/{path}", body)
        if status != 200:
            raise Lost(f"the simulator answered {method} {path} with {status}: {answer}")
        return answer

    def query(self, org, soql):
        """All rows of a query, asked with a token of its own."""
        form = urllib.parse.urlencode(
            {"grant_type": "client_credentials", "client_id": f"{org}-app", "client_secret": "shh"}
        )
        form_type = {"Content-Type": "application/x-www-form-urlencoded"}
        _, token = call(self.address, "POST", "/services/oauth2/token", form.encode(), form_type)
        bearer = {"Authorization": f"Bearer {token['access_token']}"}
        path = "/services/data/v62.0/query?" + urllib.parse.urlencode({"q": soql})
        rows = []
        while path:
            status, page = call(self.address, "GET", path, headers=bearer, timeout=60)
            if status != 200:
                raise Lost(f"the simulator answered {soql} with {status}: {page}")
            rows += page["records"]
            path = page.get("nextRecordsUrl")
        return rows

    def stop(self):
        self.process.kill()
        self.process.wait()


class Host:
    """The folder of a host, and its process while there is one."""

    def __init__(self, binary, folder, salesforce):
        self.binary, self.folder, self.process = binary, folder, None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = "127.0.0.1:%d" % free.getsockname()[1]
        self.log = open(folder / "host.log", "ab")
        (folder / "policies").mkdir()
        (folder / "policies" / "shop.toml").write_text('plugin = "script"\nscript = "shop.rhai"\n')
        (folder / "policies" / "shop.rhai").write_text(POLICY)
        (folder / "switchyard.toml").write_text(self.config(salesforce))

    def config(self, salesforce):
        text = (
            f"[http]\nlisten = '{self.address}'\nlimits = {{ requests_per_second = 1000000 }}\n[[http.tokens]]\nname = 'ops'\nsecret = '{TOKEN}'\n"
            "scopes = ['read', 'errors', 'intake', 'connect', 'erase']\n[store]\npath = 'data'\n[policies]\nfolder = 'policies'\n"
            "[secrets]\nkeys = ['000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f']\n"
            f"[alcmeon.main]\nbase_url = 'http://127.0.0.1:9'\ninstance_id = 'main'\nsecret = '{SECRET}'\n"
            "team_field = 1\nemail_field = 2\npoll = false\nkeep_webhook_on = false\n"
        )
        for org in ORGS:
            shop = ", 'shop/*'" if org == "beta" else ""
            text += (
                f"[[orgs]]\nid = '{org}'\naccounts = ['main/{ACCOUNTS[org]}'{shop}]\npolicy = 'shop'\n"
                f"[orgs.salesforce]\nlogin_url = '{salesforce}'\nclient_id = '{org}-app'\nclient_secret = 'shh'\n"
                f"refresh_token = '{org}-refresh'\ntimeout_ms = 1000\n"
            )
            if org == "acme":
                text += "[orgs.salesforce.cases]\n"
        return text

    @property
    def store(self):
        return self.folder / "data"

    def start(self):
        arguments = [self.binary, "serve", "--config", "switchyard.toml"]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("SWITCHYARD")}
        self.process = subprocess.Popen(arguments, cwd=self.folder, stdout=self.log, stderr=self.log, env=environment)

    def answers(self):
        try:
            return call(self.address, "GET", "/readyz", timeout=1)[0] == 200
        except OSError:
            return False

    def wait(self):
        """Returns when it answers; how many seconds that took."""
        began = time.monotonic()
        while not self.answers():
            if self.process.poll() is not None:
                raise Lost(f"the host ended with status {self.process.returncode} while it started\n{self.tail()}")
            if time.monotonic() - began > START_SECONDS:
                raise Lost(f"the host did not answer within {START_SECONDS} s of its start\n{self.tail()}")
            time.sleep(0.005)
        return time.monotonic() - began

    def kill(self):
        ended = self.process.poll()
        self.process.kill()
        self.process.wait()
        if ended is not None:
            raise Lost(f"the host had ended by itself, with status {ended}\n{self.tail()}")

    def end(self):
        """Stops as an orchestrator would; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Lost(f"the host did not stop within {STOP_SECONDS} s of SIGTERM") from None

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def tail(self):
        lines = (self.folder / "host.log").read_text(errors="replace").splitlines()
        return "\n".join(lines[-20:])

    def get(self, path):
        """An answer of the API that has to come."""
        status, answer = call(self.address, "GET", path, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30)
        if status != 200:
            raise Lost(f"GET {path} was answered with {status}: {answer}")
        return answer
