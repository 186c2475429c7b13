"""Replays what CumulusCI recorded of real organizations, and compares status, keys and types of values.

Nothing of the recordings is kept here: they are read out of the wheel. What a recording supposes to be there already is
made first: objects and fields as the recorded describe calls tell of them, and the records that an answer shows.
"""

import collections
import json
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile

import yaml

from facts import control
from shapes import compare

# As many as were alike when this was last changed; fewer is a step back.
ALIKE = 133

address, wheel = sys.argv[1:3]
archive = zipfile.ZipFile(wheel)

# Why a request is not replayed; the first that matches tells.
UNSUPPORTED = [
    (r"^(?!/+services/)", "not Salesforce"),
    (r"/services/async/", "the first Bulk API is not simulated"),
    (r"/tooling/", "the Tooling API is not simulated"),
    (r"/connect/", "the Connect API is not simulated"),
    (r"TYPEOF", "TYPEOF is not simulated"),
]
# Answers that CumulusCI's authors cut down by hand, so that no organization would give them.
EDITED = ["ManualEdit_test_describe_to_sql", "ManualEditTestDescribeOrg.test_minimal_schema", "network_errors"]
DEFAULTS = {
    "Account": {"Name": "x"},
    "Contact": {"LastName": "x"},
    "Event": {"DurationInMinutes": 1, "ActivityDateTime": "2020-01-01T00:00:00Z"},
    "Lead": {"LastName": "x", "Company": "x"},
    "Opportunity": {"Name": "x", "StageName": "x", "CloseDate": "2020-01-01"},
    "RecordType": {"Name": "x", "SobjectType": "Account"},
    "User": {"LastName": "x"},
}
PREFIXES = {"001": "Account", "003": "Contact", "006": "Opportunity", "00Q": "Lead", "00U": "Event"}
ID = re.compile(r"\b[a-zA-Z0-9]{15}(?:[A-Z0-9]{3})?\b")


def cassettes():
    """Name and recorded exchanges of every cassette; what it includes from another is replayed there."""
    for name in sorted(archive.namelist()):
        if "cassettes/" in name and name.endswith(".yaml"):
            read = yaml.safe_load(archive.read(name))
            exchanges = read["interactions"] if "interactions" in read else [read]
            yield name.rsplit("/", 1)[1], [one for one in exchanges if "request" in one]


def described(person_accounts):
    """The recorded describe answers, by object."""
    found = {}
    for name, exchanges in cassettes():
        for one in exchanges:
            path = urllib.parse.urlsplit(one["request"]["uri"]).path
            if path.endswith("/describe"):
                body = json.loads(one["response"]["body"]["string"])
                if "PersonAccount" in name and person_accounts:
                    found[body["name"]] = body
                elif "PersonAccount" not in name:
                    found.setdefault(body["name"], body)
    return found


def field(name, told):
    needed = not told["nillable"] and not told["defaultedOnCreate"] and told["createable"]
    return {
        "object": name,
        "name": told["name"],
        "label": told["label"],
        "type": told["type"],
        "length": told["length"],
        "values": [value["value"] for value in told["picklistValues"]],
        "required": needed and told["type"] != "boolean",
        "read_only": not told["createable"] and not told["updateable"],
        "to": told["referenceTo"],
        "relationship": told["relationshipName"],
    }


def of_record(name, record):
    """Fields of an object that only a record tells of."""
    kinds = {bool: "boolean", int: "int", float: "double", dict: "address"}
    return [
        {"object": name, "name": key, "type": kinds.get(type(value), "string")}
        for key, value in record.items() if key != "attributes"
    ]


class Org:
    """An organization for one cassette."""

    made = 0

    def __init__(self, person_accounts, describes):
        Org.made += 1
        self.name = f"replay{Org.made}"
        self.ids = {}
        lookups = {to for d in describes.values() for told in d["fields"] for to in told["referenceTo"]}
        definition = {
            "client_id": self.name, "client_secret": "s", "refresh_token": self.name, "person_accounts": person_accounts,
            # Whoever recorded was an administrator.
            "view_all_data": True,
            "objects": [{"name": n, "label": d["label"], "prefix": d["keyPrefix"]} for n, d in describes.items()]
            + [{"name": n} for n in sorted(lookups - describes.keys())],
            "fields": [field(n, told) for n, d in describes.items() for told in d["fields"]],
        }
        self.info = control(address, "PUT", f"orgs/{self.name}", definition)
        form = {"grant_type": "refresh_token", "client_id": self.name, "client_secret": "s", "refresh_token": self.name}
        data = urllib.parse.urlencode(form).encode()
        with urllib.request.urlopen(f"{address}/services/oauth2/token", data=data) as answer:
            self.token = json.load(answer)["access_token"]

    def suppose(self, name, record):
        """Makes a record that an answer shows, unless it is there."""
        url = record.get("attributes", {}).get("url", "")
        recorded = url.rsplit("/", 1)[-1]
        if not url or recorded in self.ids:
            return
        values = {k: v for k, v in record.items() if not isinstance(v, (dict, list)) and v is not None}
        if name == "Organization":
            self.ids[recorded] = self.info["organization_id"]
            control(address, "PATCH", f"orgs/{self.name}", {"fields": of_record(name, record)})
            self.write("PATCH", f"Organization/{self.info['organization_id']}", values)
            return
        if name == "User":
            values["Username"] = f"{recorded}@x.example"
        made = self.write("POST", name, {**DEFAULTS.get(name, {}), **values})
        self.ids[recorded] = made["id"]

    def write(self, method, path, values):
        """Writes what of the values can be written."""
        while True:
            try:
                return control(address, method, f"orgs/{self.name}/records/{path}", values)
            except urllib.error.HTTPError as error:
                text = error.read().decode()
                blamed = [key for key in values if re.search(rf"\b{key}\b", text)] or (["Id"] if "Id" in values else [])
                if not blamed:
                    raise RuntimeError(f"{method} {path} {values}: {text}") from None
                del values[blamed[0]]

    def translate(self, text):
        """The text with recorded ids replaced by this organization's."""

        def own(match):
            recorded = match.group()
            if recorded not in self.ids and recorded[:3] in PREFIXES and re.search(r"\d", recorded[3:]):
                name = PREFIXES[recorded[:3]]
                self.ids[recorded] = self.write("POST", name, dict(DEFAULTS[name]))["id"]
            return self.ids.get(recorded, recorded)

        return ID.sub(own, text)

    def send(self, method, target, body):
        request = urllib.request.Request(address + target, method=method, data=body.encode() if body else None)
        request.add_header("Authorization", f"Bearer {self.token}")
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


def supposed(answer):
    """Records of an answer that have to be there, with their objects."""
    if isinstance(answer, list):
        for one in answer:
            yield from supposed(one)
    elif isinstance(answer, dict):
        if "/sobjects/" in answer.get("attributes", {}).get("url", ""):
            yield answer["attributes"]["type"], answer
        for key, value in answer.items():
            if key != "attributes":
                yield from supposed(value)


def learn(org, recorded, found):
    """Remembers which of this organization's ids a recorded one is."""
    if isinstance(recorded, list) and isinstance(found, list):
        for one, two in zip(recorded, found):
            learn(org, one, two)
    elif isinstance(recorded, dict) and isinstance(found, dict):
        for key in recorded.keys() & found.keys():
            if key in ("id", "Id") and isinstance(recorded[key], str) and isinstance(found[key], str):
                org.ids[recorded[key]] = found[key]
            learn(org, recorded[key], found[key])


def replay(org, one):
    """None when the answer is alike, or how it differs."""
    request, response = one["request"], one["response"]
    told = response["body"]["string"]
    recorded = json.loads(told) if told else None
    version = re.search(r"/services/data/v(\d+)\.0", request["uri"]) or re.search(r"/services/data/v(\d+)\.0", told)
    version = version.group(1) if version else "62"
    if "/recordCount" in request["uri"]:
        for counted in recorded["sObjects"]:
            # Counts are recorded before the records that later answers show.
            org.write("POST", counted["name"], dict(DEFAULTS[counted["name"]]))
    for name, record in supposed(recorded):
        org.suppose(name, record)
    given = urllib.parse.urlsplit(request["uri"])
    target = re.sub(r"/v(xx|\d+)\.0", f"/v{version}.0", given.path) + (f"?{given.query}" if given.query else "")
    body = request.get("body")
    body = re.sub(r"/vxx\.0", f"/v{version}.0", body) if body else None
    status, found = org.send(request["method"], org.translate(target), org.translate(body) if body else None)
    found = json.loads(found) if found else None
    learn(org, recorded, found)
    if status != response["status"]["code"]:
        return f"status {status} instead of {response['status']['code']}: {json.dumps(found)[:200]}"
    differences = compare(recorded, found)
    return "; ".join(differences[:6]) if differences else None


def shown(one):
    """Method and path of a request, readable and on one line."""
    target = urllib.parse.urlsplit(one["request"]["uri"])
    query = f"?{target.query}" if target.query else ""
    readable = " ".join(urllib.parse.unquote_plus(target.path + query).split())
    return f"{one['request']['method']} {readable}"[:120]


def main():
    describes = {person_accounts: described(person_accounts) for person_accounts in (False, True)}
    alike, different, unsupported = [], [], collections.Counter()
    for name, exchanges in cassettes():
        org = None
        for one in exchanges:
            text = shown(one)
            path = urllib.parse.unquote_plus(one["request"]["uri"].split("/", 3)[3])
            reason = next((why for pattern, why in UNSUPPORTED if re.search(pattern, f"/{path}")), None)
            if any(edited in name for edited in EDITED):
                reason = "the answer was edited by hand"
            if reason:
                unsupported[reason, text] += 1
                continue
            if org is None:
                # What was recorded as unchanged since 2020 has to be as old.
                old = "http_headers" in name
                control(address, "PUT", "clock", {"now_ms": 1597438382000 if old else int(time.time() * 1000)})
                person_accounts = "PersonAccount" in name
                org = Org(person_accounts, describes[person_accounts])
            difference = replay(org, one)
            (different if difference else alike).append((text, name, difference))
    control(address, "PUT", "clock", {"now_ms": int(time.time() * 1000)})

    print("supported and alike:")
    for text, times in sorted(collections.Counter(text for text, _, _ in alike).items()):
        print(f"  {times:3} {text}")
    print("supported and different:")
    for text, name, difference in different:
        print(f"      {text} ({name}): {difference}")
    print("not supported:")
    for (reason, text), times in sorted(unsupported.items()):
        print(f"  {times:3} {reason}: {text}")
    print(f"{len(alike)} alike, {len(different)} different, {sum(unsupported.values())} not supported")
    if different or len(alike) < ALIKE:
        print(f"at least {ALIKE} have to be alike, and none different")
        sys.exit(1)


main()
