// The world of Monday as processes: the simulator, a host between it and the intake, and 5,487 conversations that do not get through.
// `node world.js HOST SIMULATOR` lets it stand until Ctrl-C, to be looked at.
"use strict";

const { spawn } = require("node:child_process");
const fs = require("node:fs");
const net = require("node:net");
const os = require("node:os");
const path = require("node:path");
const readline = require("node:readline");
const { ORGS, REFUSES, CAUSES, GOOD, policy, conversation } = require("./monday.js");

const OPERATOR = ["read", "errors", "policies", "connect"];
// Who signs in with what.
const TOKENS = {
  admin: ["read", "errors", "policies", "intake", "connect", "backup", "tokens", "erase"],
  ann: OPERATOR,
  bob: OPERATOR,
  viewer: ["read"],
};
// Conversations that are handed in at the same moment.
const AT_ONCE = 64;
const SECONDS_TO_STAND = 240;
const SECONDS_TO_START = 60;

const secret = (name) => `${name}-has-a-long-enough-secret`;

// Asks until the answer is not undefined, or fails with what `else_` says.
async function until(seconds, ask, else_) {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > end) throw new Error(await else_());
    await new Promise((go) => setTimeout(go, 100));
  }
}

// Does it with all, so many at the same moment.
async function each(all, atOnce, work) {
  const left = all[Symbol.iterator]();
  await Promise.all(Array.from({ length: atOnce }, async () => { for (const one of left) await work(one); }));
}

async function free() {
  const server = net.createServer().listen(0, "127.0.0.1");
  await new Promise((go) => server.once("listening", go));
  const { port } = server.address();
  await new Promise((go) => server.close(go));
  return port;
}

class World {
  constructor(binaries) {
    this.binaries = binaries;
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), "switchyard-console-"));
    this.log = fs.openSync(path.join(this.folder, "host.log"), "a");
    this.leave = () => this.stop();
    process.on("exit", this.leave);
    // Who is told to end leaves no processes behind.
    for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
  }

  async begin() {
    this.simulator = spawn(this.binaries.simulator, [], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = await require("node:events").once(readline.createInterface({ input: this.simulator.stdout }), "line");
    this.servers = JSON.parse(line);
    this.url = `http://127.0.0.1:${await free()}`;
    for (const org of Object.keys(ORGS)) await this.furnish(org);
    this.configure();
    await this.start();
  }

  // An organization of Salesforce, without what it refuses: its own contacts break its rules.
  async furnish(org) {
    const objects = ["Case", "alcmeon__Conversation__c"];
    await this.control("PUT", `orgs/${org}`, {
      client_id: `${org}-app`, client_secret: "shh", refresh_token: `${org}-refresh`, client_credentials: true, api_limit: 100_000,
      callback_urls: [`${this.url}/oauth/callback`], queues: ORGS[org].queues.map((name) => ({ name, objects })),
      ...(org === "emea" ? { external_ids: [{ object: "Case", field: "Switchyard_Id__c" }] } : { case_trigger: true }),
    });
    if (org === "gulf") {
      const several = CAUSES.find((cause) => cause.id === "ambiguous").count;
      for (const [FirstName, Title] of [["Anna", "Buyer"], ["Paul", "Accounts"]]) {
        const fields = { FirstName, LastName: "Keller {n}", Email: "shared{n}@example.com", Title };
        await this.control("POST", `orgs/${org}/generate`, { object: "Contact", count: several, from: 0, fields });
      }
      const duplicates = CAUSES.find((cause) => cause.id === "duplicates").count;
      const fields = { LastName: "Known {n}", Phone: "+97150{n}" };
      await this.control("POST", `orgs/${org}/generate`, { object: "Contact", count: duplicates, from: 1_000_000, fields });
    }
    await this.control("PATCH", `orgs/${org}`, REFUSES[org]);
  }

  configure() {
    const [host, port] = this.servers.smtp.split(":");
    const list = (texts) => JSON.stringify(texts);
    let text = `[http]\nlisten = "${new URL(this.url).host}"\npublic_url = "${this.url}"\n[store]\npath = "data"\n`
      + `[policies]\nfolder = "policies"\nplugins = "plugins"\n[secrets]\nkeys = ["${"5c".repeat(32)}"]\n[alerts]\ngather_seconds = 2\n`
      + `[mail]\nhost = "${host}"\nport = ${port}\nsecurity = "none"\nfrom = "Switchyard <switchyard@example.com>"\n`;
    for (const [name, scopes] of Object.entries(TOKENS)) {
      text += `[[http.tokens]]\nname = "${name}"\nsecret = "${secret(name)}"\nscopes = ${list(scopes)}\n`;
    }
    fs.mkdirSync(path.join(this.folder, "policies"));
    fs.mkdirSync(path.join(this.folder, "plugins"));
    fs.copyFileSync(path.join(__dirname, "../../plugins/prebuilt/keyword-router.wasm"), path.join(this.folder, "plugins", "own.wasm"));
    for (const [org, { name }] of Object.entries(ORGS)) {
      const { toml, script } = policy(org);
      fs.writeFileSync(path.join(this.folder, "policies", `${org}.toml`), toml);
      fs.writeFileSync(path.join(this.folder, "policies", `${org}.rhai`), script);
      text += `[[orgs]]\nid = "${org}"\nname = ${JSON.stringify(name)}\naccounts = ["${org}/*"]\npolicy = "${org}"\n`
        + `alert_recipients = ["${org}-admin@example.com"]\n[orgs.salesforce]\nlogin_url = "${this.servers.salesforce}"\n`
        + `client_id = "${org}-app"\nclient_secret = "shh"\nrefresh_token = "${org}-refresh"\n`;
      if (org === "emea") text += "[orgs.salesforce.cases]\n";
    }
    fs.writeFileSync(path.join(this.folder, "switchyard.toml"), text);
  }

  async start() {
    const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith("SWITCHYARD")));
    const stdio = ["ignore", this.log, this.log];
    this.host = spawn(this.binaries.host, ["serve", "--config", "switchyard.toml"], { cwd: this.folder, stdio, env });
    const answers = async () => {
      if (this.host.exitCode !== null) throw new Error(`the host ended while it started\n${this.tail()}`);
      const answer = await fetch(`${this.url}/readyz`).catch(() => undefined);
      return answer?.ok || undefined;
    };
    await until(SECONDS_TO_START, answers, () => `the host did not answer\n${this.tail()}`);
  }

  // As a power cut would end it.
  async kill() {
    const ended = new Promise((go) => this.host.once("exit", go));
    this.host.kill("SIGKILL");
    await ended;
  }

  // Hands in what gets through, then what does not, then what an incident holds; returns when all of it has come to rest.
  async fill() {
    const began = performance.now();
    const good = Array.from({ length: GOOD }, (_, n) => n).map((n) => ["good", n, Object.keys(ORGS)[n % 3], {}]);
    const bad = (cause) => Array.from({ length: cause.count }, (_, n) => [cause.id, n, cause.org, cause.of]);
    await each(good, AT_ONCE, (one) => this.handIn(...one));
    await this.setAside();
    await each(CAUSES.filter((cause) => cause.state !== "parked").flatMap(bad), AT_ONCE, (one) => this.handIn(...one));
    await this.stands(false);
    await this.control("POST", "orgs/gulf/revoke", {});
    await each(CAUSES.filter((cause) => cause.state === "parked").flatMap(bad), AT_ONCE, (one) => this.handIn(...one));
    await this.stands(true);
    return (performance.now() - began) / 1000;
  }

  async handIn(id, n, org, differs) {
    await this.api("POST", `intake/${org}`, conversation(id, n, org, differs));
  }

  // A message that cannot be taken is set aside; its conversation goes on.
  async setAside() {
    const whole = conversation("good", 0, "emea", {});
    await this.api("POST", "intake/emea", { ...whole, messages: [...whole.messages, { id: "broken", body: "?", sent_at: "yesterday" }] });
  }

  // More work of the same kind (what a pass before left of it may be there as well): a team without a queue, unless Monday has it, and a connection that is dead again.
  async again({ team, org, count }) {
    if (!CAUSES.some((cause) => cause.id === team)) {
      for (let n = 0; n < count; n += 1) await this.handIn(team, n, org, { team });
      const open = async () => (await this.api("GET", `sync-errors?org=${org}&team=${team}&state=pending&limit=500`)).sync_errors.length;
      await until(SECONDS_TO_STAND, async () => ((await open()) === count ? true : undefined), async () => `${await open()} of ${count} of team ${team}`);
    }
    await this.control("POST", "orgs/gulf/revoke", {});
    for (let n = 0; n < 20; n += 1) await this.handIn(`after-${team}`, n, "gulf", {});
    const parked = async () => (await this.orgs()).gulf.parked;
    await until(SECONDS_TO_STAND, async () => ((await parked()) >= 20 ? true : undefined), async () => `${await parked()} of 20 are parked`);
  }

  // Waits until each organization has what it should.
  async stands(parked) {
    const wanted = (org, state) => CAUSES.filter((cause) => cause.org === org && (cause.state ?? "pending") === state)
      .reduce((sum, cause) => sum + cause.count, 0);
    const counts = async () => {
      const orgs = await this.orgs();
      return Object.keys(ORGS).flatMap((org) => {
        const { sync_errors, parked: held } = orgs[org].health ?? orgs[org];
        const is = { pending: sync_errors.pending, retrying: sync_errors.retrying, parked: held };
        const should = { pending: wanted(org, "pending"), retrying: wanted(org, "retrying"), parked: parked ? wanted(org, "parked") : 0 };
        return Object.keys(should).filter((state) => is[state] !== should[state]).map((state) => `${org}: ${is[state]} of ${should[state]} ${state}`);
      });
    };
    await until(SECONDS_TO_STAND, async () => ((await counts()).length ? undefined : true),
      async () => `the world does not stand: ${(await counts()).join(", ")}\n${this.tail()}`);
  }

  async orgs() {
    const { orgs } = await this.api("GET", "orgs");
    return Object.fromEntries(orgs.map((org) => [org.id, org]));
  }

  // One call of the API with the administrator's token.
  async api(method, address, body) {
    return this.call(method, `${this.url}/v1/${address}`, body, { authorization: `Bearer ${secret("admin")}` });
  }

  // One call of the simulated Salesforce's control.
  async control(method, address, body) {
    return this.call(method, `${this.servers.salesforce}/control/${address}`, body);
  }

  async call(method, url, body, headers = {}) {
    const kind = body === undefined ? {} : { "content-type": "application/json" };
    const answer = await fetch(url, { method, headers: { ...headers, ...kind }, body: body === undefined ? undefined : JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${url} was answered with ${answer.status}: ${text.slice(0, 1000)}`);
    return text ? JSON.parse(text) : undefined;
  }

  tail() {
    return fs.readFileSync(path.join(this.folder, "host.log"), "utf8").split("\n").slice(-20).join("\n");
  }

  stop() {
    process.off("exit", this.leave);
    this.host?.kill("SIGKILL");
    this.simulator?.kill("SIGKILL");
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

// What was really made, a line for each cause.
async function counted(world) {
  const { groups } = await world.api("GET", "groups?limit=50");
  const lines = groups.map((group) => `${String(group.counts.pending + group.counts.retrying).padStart(6)}  ${group.org}  ${group.code}  ${group.title}`);
  const orgs = await world.orgs();
  return [...lines, ...Object.keys(ORGS).map((org) => `${String(orgs[org].parked).padStart(6)}  ${org}  parked`)].join("\n");
}

async function main([host, simulator]) {
  const world = new World({ host: path.resolve(host), simulator: path.resolve(simulator) });
  await world.begin();
  const seconds = await world.fill();
  console.log(`${await counted(world)}\nIt stands after ${seconds.toFixed(1)} s: ${world.url}, Salesforce ${world.servers.salesforce}, mailbox ${world.servers.mailbox}`);
  for (const name of Object.keys(TOKENS)) console.log(`${name.padEnd(8)}${secret(name)}`);
}

module.exports = { World, TOKENS, secret, free, until, counted };
if (require.main === module) main(process.argv.slice(2)).catch((error) => { console.error(error); process.exit(1); });
