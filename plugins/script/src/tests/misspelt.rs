//! What is misspelt where no sample comes by is found when the script is configured; what could run well is not refused.

use serde_json::{Value, json};

use super::*;

const ROUTE: &str = "fn route(conversation) { track_only() }\n";

fn settings() -> Value {
    json!({
        "hours": {"mon-fri": "09:00-18:00"}, "bad_hours": {"mon-fri": "9 to 6"},
        "zone": "Europe/Paris", "bad_zone": "Europe/Pari", "queues": {"orders": "Orders"},
    })
}

/// Each script has one problem, with this place and these words.
fn refused_with(cases: &[(&str, (u32, u32), &str)]) {
    for (source, (line, column), words) in cases {
        let problem = problem(configure(&settings(), source), source);
        assert!(problem.message.contains(words), "{source}\n{}", problem.message);
        assert_eq!((problem.line, problem.column), (Some(*line), Some(*column)), "{source}\n{}", problem.message);
        assert_eq!(problem.path, "test.rhai");
    }
}

/// The same in a route that no sample goes: the block begins in the second line.
fn off_the_path(cases: &[(&str, (u32, u32), &str)]) {
    for (block, place, words) in cases {
        let source = format!("fn route(it) {{ if it.team == `rare` {{\n{block}\n}} track_only() }}");
        refused_with(&[(&source, *place, words)]);
    }
}

fn accepted(sources: &[&str]) {
    for source in sources {
        if let Err(problems) = configure(&settings(), source) {
            panic!("{source}\n{problems:?}");
        }
    }
}

#[test]
fn a_function_that_is_not_there_is_named_with_the_nearest() {
    off_the_path(&[
        ("return queu(`x`);", (2, 8), "there is no function queu; is it queue?"),
        ("let text = `x`; text.has_any_wrd([`a`]);", (2, 22), "no function has_any_wrd; is it has_any_word?"),
        ("`x`.lenn();", (2, 5), "no function lenn; is it len?"),
        ("settings.queues.lokup(`x`);", (2, 17), "no function lokup; is it lookup?"),
        ("it.messages.filter(|m| has_any_wrd(m.body, [`a`]));", (2, 24), "is it has_any_word?"),
        ("zzzzzzzz(1);", (2, 1), "there is no function zzzzzzzz"),
        ("switch it.team { `a` => queu(`b`), _ => 1 }", (2, 25), "is it queue?"),
        ("for m in it.messages { while true { do { explan(`x`) } until true } }", (2, 42), "is it explain?"),
    ]);
    refused_with(&[
        ("fn helper(x) { 1 }\nfn route(it) { if it.closed { helpr(it) } track_only() }", (2, 31), "is it helper?"),
        (&format!("{ROUTE}fn choose(it, found) {{ if it.closed {{ nonne() }} none() }}"), (2, 39), "is it none?"),
    ]);
}

#[test]
fn a_function_that_does_not_take_so_many_is_refused() {
    off_the_path(&[
        ("return queue(`x`, 1);", (2, 8), "queue takes 1 argument, not 2"),
        ("queue();", (2, 1), "queue takes 1 argument, not 0"),
        ("within_hours(1);", (2, 1), "within_hours takes 2 or 3 arguments, not 1"),
        ("it.tags.len(1, 2, 3);", (2, 9), "len takes"),
    ]);
    refused_with(&[("fn one(x) { 1 }\nfn route(it) { if it.closed { one() } track_only() }", (2, 31), "one takes 1")]);
}

#[test]
fn a_field_that_is_not_there_is_named_with_the_nearest() {
    off_the_path(&[
        ("it.tem", (2, 4), "a conversation has no field tem; is it team?"),
        ("it?.tem", (2, 5), "is it team?"),
        ("it.customer.emial;", (2, 13), "a customer has no field emial; is it email?"),
        ("let c = it.customer; c.emial;", (2, 24), "is it email?"),
        ("it.newest_inbound?.bodi;", (2, 20), "a message has no field bodi; is it body?"),
        ("it.messages[0].bodi;", (2, 16), "is it body?"),
        ("for m in it.messages { m.bodi }", (2, 26), "is it body?"),
        ("it.messages.filter(|m| m.bodi == `x`)", (2, 26), "is it body?"),
        ("let c = it.customer; it.messages.some(|m| m.author == c.nam)", (2, 57), "a customer has no field nam"),
        ("it.messages.find(|m| m.body == `x`)?.bodi", (2, 38), "is it body?"),
        ("`${it.tem}`", (2, 7), "is it team?"),
        ("it.team(1)", (2, 4), "a conversation has no function team"),
    ]);
    refused_with(&[
        ("fn of(c) { c.emial }\nfn route(it) { if it.closed { of(it.customer) } track_only() }", (1, 14), "email"),
        ("fn judge(error) { if error.conversation.closd { hold() } as_usual() }", (1, 41), "is it closed?"),
        ("fn judge(error) { if error.clas == `auth` { } as_usual() }", (1, 28), "a sync error has no field clas"),
        ("fn choose(it, found) { if found.len() > 5 { found[0].emial } none() }", (1, 54), "a contact has no field"),
        ("fn choose(it, found) { ambiguous(found.map(|c| c.di)) }", (1, 50), "is it id?"),
    ]);
}

#[test]
fn a_question_that_is_misspelt_is_told_from_a_helper() {
    refused_with(&[
        ("fn search(it) { [] }\nfn rout(it) { queue(`x`) }", (2, 1), "rout is asked by nobody; is it route?"),
        (&format!("{ROUTE}fn serach(it) {{ [] }}"), (2, 1), "is it search?"),
        (&format!("{ROUTE}fn Judge(it) {{ hold() }}"), (2, 1), "is it judge?"),
    ]);
    accepted(&[
        "fn router(it) { 1 }\nfn route(it) { track_only() }",
        "fn search(it) { rout(it) }\nfn rout(it) { [] }",
        "fn rout(tag) { () }\nfn search(it) { it.tags.map(rout) }",
        "fn search(it) { call(Fn(`rout`), it) }\nfn rout(it) { [] }",
    ]);
    let alone = problem(configure(&json!({}), "fn rout(it) { none() }"), "rout");
    assert!(alone.message.contains("none of the functions"), "{}", alone.message);
}

#[test]
fn hours_and_zones_that_cannot_be_are_refused_where_they_stand() {
    off_the_path(&[
        ("within_hours(settings.hours, `Europe/Pari`)", (2, 30), "no time zone \"Europe/Pari\""),
        ("within_hours(settings.hours, settings.bad_zone)", (2, 30), "no time zone \"Europe/Pari\""),
        ("within_hours(settings.bad_hours, `UTC`)", (2, 14), "no working hours: mon-fri"),
        ("settings.bad_hours.within_hours(`UTC`)", (2, 1), "no working hours: mon-fri"),
        ("within_hours(#{ noday: `09:00-10:00` }, `UTC`, 1)", (2, 14), "no working hours: \"noday\""),
        ("local_time(`Paris`).hour", (2, 12), "no time zone \"Paris\""),
        ("`Paris`.local_time(1)", (2, 1), "no time zone \"Paris\""),
        ("matches(it.team, `(`)", (2, 18), "is not a pattern"),
    ]);
    refused_with(&[(
        "const HOURS = #{ mon: `9` };\nfn route(it) { if it.closed { within_hours(HOURS, `UTC`) } track_only() }",
        (2, 44),
        "no working hours: mon",
    )]);
}

#[test]
fn every_problem_is_told_at_once_in_the_order_of_their_places() {
    let source = "fn route(it) { if it.closed { it.tem; queu(1) } track_only() }\nfn choose(it, found) { nome() }";
    let problems = configure(&json!({}), source).map(drop).unwrap_err();
    let places: Vec<_> = problems.iter().map(|problem| (problem.line, problem.column)).collect();
    assert_eq!(places, [(Some(1), Some(34)), (Some(1), Some(39)), (Some(2), Some(24))], "{problems:?}");
    let many = format!("fn route(it) {{ if it.closed {{ {} }} track_only() }}", "queu(1);".repeat(100));
    assert_eq!(configure(&json!({}), &many).map(drop).unwrap_err().len(), 10);
}

#[test]
fn what_could_run_well_is_not_refused() {
    accepted(&[
        // Attributes and settings have whatever fields they have; so have maps that a script makes.
        "fn route(it) { if it.closed { it.attributes.anything; settings.nothing; it.customer.attributes.x } track_only() }",
        "fn route(it) { let m = #{ a: 1 }; m.b = 2; if m.c == () { } track_only() }",
        // What is called may be a closure in a map, however it came there.
        "fn route(it) { let m = #{ act: |x| x }; m.act(1); track_only() }",
        "fn route(it) { let m = #{}; m.act = |x| x; m.act(1); track_only() }",
        "fn route(it) { let m = #{}; m[`act`] = |x| x; m.act(1); track_only() }",
        "fn route(it) { let m = #{}; let key = it.channel; m[key] = |x| x; if it.closed { m.other(1) } track_only() }",
        "fn route(it) { let f = |x| x + 1; f.call(1); call(f, 1); track_only() }",
        // A name that means another thing meanwhile.
        "fn route(it) { let it = #{ own: 1 }; it.own; track_only() }",
        "fn route(it) { let c = it.customer; c = #{ own: 1 }; c.own; track_only() }",
        "fn route(it) { { let it = #{ own: 1 }; it.own; } it.team; track_only() }",
        "fn route(it) { for it in [#{ own: 1 }] { it.own; } track_only() }",
        "fn route(it) { try { throw #{ own: 1 }; } catch (it) { it.own; } track_only() }",
        "fn route(it) { [#{ own: 1 }].map(|it| it.own); track_only() }",
        "fn route(it) { let f = |c| c = #{ own: 1 }; let c = it.customer; let g = || { c = #{ own: 1 }; }; g.call(); c.own; track_only() }",
        // Helpers that are given several kinds of things.
        "fn name(of) { if type_of(of) == `map` { of.own } else { of.team } }\nfn route(it) { name(it); name(#{ own: 1 }); track_only() }",
        "fn name(of) { of.own }\nfn route(it) { [#{ own: 1 }].map(name); [#{ own: 1 }].map(Fn(`name`)); track_only() }",
        "fn own() { this.own }\nfn route(it) { let m = #{ own: 1 }; m.own(); track_only() }",
        // A list that is changed is a list of anything.
        "fn choose(it, found) { found.push(#{ own: 1 }); found[0].own; none() }",
        "fn choose(it, found) { push(found, #{ own: 1 }); found[0].own; none() }",
        "fn choose(it, found) { found += [#{ own: 1 }]; found[0].own; none() }",
        "fn choose(it, found) { if found.len() > 0 { found[0] = #{ own: 1 }; found[0].own; } none() }",
        "fn choose(it, found) { found.for_each(|| this = #{ own: 1 }); for c in found { c.own; } none() }",
        // Whoever asks first, or catches what goes wrong, may use what is not there.
        "fn route(it) { if is_def_fn(`is_vip`, 1) { is_vip(it); } track_only() }",
        "fn route(it) { try { it.priority } catch { } try { is_vip(it) } catch { } track_only() }",
        "fn route(it) { try { it.messages.map(|m| m.priority) } catch { } track_only() }",
        "fn own(it) { deeper(it) }\nfn deeper(it) { it.priority }\nfn route(it) { try { own(it) } catch { } track_only() }",
        "fn own(m) { m.priority }\nfn route(it) { try { it.messages.map(Fn(`own`)) } catch { } track_only() }",
        // Their own functions come before the host's.
        "fn within_hours(a, b) { true }\nfn route(it) { within_hours(1, `nowhere`); track_only() }",
        "fn matches(a, b) { true }\nfn route(it) { matches(1, `(`); track_only() }",
        "fn route(it) { print(`x`); debug(it.team); type_of(it); is_shared(it); it.type_of(); track_only() }",
        // Names of the top level, and functions of the same name that take more or less.
        "const QUEUE = `x`;\nfn q() { q(1) }\nfn q(x) { queue(QUEUE) }\nfn route(it) { q() }",
        "fn route(it) { it.messages.map(|m, at| `${at} ${m.body}`); it.messages.sort(|a, b| a.sent_at - b.sent_at); track_only() }",
        "fn route(it) { it.messages.reduce(|sum, m| (sum ?? 0) + m.body.len()); track_only() }",
        "fn route(it) { if settings.hours != () && within_hours(settings.hours, settings.zone) { } track_only() }",
        "fn route(it) { if settings.no_hours != () { within_hours(settings.no_hours, settings.no_zone) } track_only() }",
        "fn route(it) { let settings = #{ bad_zone: `UTC` }; local_time(settings.bad_zone); track_only() }",
        "fn string.shout() { this + `!` }\nfn route(it) { it.channel.shout(); track_only() }",
    ]);
}

#[test]
fn every_script_of_the_repository_passes() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut scripts = 0;
    for folder in ["policies", "plugins/examples/script", "host/src/cli/plugin/templates/script"] {
        for file in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|end| end == "rhai") {
                let source = std::fs::read_to_string(&path).unwrap();
                let problems = configure(&settings(), &source).map(drop);
                assert!(problems.is_ok(), "{}: {problems:?}", path.display());
                scripts += 1;
            }
        }
    }
    assert!(scripts >= 5, "{scripts}");
}

#[test]
fn what_is_long_or_deep_is_looked_at_like_any_other() {
    let long = "let x = it.team; if x == `a` { explain(`b`); }\n".repeat(2_000);
    let deep = format!("let x = {}`a`;", "`a` + ".repeat(20));
    let calls: String = (0..40).map(|n| format!("fn f{n}(of) {{ f{}(of.customer ?? of) }}\n", n + 1)).collect();
    accepted(&[
        &format!("fn route(it) {{ {long} track_only() }}"),
        &format!("fn route(it) {{ {deep} track_only() }}"),
        &format!("{calls}fn f40(of) {{ of.own }}\nfn route(it) {{ f0(it); track_only() }}"),
    ]);
    let missed = format!("fn route(it) {{ {long} if it.closed {{ it.tem; }} track_only() }}");
    assert!(configure(&settings(), &missed).is_err());
}
