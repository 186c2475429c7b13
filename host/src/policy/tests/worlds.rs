//! What WASI offers, as imports of a hostile plugin in WebAssembly text: clock, chance, environment, files and network.

use super::component::Plugin;

/// A plugin that routes and may call `$stdout`, `$print`, `$sleep`, `$block`, `$now`, `$ticks`, `$random`,
/// `$bytes`, `$environment`, `$arguments`, `$files`, `$socket` and `$exit`.
pub(super) fn with_wasi(route: &str) -> Plugin {
    let functions = [
        ("stdout", "(result i32)"),
        ("print", "(param i32 i32 i32 i32)"),
        ("sleep", "(param i64) (result i32)"),
        ("block", "(param i32)"),
        ("now", "(param i32)"),
        ("ticks", "(result i64)"),
        ("random", "(result i64)"),
        ("bytes", "(param i64 i32)"),
        ("environment", "(param i32)"),
        ("arguments", "(param i32)"),
        ("files", "(param i32)"),
        ("socket", "(param i32 i32)"),
        ("exit", "(param i32)"),
    ];
    let host = functions.map(|(name, _)| format!("(export \"{name}\" (func $w-{name}))")).concat();
    let from_host = functions.map(|(name, ty)| format!("(import \"host\" \"{name}\" (func ${name} {ty}))")).concat();
    Plugin { imports: WASI.into(), host, from_host, route: route.into(), ..Plugin::default() }
}

const WASI: &str = r#"
  (import "wasi:io/poll@0.2.0" (instance $poll
    (export "pollable" (type $pollable (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $pollable))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
  (alias export $error "error" (type $io-error))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (export "output-stream" (type $out (sub resource)))
    (export "error" (type $error (eq $io-error)))
    (type $stream-error-is (variant (case "last-operation-failed" (own $error)) (case "closed")))
    (export "stream-error" (type $stream-error (eq $stream-error-is)))
    (export "[method]output-stream.write" (func (param "self" (borrow $out)) (param "contents" (list u8))
      (result (result (error $stream-error)))))))
  (alias export $streams "output-stream" (type $out))
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (export "output-stream" (type $o (eq $out)))
    (export "get-stdout" (func (result (own $o))))))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $monotonic
    (export "pollable" (type $p (eq $pollable)))
    (export "now" (func (result u64)))
    (export "subscribe-duration" (func (param "when" u64) (result (own $p))))))
  (import "wasi:clocks/wall-clock@0.2.0" (instance $wall
    (type $datetime-is (record (field "seconds" u64) (field "nanoseconds" u32)))
    (export "datetime" (type $datetime (eq $datetime-is)))
    (export "now" (func (result $datetime)))))
  (import "wasi:random/random@0.2.0" (instance $chance
    (export "get-random-bytes" (func (param "len" u64) (result (list u8))))
    (export "get-random-u64" (func (result u64)))))
  (import "wasi:cli/environment@0.2.0" (instance $environment
    (export "get-environment" (func (result (list (tuple string string)))))
    (export "get-arguments" (func (result (list string))))))
  (import "wasi:cli/exit@0.2.0" (instance $exit (export "exit" (func (param "status" (result))))))
  (import "wasi:filesystem/types@0.2.0" (instance $files (export "descriptor" (type (sub resource)))))
  (alias export $files "descriptor" (type $descriptor))
  (import "wasi:filesystem/preopens@0.2.0" (instance $preopens
    (export "descriptor" (type $d (eq $descriptor)))
    (export "get-directories" (func (result (list (tuple (own $d) string)))))))
  (import "wasi:sockets/network@0.2.0" (instance $network
    (type $code-is (enum "unknown" "access-denied" "not-supported" "invalid-argument" "out-of-memory" "timeout"
      "concurrency-conflict" "not-in-progress" "would-block" "invalid-state" "new-socket-limit" "address-not-bindable"
      "address-in-use" "remote-unreachable" "connection-refused" "connection-reset" "connection-aborted"
      "datagram-too-large" "name-unresolvable" "temporary-resolver-failure" "permanent-resolver-failure"))
    (export "error-code" (type $code (eq $code-is)))
    (type $family-is (enum "ipv4" "ipv6"))
    (export "ip-address-family" (type $family (eq $family-is)))))
  (alias export $network "error-code" (type $error-code))
  (alias export $network "ip-address-family" (type $family))
  (import "wasi:sockets/tcp@0.2.0" (instance $tcp (export "tcp-socket" (type (sub resource)))))
  (alias export $tcp "tcp-socket" (type $tcp-socket))
  (import "wasi:sockets/tcp-create-socket@0.2.0" (instance $sockets
    (export "error-code" (type $e (eq $error-code)))
    (export "ip-address-family" (type $f (eq $family)))
    (export "tcp-socket" (type $s (eq $tcp-socket)))
    (export "create-tcp-socket" (func (param "address-family" $f) (result (result (own $s) (error $e)))))))
  (core func $w-stdout (canon lower (func $stdout "get-stdout")))
  (core func $w-print (canon lower (func $streams "[method]output-stream.write") (memory (core memory $libc "memory"))))
  (core func $w-sleep (canon lower (func $monotonic "subscribe-duration")))
  (core func $w-block (canon lower (func $poll "[method]pollable.block")))
  (core func $w-now (canon lower (func $wall "now") (memory (core memory $libc "memory"))))
  (core func $w-ticks (canon lower (func $monotonic "now")))
  (core func $w-random (canon lower (func $chance "get-random-u64")))
  (core func $w-bytes (canon lower (func $chance "get-random-bytes") (memory (core memory $libc "memory"))
    (realloc (core func $libc "realloc"))))
  (core func $w-environment (canon lower (func $environment "get-environment") (memory (core memory $libc "memory"))
    (realloc (core func $libc "realloc"))))
  (core func $w-arguments (canon lower (func $environment "get-arguments") (memory (core memory $libc "memory"))
    (realloc (core func $libc "realloc"))))
  (core func $w-files (canon lower (func $preopens "get-directories") (memory (core memory $libc "memory"))
    (realloc (core func $libc "realloc"))))
  (core func $w-socket (canon lower (func $sockets "create-tcp-socket") (memory (core memory $libc "memory"))))
  (core func $w-exit (canon lower (func $exit "exit")))"#;
