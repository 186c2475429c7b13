//! The place of errors that Rhai itself keeps no place of: those of its limits.

use super::*;

/// Each script fails with these words at this place.
fn check(cases: &[(&str, &str, &str)]) {
    for (source, at, words) in cases {
        let refusal = script(source).route(conversation()).unwrap_err();
        assert_eq!(refusal.code, "SCRIPT_ERROR");
        assert_eq!(refusal.message, format!("test.rhai, {at}: {words}"), "{source}");
    }
}

#[test]
fn a_loop_without_an_end_is_named_by_line_and_column() {
    let words = "Too many operations";
    check(&[
        ("fn route(it) {\n  loop { }\n}", "line 2, column 3, in route", words),
        ("fn route(it) {\n  while true {\n    let x = 1;\n  }\n}", "line 2, column 3, in route", words),
        ("fn route(it) {\n  let all = [1];\n  loop { all[0]; }\n}", "line 3, column 13, in route", words),
        ("fn wait() {\n  loop { }\n}\nfn route(it) { wait() }", "line 2, column 3, in wait", words),
        ("fn route(it) {\n  [1].map(|x| {\n    loop { x; }\n  })\n}", "line 3, column 5, in a closure", words),
    ]);
}

#[test]
fn a_recursion_that_is_too_deep_is_named_by_line_and_column() {
    let words = "Stack overflow";
    check(&[
        ("fn route(it) {\n  route(it)\n}", "line 2, column 9, in route", words),
        ("fn one() { two() }\nfn two() {\n  one()\n}\nfn route(it) { one() }", "line 3, column 3, in two", words),
    ]);
}

#[test]
fn what_grows_too_large_is_named_by_line_and_column() {
    check(&[
        (
            "fn route(it) {\n  let all = `x`;\n  loop {\n    all += all;\n  }\n}",
            "line 4, column 12, in route",
            "Length of string too large",
        ),
        ("fn route(it) {\n  `x`.pad(9999999, `x`)\n}", "line 2, column 7, in route", "Length of string too large"),
        (
            "fn grow() {\n  let all = [1];\n  loop { all += all; }\n}\nfn route(it) { grow() }",
            "line 3, column 17, in grow",
            "Size of array/BLOB too large",
        ),
    ]);
}

#[test]
fn the_top_level_and_what_it_calls_have_places_too() {
    for (source, place, words) in [
        ("let x = 1;\nloop { x += 1; }", (Some(2), Some(10)), "Too many operations"),
        ("fn f() {\n  loop { }\n}\nf();", (Some(2), Some(3)), "Too many operations"),
        ("fn f() {\n  f()\n}\nf();", (Some(2), Some(3)), "Stack overflow"),
        ("let x = `x`;\nloop { x += x; }", (Some(2), Some(13)), "Length of string too large"),
        ("let all = settings.all;\nloop { all += all; }", (Some(2), Some(15)), "Size of array/BLOB too large"),
    ] {
        let source = format!("{source}\nfn route(it) {{ track_only() }}");
        let problem = problem(configure(&serde_json::json!({"all": [1]}), &source), &source);
        assert_eq!((problem.line, problem.column), place, "{source}");
        assert_eq!(problem.message, words, "{source}");
    }
}
