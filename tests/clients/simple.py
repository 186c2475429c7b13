"""simple-salesforce against the simulator."""

import sys
import time
import urllib.parse

import jwt
import requests
import simple_salesforce as simple
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from requests.adapters import HTTPAdapter
from simple_salesforce.exceptions import SalesforceAuthenticationFailed

from facts import Facts, control

address = sys.argv[1]
facts = Facts()


class Loopback(HTTPAdapter):
    """The library always speaks HTTPS to a host of its own making: this leads it to the simulator and names that host."""

    def send(self, request, **options):
        given = urllib.parse.urlsplit(request.url)
        there = urllib.parse.urlsplit(address)
        request.url = urllib.parse.urlunsplit((there.scheme, there.netloc, given.path, given.query, ""))
        request.headers["Host"] = given.netloc
        return super().send(request, **options)


def session():
    made = requests.Session()
    made.trust_env = False
    made.mount("https://", Loopback())
    return made


def org(name, **settings):
    definition = {
        "client_id": name, "view_all_data": True,
        "client_secret": "secret",
        "refresh_token": f"r-{name}",
        "client_credentials": True,
        "external_ids": [
            {"object": "Contact", "field": "Ext__c"},
            {"object": "Contact", "field": "Loose__c", "unique": False},
        ],
        "queues": [{"name": "Billing", "objects": ["Case"]}],
        **settings,
    }
    return control(address, "PUT", f"orgs/{name}", definition)


def login(name, domain="acme.my"):
    return simple.Salesforce(
        consumer_key=name, consumer_secret="secret", domain=domain, session=session(), version="59.0"
    )


def logins():
    org("py-login")
    sf = login("py-login")
    facts.true("client credentials give a session on the org's own domain", sf.session_id)
    refused = session().post(
        "https://login.salesforce.com/services/oauth2/token",
        data={"grant_type": "client_credentials"}, auth=("py-login", "secret"),
    )
    facts.equal(
        "on the login host they do not", refused.json(),
        {"error": "invalid_grant", "error_description": "request not supported on this domain"},
    )

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    org("py-jwt", jwt_certificate=public.decode())

    def by_jwt(user="integration@py-jwt.example", domain="login", with_key=private):
        return simple.Salesforce(
            username=user, consumer_key="py-jwt", privatekey=with_key, domain=domain, session=session(), version="59.0"
        )

    facts.equal("a signed assertion gives a session", by_jwt().query("SELECT COUNT() FROM Contact")["totalSize"], 0)
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    wrong = facts.raises("another key does not", SalesforceAuthenticationFailed, lambda: by_jwt(with_key=other))
    facts.true("for its assertion is invalid", wrong and "invalid assertion" in str(wrong))
    wrong = facts.raises("nor does a sandbox's audience", SalesforceAuthenticationFailed, lambda: by_jwt(domain="test"))
    facts.true("which is not this org's", wrong and "Audience validation failed" in str(wrong))
    wrong = facts.raises("nor does a stranger", SalesforceAuthenticationFailed, lambda: by_jwt(user="nobody@x.example"))
    facts.true("who never approved it", wrong and "user hasn't approved this consumer" in str(wrong))
    late = jwt.encode(
        {"iss": "py-jwt", "sub": "integration@py-jwt.example", "aud": "https://login.salesforce.com",
         "exp": int(time.time()) + 3600},
        private, algorithm="RS256",
    )
    answer = requests.post(
        f"{address}/services/oauth2/token",
        data={"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": late},
    )
    facts.equal("an assertion for an hour is refused", answer.json()["error"], "invalid_grant")


def records():
    org("py-records")
    sf = login("py-records")
    made = sf.Contact.create({"LastName": "Byron", "Email": "ada@x.org", "Ext__c": "e1"})
    facts.equal("create says success and no errors", (made["success"], made["errors"]), (True, []))
    read = sf.Contact.get(made["id"])
    facts.equal("what was created is read back", (read["LastName"], read["Email"]), ("Byron", "ada@x.org"))
    facts.equal("15 characters of an id are enough", sf.Contact.get(made["id"][:15])["Id"], made["id"])
    facts.equal("an external id finds it too", sf.Contact.get_by_custom_id("Ext__c", "e1")["Id"], made["id"])
    facts.equal("update answers 204", sf.Contact.update(made["id"], {"FirstName": "Ada"}), 204)
    facts.equal("an upsert that creates answers 201", sf.Contact.upsert("Ext__c/e2", {"LastName": "B"}), 201)
    facts.equal("one that updates answers 200", sf.Contact.upsert("Ext__c/e2", {"LastName": "C"}), 200)
    old = login("py-records")
    old.base_url = old.base_url.replace("v59.0", "v45.0")
    contact = simple.api.SFType("Contact", old.session_id, "acme.my.salesforce.com", "45.0", session=session())
    facts.equal("before version 46 it answered 204", contact.upsert("Ext__c/e2", {"LastName": "D"}), 204)
    for _ in range(2):
        sf.Contact.create({"LastName": "Twin", "Loose__c": "t"})
    several = facts.raises(
        "two records with one external id are 300", simple.SalesforceMoreThanOneRecord,
        lambda: sf.Contact.upsert("Loose__c/t", {"LastName": "E"}),
    )
    facts.true(
        "and the body is their addresses",
        several and len(several.content) == 2 and all("/services/data/v59.0/sobjects/Contact/003" in at for at in several.content),
    )
    facts.equal("delete answers 204", sf.Contact.delete(made["id"]), 204)
    gone = facts.raises("a deleted record is 404", simple.SalesforceResourceNotFound, lambda: sf.Contact.get(made["id"]))
    facts.equal("and told as deleted", gone and gone.content[0]["errorCode"], "ENTITY_IS_DELETED")
    soql = "SELECT Id, IsDeleted FROM Contact WHERE Ext__c = 'e1'"
    facts.equal("queryAll still sees it", sf.query(soql, include_deleted=True)["records"][0]["IsDeleted"], True)
    facts.equal("query does not", sf.query(soql)["totalSize"], 0)
    facts.true("describe tells of the fields", any(f["name"] == "Ext__c" for f in sf.Contact.describe()["fields"]))
    facts.true("describe global tells of the objects", any(s["name"] == "Case" for s in sf.describe()["sobjects"]))
    facts.equal("limits tell of the quota", sf.limits()["DailyApiRequests"]["Max"], 100_000)
    facts.true("every answer tells how much of it is used", sf.api_usage["api-usage"].used > 10)


def queries():
    org("py-queries")
    fields = {"LastName": "N{n}", "Email": "n{n}@x.org", "Phone": "+33 6 00 {n}"}
    control(address, "POST", "orgs/py-queries/generate", {"object": "Contact", "count": 4500, "from": 10001, "fields": fields})
    sf = login("py-queries")
    first = sf.query("SELECT Id FROM Contact")
    facts.equal("a page has 2,000 rows and says that more follow", (len(first["records"]), first["done"]), (2000, False))
    facts.equal("all pages together have all rows", len(sf.query_all("SELECT Id FROM Contact")["records"]), 4500)
    quoted = simple.format_soql("SELECT Id FROM Contact WHERE LastName = {}", "o'brien\\ %_\n")
    facts.equal("what the library quotes is understood", sf.query(quoted)["totalSize"], 0)
    like = simple.format_soql("SELECT Id FROM Contact WHERE LastName LIKE '{:like}%'", "N1000")
    facts.equal("LIKE finds what begins so", sf.query(like)["totalSize"], 9)
    counted = sf.query("SELECT COUNT(Id) FROM Contact")
    facts.equal("count(Id) is an aggregate", counted["records"][0]["expr0"], 4500)
    wrong = facts.raises(
        "a wrong query is 400", simple.SalesforceMalformedRequest, lambda: sf.query("SELECT Nope FROM Contact")
    )
    facts.equal("and says which field it does not know", wrong and wrong.content[0]["errorCode"], "INVALID_FIELD")
    found = sf.search("FIND {33600 10007} IN PHONE FIELDS RETURNING Contact(Id, LastName)")
    facts.equal("SOSL answers searchRecords", found["searchRecords"], [])
    found = sf.search("FIND {3360010007} IN PHONE FIELDS RETURNING Contact(Id, LastName)")
    facts.equal("SOSL compares the digits of a phone number", [r["LastName"] for r in found["searchRecords"]], ["N10007"])
    facts.equal("a quick search looks everywhere", len(sf.quick_search("n10008@x.org")["searchRecords"]), 1)
    body = {"q": "n10009@x.org", "in": "EMAIL", "sobjects": [{"name": "Contact", "fields": ["LastName"], "limit": 5}]}
    found = sf.restful("parameterizedSearch", method="POST", json=body)
    facts.equal("a parameterized search finds by e-mail", [r["LastName"] for r in found["searchRecords"]], ["N10009"])
    wrong = facts.raises("a search that is not closed is 400", simple.SalesforceMalformedRequest, lambda: sf.search("FIND {a"))
    facts.equal("and malformed", wrong and wrong.content[0]["errorCode"], "MALFORMED_SEARCH")


def collections():
    org("py-collections")
    sf = login("py-collections")
    path = "composite/sobjects/Contact/Ext__c"

    def upsert(records, all_or_none=False):
        records = [{"attributes": {"type": "Contact"}, **record} for record in records]
        return sf.restful(path, method="PATCH", json={"allOrNone": all_or_none, "records": records})

    many = upsert([{"Ext__c": f"k{n}", "LastName": f"L{n}"} for n in range(200)])
    facts.equal("200 records go in one call", [r["created"] for r in many], [True] * 200)
    facts.raises(
        "201 do not", simple.SalesforceMalformedRequest,
        lambda: upsert([{"Ext__c": f"k{n}", "LastName": "L"} for n in range(201)]),
    )
    mixed = upsert([{"Ext__c": "k1", "LastName": "M"}, {"Ext__c": "k2", "Email": "nonsense"}, {"Ext__c": "k3", "LastName": "M"}])
    facts.equal("each record has its own result, in order", [r["success"] for r in mixed], [True, False, True])
    facts.equal("a refused one has no id", ("id" in mixed[1], mixed[1]["errors"][0]["statusCode"]), (False, "INVALID_EMAIL_ADDRESS"))
    twice = upsert([{"Ext__c": "x", "LastName": "A"}, {"Ext__c": "X", "LastName": "B"}])
    facts.equal("a key given twice refuses both", [r["errors"][0]["statusCode"] for r in twice], ["DUPLICATE_VALUE"] * 2)
    back = upsert([{"Ext__c": "k1", "LastName": "Z"}, {"Ext__c": "k2", "Email": "nonsense"}], True)
    facts.equal("allOrNone takes the good ones back", back[0]["errors"][0]["statusCode"], "ALL_OR_NONE_OPERATION_ROLLED_BACK")
    ids = [r["id"] for r in many[:3]]
    gone = sf.restful("composite/sobjects", {"ids": ",".join(ids)}, method="DELETE")
    facts.equal("a collection is deleted by ids", [r["success"] for r in gone], [True] * 3)


def refusals():
    rule = {"object": "Contact", "name": "Same_mail", "fields": ["Email"]}
    org("py-refusals", duplicate_rules=[rule])
    sf = login("py-refusals")
    first = sf.Contact.create({"LastName": "A", "Email": "a@x.org"})
    found = facts.raises(
        "a duplicate is refused", simple.SalesforceMalformedRequest,
        lambda: sf.Contact.create({"LastName": "B", "Email": "A@x.org"}),
    )
    matches = found and found.content[0]["duplicateResult"]["matchResults"][0]["matchRecords"]
    facts.equal("and the record that it repeats is named", matches and matches[0]["record"]["Id"], first["id"])
    allow = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
    made = sf.Contact.create({"LastName": "B", "Email": "a@x.org"}, headers=allow)
    facts.true("a rule that alerts lets it through when told to", made["success"])
    control(address, "PATCH", "orgs/py-refusals", {"duplicate_rules": [{**rule, "block": True}]})
    facts.raises(
        "a rule that blocks does not", simple.SalesforceMalformedRequest,
        lambda: sf.Contact.create({"LastName": "C", "Email": "a@x.org"}, headers=allow),
    )
    control(address, "POST", "orgs/py-refusals/expire-sessions")
    facts.equal("an expired session is renewed by the library", sf.query("SELECT Id FROM Contact")["totalSize"], 2)
    bare = simple.Salesforce(
        instance="acme.my.salesforce.com", session_id=sf.session_id, session=session(), version="59.0"
    )
    control(address, "POST", "orgs/py-refusals/expire-sessions")
    facts.raises("without a way to renew it, it is 401", simple.SalesforceExpiredSession, lambda: bare.limits())
    sf = login("py-refusals")
    control(address, "PUT", "orgs/py-refusals/usage", {"used": 100_000, "limit": 100_000})
    over = facts.raises("the quota's end is 403", simple.SalesforceRefusedRequest, lambda: sf.limits())
    facts.equal("and says so", over and over.content[0]["errorCode"], "REQUEST_LIMIT_EXCEEDED")
    control(address, "PUT", "clock", {"advance_ms": 24 * 3600 * 1000})
    sf = login("py-refusals")
    facts.equal("a day later it is whole again", sf.limits()["DailyApiRequests"]["Remaining"], 99_999)
    control(address, "PUT", "clock", {"advance_ms": -24 * 3600 * 1000})


for part in (logins, records, queries, collections, refusals):
    part()
facts.end()
