//! Plugins in WebAssembly text, so that a test can make one do what no compiler would let it do.

/// Pages of memory that a plugin starts with: two megabytes.
const PAGES: u32 = 32;

/// What a plugin may answer, each at a place of its own in memory.
const TEXTS: [(&str, u32); 5] = [("Orders", 1024), ("Even", 1040), ("Odd!", 1056), ("0123456789", 1072), ("", 1088)];

/// Where a text lies in the memory of every plugin made here.
pub(super) fn text(wanted: &str) -> u32 {
    TEXTS.iter().find(|(text, _)| *text == wanted).map(|(_, at)| *at).expect("one of the texts")
}

/// A plugin that routes, part by part, each in WebAssembly text; what is left empty does no harm.
#[derive(Default)]
pub(super) struct Plugin {
    /// More of the component: imports, and core functions lowered from them.
    pub(super) imports: String,
    /// Exports of the core instance `host`, and the same as imports of the core module.
    pub(super) host: String,
    pub(super) from_host: String,
    /// What else the core module defines.
    pub(super) core: String,
    /// Runs before any settings are accepted.
    pub(super) configure: String,
    /// Has to leave the place of an answer, and finds the conversation at `$of`, a spare variable in `$i`, and the
    /// functions `$queue` and `$log`.
    pub(super) route: String,
    /// Of memory; where it is 0, there are [`PAGES`].
    pub(super) pages: u32,
}

/// A plugin that routes.
pub(super) fn router(configure: &str, route: &str) -> Vec<u8> {
    with(PAGES, "", configure, route)
}

/// The same, but only with a conversation that is closed; any other goes to Orders.
pub(super) fn when_closed(body: &str) -> Vec<u8> {
    router("", &closed_else(body, &orders()))
}

/// A plugin with a memory of so many pages, and with more imports.
pub(super) fn with(pages: u32, imports: &str, configure: &str, route: &str) -> Vec<u8> {
    let [imports, configure, route] = [imports, configure, route].map(str::to_owned);
    Plugin { pages, imports, configure, route, ..Plugin::default() }.bytes()
}

/// One thing for a closed conversation, and another for an open one.
pub(super) fn closed_else(closed: &str, open: &str) -> String {
    // The flag stands behind three texts and two texts that may be absent.
    format!("(if (result i32) (i32.load8_u offset=48 (local.get $of)) (then {closed}) (else {open}))")
}

/// Goes to Orders.
pub(super) fn orders() -> String {
    format!("(call $queue (i32.const {}) (i32.const 6))", text("Orders"))
}

impl Plugin {
    pub(super) fn bytes(&self) -> Vec<u8> {
        let Self { imports, host, from_host, core, configure, .. } = self;
        let pages = if self.pages == 0 { PAGES } else { self.pages };
        let route = if self.route.is_empty() { orders() } else { self.route.clone() };
        let texts: String = TEXTS.iter().map(|(text, at)| format!("(data (i32.const {at}) \"{text}\")")).collect();
        let text = format!(
            r#"(component {TYPES}
  (core module $libc
    (memory (export "memory") {pages})
    (global $next (mut i32) (i32.const 65536))
    (func (export "realloc") (param i32 i32) (param $align i32) (param $size i32) (result i32) (local $at i32)
      (local.set $at (i32.and
        (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get $align))))
      (global.set $next (i32.add (local.get $at) (local.get $size)))
      (local.get $at)))
  (core instance $libc (instantiate $libc))
  (core func $write (canon lower (func $logs "write") (memory (core memory $libc "memory"))))
  {imports}
  (core module $main
    (import "libc" "memory" (memory 1))
    (import "host" "log" (func $log (param i32 i32 i32)))
    {from_host}
    {core}
    {texts}
    (func $queue (param $at i32) (param $bytes i32) (result i32)
      (i64.store (i32.const 16) (i64.const 0))
      (i32.store (i32.const 24) (local.get $at))
      (i32.store (i32.const 28) (local.get $bytes))
      (i32.const 16))
    (func (export "configure") (param i32 i32) (result i32) {configure} (i32.const 64))
    (func $route (export "route") (param $of i32) (result i32) (local $i i32) {route}))
  (core instance $main (instantiate $main
    (with "libc" (instance $libc))
    (with "host" (instance (export "log" (func $write)) {host}))))
  (func $configure (param "settings" string) (result (result (error (list $problem))))
    (canon lift (core func $main "configure") (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (func $route (param "of" $conversation) (result (result $destination (error $refusal)))
    (canon lift (core func $main "route") (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (instance $lifecycle (export "configure" (func $configure)))
  (export "switchyard:policy/lifecycle@0.1.0" (instance $lifecycle))
  (instance $routing (export "route" (func $route)))
  (export "switchyard:policy/routing@0.1.0" (instance $routing)))"#
        );
        wat::parse_str(text).expect("a component")
    }
}

/// The interfaces that the plugins import, as wit/v0.1/policy.wit has them.
const TYPES: &str = r#"
  (import "switchyard:policy/types@0.1.0" (instance $types
    (type $attribute-is (record (field "name" string) (field "value" string)))
    (export "attribute" (type $attribute (eq $attribute-is)))
    (type $direction-is (enum "inbound" "outbound"))
    (export "direction" (type $direction (eq $direction-is)))
    (type $message-is (record (field "id" string) (field "direction" $direction) (field "author" string)
      (field "body" string) (field "sent-at" u64)))
    (export "message" (type $message (eq $message-is)))
    (type $customer-is (record (field "id" string) (field "name" (option string)) (field "email" (option string))
      (field "phone" (option string)) (field "contact-id" (option string)) (field "attributes" (list $attribute))))
    (export "customer" (type $customer (eq $customer-is)))
    (type $conversation-is (record (field "id" string) (field "channel" string) (field "account" string)
      (field "team" (option string)) (field "agent" (option string)) (field "closed" bool)
      (field "tags" (list string)) (field "attributes" (list $attribute)) (field "customer" $customer)
      (field "messages" (list $message))))
    (export "conversation" (type $conversation (eq $conversation-is)))
    (type $destination-is (variant (case "queue" string) (case "owner" string) (case "track-only")
      (case "not-eligible" string)))
    (export "destination" (type $destination (eq $destination-is)))
    (type $refusal-is (record (field "code" string) (field "message" string)))
    (export "refusal" (type $refusal (eq $refusal-is)))
    (type $problem-is (record (field "path" string) (field "line" (option u32)) (field "column" (option u32))
      (field "message" string)))
    (export "problem" (type $problem (eq $problem-is)))))
  (alias export $types "conversation" (type $conversation))
  (alias export $types "destination" (type $destination))
  (alias export $types "refusal" (type $refusal))
  (alias export $types "problem" (type $problem))
  (import "switchyard:policy/log@0.1.0" (instance $logs
    (type $level-is (enum "debug" "info" "warn"))
    (export "level" (type $level (eq $level-is)))
    (export "write" (func (param "level" $level) (param "message" string)))))"#;
