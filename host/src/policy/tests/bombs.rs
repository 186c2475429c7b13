//! Files that are made to be too much: small ones that stand for very much, and large ones.

/// A file, and words of the reason for which it is refused.
pub(super) struct Bomb {
    pub(super) name: &'static str,
    pub(super) file: Vec<u8>,
    pub(super) reason: &'static str,
}

/// The export by which a file is known for a plugin.
const LIFECYCLE: &str = r#"(instance $it) (export "switchyard:policy/lifecycle@0.1.0" (instance $it))"#;

/// All of them.
pub(super) fn files() -> Vec<Bomb> {
    let text = |name, reason, text: String| {
        let file = wat::parse_str(format!("(component {LIFECYCLE} {text})")).expect("a component");
        Bomb { name, file, reason }
    };
    let module = |name, reason, parts: String| text(name, reason, format!("(core module {parts})"));
    let many = |count: usize, part: &dyn Fn(usize) -> String| (0..count).map(part).collect::<String>();
    let imports = |count| many(count, &|n| format!("(import \"evil:net/n{n}@1.0.0\" (instance))"));
    vec![
        text("imports thousands of things", "exceeds limit of 1000", imports(5_000)),
        text("imports hundreds of things", "and 897 more, which no plugin gets", imports(900)),
        text(
            "imports a name of 90 kB",
            "evil:net/aaaa",
            format!("(import \"evil:net/{}@1.0.0\" (instance))", "a".repeat(90_000)),
        ),
        text(
            "imports threads",
            "imports wasi:thread/spawn@0.1.0",
            r#"(import "wasi:thread/spawn@0.1.0" (instance))"#.into(),
        ),
        module("shares its memory between threads", "threads must be enabled", "(memory 1 1 shared)".into()),
        module("has 4 GiB of memory", "exceeds the limit", "(memory 65536)".into()),
        module("has a table of ten million", "exceeds the limit", "(table 10000000 funcref)".into()),
        text("has a thousand modules", "modules", "(core module)".repeat(1_000)),
        module("has too many functions", "functions", "(func)".repeat(120_000)),
        text("doubles itself thirty times", "items to instantiate", doubled(30)),
        text(
            "has components in one another",
            "levels of components",
            format!("{}{}", "(component ".repeat(50), ")".repeat(50)),
        ),
        Bomb { name: "has types in one another", file: types(500_000), reason: "levels of types" },
        text(
            "has lists of lists",
            "too deep",
            many(5_000, &|n| {
                format!("(type $l{} (list {}))", n + 1, if n == 0 { "u8".into() } else { format!("$l{n}") })
            }),
        ),
        text(
            "has a hundred instances",
            "core module instances",
            format!("(core module $m) {}", "(core instance (instantiate $m))".repeat(100)),
        ),
        text(
            "has many memories at once",
            "memories",
            format!("(core module $m {}) (core instance (instantiate $m))", "(memory 1)".repeat(9)),
        ),
        text(
            "has many tables at once",
            "tables",
            format!("(core module $m {}) (core instance (instantiate $m))", "(table 1 funcref)".repeat(20)),
        ),
        Bomb { name: "has 200 MB", file: large(), reason: "67108864 are allowed" },
    ]
}

/// Each component instantiates the one before it twice.
fn doubled(times: usize) -> String {
    let first = "(component $c0 (core module $m) (core instance (instantiate $m)))".to_owned();
    let next = |n: usize| {
        let twice = format!("(instance (instantiate $c{}))", n - 1).repeat(2);
        format!("(component $c{n} (alias outer 1 $c{} (component $c{})) {twice})", n - 1, n - 1)
    };
    let rest: String = (1..=times).map(next).collect();
    format!("{first} {rest} (instance (instantiate $c{times}))")
}

/// Types of components in one another, which no text can have: its reader would run out of stack.
fn types(levels: usize) -> Vec<u8> {
    let mut section = vec![1];
    for _ in 1..levels {
        section.extend([0x41, 1, 1]);
    }
    section.extend([0x41, 0]);
    let mut file = wat::parse_str(format!("(component {LIFECYCLE})")).expect("a component");
    file.push(7);
    let mut size = section.len();
    while size >= 0x80 {
        file.push(size as u8 | 0x80);
        size >>= 7;
    }
    file.push(size as u8);
    file.extend(section);
    file
}

/// A component with a section that nobody reads.
fn large() -> Vec<u8> {
    let mut file = wat::parse_str("(component)").expect("a component");
    file.resize(200 << 20, 0);
    file
}
