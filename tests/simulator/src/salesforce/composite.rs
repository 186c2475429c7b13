//! Several calls in one, where later ones may use what earlier ones answered.

use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::calls::Call;
use super::org::Org;
use super::refusal::Refusal;
use super::{rest, versions};

/// Subrequests in a composite call.
const LIMIT: usize = 25;
/// Graphs and nodes in a graph call, and failing graphs after which the others are not tried.
const GRAPHS: usize = 75;
const NODES: usize = 500;
const FAILING_GRAPHS: usize = 14;

const ROLLED_BACK: &str = "The transaction was rolled back since another operation in the same transaction failed.";

/// What became of one subrequest.
struct Done {
    id: String,
    result: Result<Answer, Refusal>,
}

/// POST /composite
pub(crate) fn run(org: &mut Org, call: &Call, version: u32) -> Result<Answer, Refusal> {
    let mut body = call.object()?;
    let all_or_none = body.get("allOrNone").and_then(Value::as_bool).unwrap_or(false);
    let requests = requests(body.remove("compositeRequest"), "compositeRequest")?;
    if requests.len() > LIMIT {
        let message = format!("The limit of {LIMIT} subrequests in one composite call has been exceeded.");
        return Err(Refusal::new("LIMIT_EXCEEDED", message));
    }
    let heavy = |request: &&Map<String, Value>| {
        let url = text(request, "url");
        ["/query", "/composite/sobjects"].iter().any(|part| url.contains(part))
    };
    let most = org.config.composite_heavy_limit;
    if requests.iter().filter(heavy).count() > most {
        let message = format!("No more than {most} subrequests can be queries or collections.");
        return Err(Refusal::new("LIMIT_EXCEEDED", message));
    }
    let done = transaction(org, call, &requests, all_or_none, |_| true);
    Ok(Answer::json(200, json!({"compositeResponse": shown(done, version)})))
}

/// POST /composite/graph: each graph is a transaction of its own.
pub(crate) fn graphs(org: &mut Org, call: &Call, version: u32) -> Result<Answer, Refusal> {
    let body = call.object()?;
    let graphs = body.get("graphs").and_then(Value::as_array);
    let graphs = graphs.ok_or_else(|| Refusal::new("MISSING_ARGUMENT", "The graphs field is required"))?;
    if graphs.len() > GRAPHS {
        return Err(Refusal::new("LIMIT_EXCEEDED", format!("No more than {GRAPHS} graphs in one call.")));
    }
    let mut parsed = Vec::with_capacity(graphs.len());
    let mut nodes = 0;
    for graph in graphs {
        let requests = requests(graph.get("compositeRequest").cloned(), "compositeRequest")?;
        nodes += requests.len();
        parsed.push((graph["graphId"].as_str().unwrap_or_default(), requests));
    }
    if nodes > NODES {
        return Err(Refusal::new("LIMIT_EXCEEDED", format!("No more than {NODES} nodes in one call.")));
    }
    let mut failing = 0;
    let mut answers = Vec::with_capacity(parsed.len());
    for (id, requests) in parsed {
        let done = if failing < FAILING_GRAPHS {
            transaction(org, call, &requests, true, |url| url.contains("/sobjects/"))
        } else {
            let message = "Not executed: too many graphs failed before this one.";
            requests.iter().map(|request| halted(text(request, "referenceId"), message)).collect()
        };
        let successful = done.iter().all(|one| one.result.is_ok());
        failing += usize::from(!successful);
        answers.push(json!({
            "graphId": id,
            "graphResponse": {"compositeResponse": shown(done, version)},
            "isSuccessful": successful,
        }));
    }
    Ok(Answer::json(200, json!({"graphs": answers})))
}

fn text<'a>(request: &'a Map<String, Value>, name: &str) -> &'a str {
    request.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The subrequests of an envelope, each with a method, a url and a reference id of its own.
fn requests(given: Option<Value>, name: &str) -> Result<Vec<Map<String, Value>>, Refusal> {
    let Some(Value::Array(given)) = given else {
        return Err(Refusal::new("MISSING_ARGUMENT", format!("The {name} field is required")));
    };
    let mut requests = Vec::with_capacity(given.len());
    for request in given {
        let Value::Object(request) = request else {
            return Err(Refusal::new("JSON_PARSER_ERROR", format!("{name} takes objects")));
        };
        for key in ["method", "url", "referenceId"] {
            if text(&request, key).is_empty() {
                return Err(Refusal::new("MISSING_ARGUMENT", format!("{key} is required in {name}")));
            }
        }
        let id = text(&request, "referenceId");
        if requests.iter().any(|other| text(other, "referenceId") == id) {
            return Err(Refusal::new("INVALID_INPUT", format!("Duplicate reference id {id}")));
        }
        requests.push(request);
    }
    Ok(requests)
}

/// Runs the subrequests in order. With `all_or_none`, one that fails takes back all and the rest is not tried.
fn transaction(
    org: &mut Org,
    call: &Call,
    requests: &[Map<String, Value>],
    all_or_none: bool,
    allowed: impl Fn(&str) -> bool,
) -> Vec<Done> {
    let before = (org.totals.created, org.totals.updated);
    let start = org.mark();
    let mut done: Vec<Done> = Vec::with_capacity(requests.len());
    let mut failed = false;
    for request in requests {
        let id = text(request, "referenceId").to_owned();
        if failed && all_or_none {
            done.push(halted(&id, ROLLED_BACK));
            continue;
        }
        let mark = org.mark();
        let one = match refer(request, &done) {
            Err(message) => halted(&id, &message),
            Ok(request) if !allowed(text(&request, "url")) => {
                let message = format!("Unsupported URL in a graph: {}", text(&request, "url"));
                Done { id, result: Err(Refusal::new("INVALID_INPUT", message)) }
            }
            Ok(request) => Done { id, result: subrequest(org, call, &request) },
        };
        if one.result.is_err() {
            org.roll_back(mark);
            org.totals.refused += 1;
            failed = true;
        }
        done.push(one);
    }
    if failed && all_or_none {
        org.roll_back(start);
        (org.totals.created, org.totals.updated) = before;
        // What led nowhere keeps its own words.
        done.iter_mut().filter(|one| one.result.is_ok()).for_each(|one| {
            one.result = Err(rolled_back());
        });
    }
    done
}

fn rolled_back() -> Refusal {
    Refusal::new("PROCESSING_HALTED", ROLLED_BACK)
}

fn halted(id: &str, message: &str) -> Done {
    Done { id: id.to_owned(), result: Err(Refusal::new("PROCESSING_HALTED", message)) }
}

/// Runs one subrequest; a 300 is an answer and no refusal.
fn subrequest(org: &mut Org, call: &Call, request: &Map<String, Value>) -> Result<Answer, Refusal> {
    let headers = request.get("httpHeaders").and_then(Value::as_object);
    let inner = call.inner(text(request, "method"), text(request, "url"), headers, request.get("body"))?;
    run_inner(org, &inner)
}

/// Runs a call inside a call.
pub(crate) fn run_inner(org: &mut Org, inner: &Call) -> Result<Answer, Refusal> {
    let segments: Vec<&str> = inner.segments.iter().map(String::as_str).collect();
    let ["services", "data", version, rest @ ..] = segments.as_slice() else { return Err(Refusal::not_found()) };
    if matches!(rest, ["composite", "graph" | "batch", ..] | ["composite"]) {
        return Err(Refusal::new("INVALID_INPUT", "A composite call cannot hold another"));
    }
    rest::route(org, inner, versions::version_of(version)?, rest)
}

fn shown(done: Vec<Done>, version: u32) -> Vec<Value> {
    done.into_iter()
        .map(|one| {
            let answer = one.result.unwrap_or_else(|refusal| refusal.answer(version));
            let headers: Map<String, Value> =
                answer.headers.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
            json!({
                "body": answer.body,
                "httpHeaders": headers,
                "httpStatusCode": answer.status,
                "referenceId": one.id,
            })
        })
        .collect()
}

/// The request with every `@{reference}` replaced by what it means, or why one means nothing.
fn refer(request: &Map<String, Value>, done: &[Done]) -> Result<Map<String, Value>, String> {
    let mut request = request.clone();
    for key in ["url", "body", "httpHeaders"] {
        if let Some(value) = request.get_mut(key) {
            replace(value, done)?;
        }
    }
    Ok(request)
}

fn replace(value: &mut Value, done: &[Done]) -> Result<(), String> {
    match value {
        Value::Array(values) => values.iter_mut().try_for_each(|value| replace(value, done)),
        Value::Object(fields) => fields.values_mut().try_for_each(|value| replace(value, done)),
        Value::String(text) if text.contains("@{") => {
            // A text that is one reference takes the value with its type.
            if let Some(only) = text.strip_prefix("@{").and_then(|rest| rest.strip_suffix('}'))
                && !only.contains("@{")
            {
                *value = resolve(only, done)?;
                return Ok(());
            }
            let mut replaced = String::new();
            let mut rest = text.as_str();
            while let Some((plain, behind)) = rest.split_once("@{") {
                let Some((path, after)) = behind.split_once('}') else { break };
                replaced.push_str(plain);
                match resolve(path, done)? {
                    Value::String(found) => replaced.push_str(&found),
                    other => replaced.push_str(&other.to_string()),
                }
                rest = after;
            }
            replaced.push_str(rest);
            *text = replaced;
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The value at `reference.key[0].key` in an earlier answer's body.
fn resolve(path: &str, done: &[Done]) -> Result<Value, String> {
    let (id, rest) = path.split_at(path.find(['.', '[']).unwrap_or(path.len()));
    let Some(earlier) = done.iter().find(|one| one.id == id) else {
        return Err(format!("Invalid reference specified. No reference found for {id}"));
    };
    let nothing = || {
        format!(
            "Invalid reference specified. No value for {path} found in {id}. Provided referenceId ('{id}') must start with a \
             letter or a number, and it can contain only letters, numbers and underscores ('_')."
        )
    };
    let halted = |_| format!("Execution halted as previous operation ({id}) was not successful.");
    let answer = earlier.result.as_ref().map_err(halted)?;
    let mut value = answer.body.as_ref().ok_or_else(nothing)?;
    for part in rest.split(['.', '[']).filter(|part| !part.is_empty()) {
        let next = match part.strip_suffix(']') {
            Some(index) => index.parse::<usize>().ok().and_then(|index| value.get(index)),
            None => value.get(part),
        };
        value = next.ok_or_else(nothing)?;
    }
    Ok(value.clone())
}
