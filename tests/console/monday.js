// The world of Monday in figures: three organizations, what is wrong in each, and what an administrator does about it.
"use strict";

const NAMES = [
  "Jane Okafor", "Anna Keller", "José Álvarez", "محمد عبد الرحمن", "王小明", "Nguyễn Thị Minh Khai", "Zoë O’Brien-Løvås", "Ōkubo Toshimichi",
  "Anastasia Konstantinopoulou-Papadimitriou of the Thessaloniki Harbour Authority", "<b>Bobby</b> \"Tables\" & Sons", "Łukasz Żółć", "김하늘",
];
const WORDS = [
  "Where is my order? It was promised for last Friday.", "Bonjour, je n'ai toujours pas reçu mon remboursement.", "أين طلبي؟ لم يصل بعد.", "我的订单在哪里？已经等了两个星期。",
  "Hi!! the kettle leaks 😡 <script>alert(1)</script>", "Können Sie die Lieferadresse noch ändern?", "Tôi muốn đổi sang cỡ lớn hơn.", "ok",
  "I have written four times now. The parcel was left with a neighbour who is away until the end of the month, and the courier does not answer; please call me back in the afternoon.",
];

// 120 characters, and a name that is written from right to left.
const LONG = "Europe, Middle East and Africa: Customer Care and After-Sales Service of the United Department Stores Group Limited (UK)";
const ORGS = {
  emea: { name: LONG, queues: ["Orders", "Returns", "Delivery", "General"] },
  apac: { name: "Asia Pacific", queues: ["Orders", "Spare_Parts", "General"] },
  gulf: { name: "شركة الخليج للتجزئة", queues: ["Orders", "General"] },
};

// Conversations that get through.
const GOOD = 600;

const trigger = (name, account, message, code) => ({
  object: "alcmeon__Conversation__c", name, field: "alcmeon__Social_media_account__c", contains: account, message, ...(code && { code }),
});
const rule = (field, contains, message) => ({ object: "alcmeon__Conversation__c", field, contains, message });

// What each organization of Salesforce refuses.
const REFUSES = {
  emea: {
    validation_rules: [
      rule("alcmeon__User_name__c", "test customer", "Test customers are not allowed in production."),
      rule("alcmeon__Social_media_account__c", "old shop", "Conversations of the old shop page are closed. Ask Sales Operations."),
    ],
    restricted_picklists: [
      { object: "alcmeon__Conversation__c", field: "alcmeon__Social_media_type__c", values: ["whatsapp", "instagram", "facebook", "chat", "email"] },
    ],
  },
  apac: {
    failing_triggers: [
      trigger("CaseRouting", "marketplace", "System.NullPointerException: Attempt to de-reference a null object"),
      trigger("Kiosk", "kiosk", "The kiosk's session has ended before its survey.", "KIOSK_SESSION_ENDED"),
    ],
  },
  gulf: { duplicate_rules: [{ object: "Contact", name: "One_Phone_One_Contact", fields: ["Phone"], block: true }] },
};

// The 12 causes: how many conversations, of which organization, and how they differ from good ones.
const CAUSES = [
  { id: "store-events", org: "emea", count: 1200, code: "TEAM_NOT_MAPPED", of: { team: "store-events" } },
  { id: "test-customers", org: "emea", count: 800, code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", of: { customer: (n) => `Test customer ${n}` } },
  { id: "old-shop", org: "emea", count: 250, code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", of: { account_name: "Old shop" } },
  { id: "picklist", org: "emea", count: 400, code: "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", of: { channel: "tiktok" } },
  { id: "spare-parts", org: "apac", count: 300, code: "TEAM_NOT_MAPPED", of: { team: "spare-parts" } },
  { id: "closed-queue", org: "apac", count: 100, code: "QUEUE_NOT_FOUND", of: { team: "repairs" } },
  { id: "script", org: "apac", count: 200, code: "SCRIPT_ERROR", of: { team: "loyalty" } },
  { id: "trigger", org: "apac", count: 600, code: "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", of: { account_name: "Marketplace" } },
  { id: "kiosk", org: "apac", count: 150, code: "KIOSK_SESSION_ENDED", state: "retrying", of: { account_name: "Kiosk" } },
  { id: "ambiguous", org: "gulf", count: 350, code: "CONTACT_AMBIGUOUS", of: { email: (n) => `shared${n}@example.com` } },
  { id: "duplicates", org: "gulf", count: 637, code: "DUPLICATES_DETECTED", of: { phone: (n) => `+97150${1000000 + n}` } },
  { id: "revoked", org: "gulf", count: 500, code: "INVALID_GRANT", state: "parked", of: {} },
];

const COMMON = `
fn search(conversation) { [search_by("Email", conversation.customer.email)] }
fn choose(conversation, found) {
    switch found.len() {
        0 => create(#{ LastName: conversation.customer.name, Email: conversation.customer.email, Phone: conversation.customer.phone }),
        1 => contact(found[0].id),
        _ => ambiguous(found.map(|it| it.id)),
    }
}
`;
const ROUTE = `
fn route(conversation) {
    let team = conversation.team;
    if team in settings.queues {
        return queue(settings.queues[team]);
    }
    refuse("TEAM_NOT_MAPPED", \`No queue is mapped to team "\${team}".\`)
}
`;
// What each policy consists of. The one of apac has a team whose queue is gone, a function that throws, and an error that it tries again.
const POLICIES = {
  emea: { queues: { orders: "Orders", returns: "Returns", delivery: "Delivery" }, script: ROUTE },
  apac: {
    queues: { orders: "Orders", repairs: "Repairs_Osaka" },
    script: ROUTE.replace("let team = conversation.team;", `let team = conversation.team;
    if team == "loyalty" {
        return queue(conversation.tags[0]);
    }`) + `fn judge(error) { if error.code == "KIOSK_SESSION_ENDED" { retry_after(3600) } else { as_usual() } }\n`,
  },
  gulf: { queues: { orders: "Orders" }, script: ROUTE + COMMON },
};

function policy(org) {
  const { queues, script } = POLICIES[org];
  const lines = Object.entries(queues).map(([team, queue]) => `${team} = "${queue}"`);
  return { toml: `plugin = "script"\nscript = "${org}.rhai"\n\n[settings.queues]\n${lines.join("\n")}\n`, script: script.trimStart() };
}

// The n-th conversation of a cause (or of the good ones), as it is handed in.
function conversation(id, n, org, differs) {
  const began = Date.now() - (n % 600) * 60_000;
  const of = (name, else_) => (typeof differs[name] === "function" ? differs[name](n) : differs[name] ?? else_);
  const messages = Array.from({ length: 1 + (n % 3) }, (_, at) => ({
    id: `${id}-${n}-${at}`,
    body: WORDS[(n + at) % WORDS.length],
    sent_at: new Date(began + at * 1_000).toISOString(),
  }));
  return {
    id: `${id}-${n}`,
    account: `${org}-page`,
    account_name: of("account_name", "Shop"),
    channel: of("channel", ["whatsapp", "instagram", "facebook", "chat"][n % 4]),
    team: of("team", "orders"),
    customer: {
      id: `customer-${id}-${n}`,
      name: of("customer", NAMES[n % NAMES.length]),
      email: of("email", `${id}.${n}@example.com`),
      ...(of("phone") && { phone: of("phone") }),
    },
    url: `https://alcmeon.example/conversations/${id}-${n}`,
    messages,
  };
}

module.exports = { ORGS, REFUSES, CAUSES, GOOD, policy, conversation };
