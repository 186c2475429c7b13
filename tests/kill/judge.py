"""What has to be true in the end: Salesforce and the host's registry are compared with what was acknowledged."""

import collections
import json
import re
import subprocess
import time

from processes import ORGS, TOKEN, Lost, call
from traffic import email

STATES = ("pending", "retrying", "ignored", "resolved")
# Lines of an audit that end an ignore rightly. A retry does not: what is ignored cannot be retried.
ENDS = ("REOPENED", "DELIVERED", "NOT_ELIGIBLE", "RESOLVED")
# So long may it take until nothing moves, and so long nothing has to have moved.
DRAIN_SECONDS = 240
STILL_SECONDS = 2
# From so many rounds on, some conversations have to be there, some to be refused, and some ignores to be kept.
WHOLE_RUN = 10


def judge(run):
    host = run.host
    host.start()
    host.wait()
    for org in ORGS:
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        answer = call(host.address, "POST", f"/v1/orgs/{org}/retry-all", headers=bearer, timeout=120)
        if answer[0] != 202:
            raise Lost(f"retry-all of {org} was answered with {answer}")
    drain(host)
    errors = {org: listed(host, org) for org in ORGS}
    rows = {org: records(run.simulator, org) for org in ORGS}
    faults = collections.defaultdict(list)
    for org in ORGS:
        counts(host, org, errors[org], faults)
        twice(run.simulator, org, faults)
    cases(run.simulator, rows, faults)
    operations(run, faults)
    settings(run, faults)
    erasures(run, errors, faults)
    proven = [*conversations(run, rows, errors, faults), ignores(run, errors, faults)]
    if run.count >= WHOLE_RUN and not all(proven):
        faults["too little happened to prove anything"].append(f"{run.count} rounds")
    run.found.update((kind, lines) for kind, lines in faults.items() if lines)
    status = host.end()
    if status != 0:
        run.found["the host did not stop as it was told"].append(f"status {status}")
    verify(run)


def drain(host):
    """Returns when nothing is left that goes on by itself."""
    began = still = time.monotonic()
    while time.monotonic() - still < STILL_SECONDS:
        moving = {}
        for org in host.get("/v1/orgs")["orgs"]:
            for what in ("unmerged", "waiting", "sending", "scheduled", "parked", "operations"):
                if org.get(what):
                    moving[f"{org['id']} {what}"] = org[what]
        if moving:
            still = time.monotonic()
        if time.monotonic() - began > DRAIN_SECONDS:
            raise Lost(f"after {DRAIN_SECONDS} s not all is drained: {moving}")
        time.sleep(0.1)
    print(f"drained after {still - began:.1f} s", flush=True)


def listed(host, org):
    """All sync errors of an organization, by id."""
    found = {}
    for state in STATES:
        path = f"/v1/sync-errors?org={org}&state={state}&limit=500"
        page = host.get(path)
        while True:
            found.update((error["id"], error) for error in page["sync_errors"])
            if "next_cursor" not in page:
                break
            page = host.get(f"{path}&cursor={page['next_cursor']}")
    return found


def records(simulator, org):
    """What Salesforce has of each conversation: the numbers of the messages that the records are at."""
    found = collections.defaultdict(list)
    for row in simulator.query(org, "SELECT alcmeon__scoped_id__c, alcmeon__url__c FROM alcmeon__Conversation__c"):
        found[row["alcmeon__scoped_id__c"]].append(number_in(row["alcmeon__url__c"]))
    return found


def number_in(text):
    """The number at the end of an address or of a message's id."""
    return int(re.search(r"\d+$", text).group())


def counts(host, org, errors, faults):
    told = host.get(f"/v1/orgs/{org}")["sync_errors"]
    recounted = collections.Counter(error["state"] for error in errors.values())
    for state in STATES:
        if told[state] != recounted[state]:
            faults["the counts of an organization are not those of its list"].append(
                f"{org}: {told[state]} {state}, and {recounted[state]} in the list"
            )


def twice(simulator, org, faults):
    unique = {"Contact": "Email", **({"Case": "Switchyard_Id__c"} if org == "acme" else {})}
    for thing, field in unique.items():
        found = collections.Counter(row[field] for row in simulator.query(org, f"SELECT {field} FROM {thing}"))
        for value, count in found.items():
            if count > 1:
                faults[f"a {thing} was made more than once"].append(f"{org}: {value}, {count} times")


def cases(simulator, rows, faults):
    """The host writes acme's Cases together with its conversations."""
    made = {row["Switchyard_Id__c"] for row in simulator.query("acme", "SELECT Switchyard_Id__c FROM Case")}
    faults["a conversation is there without its Case"] += sorted(set(rows["acme"]) - made)


def conversations(run, rows, errors, faults):
    """Each that was acknowledged is in Salesforce once at its newest message, or its sync error says why not."""
    by_conversation = collections.defaultdict(list)
    for of_org in errors.values():
        for error in of_org.values():
            if error["state"] != "resolved":
                by_conversation[error["conversation"]].append(error)
    there = explained = 0
    for key, conversation in run.model.conversations.items():
        found = rows[conversation.org].pop(key, [])
        if len(found) > 1:
            faults["a conversation is in Salesforce more than once"].append(f"{key}: {found}")
        elif found and found[0] not in conversation.sent:
            faults["a conversation is in Salesforce at a message that nobody sent"].append(f"{key}: {found[0]}")
        if key in run.model.erased:
            continue  # `erasures` looks at it
        if found and found[0] >= conversation.acknowledged or not conversation.acknowledged:
            there += bool(found)
        elif any(explains(run.host, error, conversation) for error in by_conversation[key]):
            explained += 1
        else:
            known = [(error["state"], error["message"]) for error in by_conversation[key]]
            faults["an acknowledged message is lost"].append(
                f"{key}: message {conversation.acknowledged}; Salesforce has {found}, sync errors {known}"
            )
    for org in ORGS:
        for key in rows[org]:
            faults["a conversation is in Salesforce that nobody sent"].append(f"{org}: {key}")
    print(f"{there} conversations are in Salesforce, {explained} have a sync error that says why not", flush=True)
    return there, explained


def explains(host, error, conversation):
    """Whether a sync error that is not over says why the newest message is not in Salesforce."""
    says = error.get("reason") if error["state"] == "ignored" else error["refusal"].get("text")
    if not says:
        return False
    if number_in(error["message"]) >= conversation.acknowledged:
        return True
    # It may be about an older message, and hold the newer ones as well: then those say so.
    newer = [number for number in conversation.sent if number >= conversation.acknowledged]
    return any(fact["what"] == "CRM_SYNCHRO_ERROR" for number in newer for _, fact in audit(host, conversation, number))


def audit(host, conversation, number):
    """The lines of a message's audit; none where the host does not know the message."""
    source, scoped = conversation.key.split(":")
    message = f"{source}:{scoped}:{number}" if source == "shop" else f"{source}:{number}"
    headers = {"Authorization": f"Bearer {TOKEN}"}
    status, answer = call(host.address, "GET", f"/v1/messages/{message}/audit", headers=headers, timeout=30)
    if status not in (200, 404):
        raise Lost(f"the audit of {message} was answered with {status}: {answer}")
    entries = answer["entries"] if status == 200 else []
    return [((entry["at"], entry["order"]), entry["fact"]) for entry in entries]


def ignores(run, errors, faults):
    """What was ignored last is ignored still, or something stands in the audit that ended it."""
    kept = ended = 0
    for id, commands in run.model.commands.items():
        last = max((at for at, (what, _, sure) in enumerate(commands) if what == "ignore" and sure), default=None)
        if last is None or any(what != "ignore" for what, _, _ in commands[last + 1:]):
            continue
        reasons = {reason for _, reason, _ in commands[last:]}
        error = next((of_org[id] for of_org in errors.values() if id in of_org), None)
        if error is None:
            faults["a sync error that was ignored is gone"].append(id)
        elif error["conversation"] in run.model.erased:
            continue  # its reason is erased as well
        elif error["state"] == "ignored" and error.get("reason") in reasons:
            kept += 1
        elif why := undone(run, error, commands[last][1]):
            faults["an acknowledged ignore was undone"].append(f"{id} of {error['message']} is {error['state']}: {why}")
        else:
            ended += 1
    print(f"{kept} ignored sync errors are ignored still, {ended} were ended by something else", flush=True)
    return kept


def operations(run, faults):
    """What was begun over many came to its end, and its report adds up."""
    done = 0
    for id in run.model.operations:
        status, found = call(run.host.address, "GET", f"/v1/operations/{id}", headers={"Authorization": f"Bearer {TOKEN}"})
        if status != 200:
            faults["an acknowledged operation is gone"].append(f"{id}: {status}")
            continue
        came = sum(found[how] for how in ("passed", "failed_alike", "failed_otherwise", "changed"))
        wanted = found["done"] if found["task"] == "retry" else 0
        if "ended_at" not in found or found["under_way"] or came != wanted or found["done"] + found["skipped"] > found["matched"]:
            faults["the report of an operation does not add up"].append(f"{found}")
        done += found["done"]
    print(f"{len(run.model.operations)} operations ended, with {done} sync errors", flush=True)


def settings(run, faults):
    """Each stands as it was set last, or as somebody tried to set it after that without hearing whether it was done."""
    for org, tries in run.model.settings.items():
        last = max((at for at, (_, sure) in enumerate(tries) if sure), default=None)
        stands = run.host.get(f"/v1/orgs/{org}/settings")["concurrency"]["value"]
        if last is not None and stands not in [concurrency for concurrency, _ in tries[last:]]:
            faults["settings that were acknowledged are not in force"].append(f"{org}: {stands}, and {tries[last:]} was asked for")


def erasures(run, errors, faults):
    """Of a conversation whose erasure was acknowledged nothing is kept that was acknowledged before, nor any name of its customer."""
    done = 0
    orgs = {error["conversation"]: error["org"] for of_org in errors.values() for error in of_org.values()}
    for key, until in run.model.erased.items():
        if until is None:
            continue
        done += 1
        conversation = run.model.conversations[key]
        found = run.host.get(f"/v1/conversations/{key}?org={orgs.get(key, conversation.org)}")
        texts = json.dumps(found)
        kept = [number for number in conversation.sent if number <= until and f'"Message {number}"' in texts]
        if kept or conversation.name in texts or email(conversation) in texts:
            faults["something is kept of a conversation that was erased"].append(f"{key}: {kept} {texts[:500]}")
    print(f"{done} conversations are erased", flush=True)


def undone(run, error, reason):
    """What undid an ignore that nothing should have; `None` where its audit names a good cause."""
    conversation = run.model.conversations[error["conversation"]]
    lines = [line for number in conversation.sent for line in audit(run.host, conversation, number)]
    lines.sort(key=lambda line: line[0])
    facts = [fact for _, fact in lines if fact.get("sync_error", error["id"]) == error["id"]]
    ignored = [at for at, fact in enumerate(facts) if fact["what"] == "IGNORED" and fact["reason"] == reason]
    if not ignored:
        return "its audit has no line of it"
    failures = [fact for fact in facts[:ignored[-1]] if fact["what"] == "CRM_SYNCHRO_ERROR"]
    again = False
    for fact in facts[ignored[-1] + 1:]:
        if fact["what"] == "CRM_SYNCHRO_ERROR":
            if not failures or (fact["class"], fact["code"]) != (failures[-1]["class"], failures[-1]["code"]):
                return None
            again = True
        elif fact["what"] in ENDS or (fact["what"] == "RETRY_ASKED" and not again):
            return None
    return "the same failure came again" if again else "nothing in its audit says why"


def verify(run):
    """The store is looked through by the host's own command, where this host has it."""
    help = subprocess.run([run.host.binary, "store", "--help"], capture_output=True, text=True)
    if not re.search(r"^\s+verify\b", help.stdout, re.MULTILINE):
        return print("skipped: this host has no `store verify`", flush=True)
    command = [run.host.binary, "store", "verify", "--path", str(run.host.store)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if done.returncode:
        run.found["store verify fails"].append(f"status {done.returncode}: {done.stdout}{done.stderr}")
    else:
        print(f"store verify: {done.stdout.strip()}", flush=True)
