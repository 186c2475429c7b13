//! Where the demo's conversations come from: the samples of the project, or files of real ones.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde_json::{Value, json};

const SAMPLES: &str = include_str!("../../../../tests/simulator/data/samples.jsonl");
/// The pages of the demo's organizations, over which the conversations of files are spread.
pub(super) const ACCOUNTS: [(u64, &str); 3] = [(11, "Demo shop"), (21, "Demo bank"), (31, "Demo travel")];
const CHANNELS: [&str; 4] = ["whatsapp", "inmessage", "facebook", "instagram"];

/// The samples, or the conversations of the files: the file's name is the team, the intents are tags.
pub(super) fn read(files: &[PathBuf]) -> anyhow::Result<Vec<Value>> {
    if files.is_empty() {
        return SAMPLES.lines().map(|line| Ok(serde_json::from_str(line)?)).collect();
    }
    let mut all = Vec::new();
    for file in files {
        read_file(file, &mut all).with_context(|| file.display().to_string())?;
    }
    Ok(all)
}

/// Rows may be empty, repeated or short of a column, as real exports are: such a row adds nothing. A quoted utterance may
/// hold tabs and line ends.
fn read_file(file: &Path, all: &mut Vec<Value>) -> anyhow::Result<()> {
    let team = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or("data").to_owned();
    let mut reader =
        csv::ReaderBuilder::new().delimiter(b'\t').flexible(true).from_path(file).context("cannot be read")?;
    let headers = reader.headers()?.clone();
    let column = |name: &str| headers.iter().position(|header| header == name);
    let (Some(key), Some(turn), Some(text)) = (column("conversationId"), column("turnNumber"), column("utterance"))
    else {
        bail!("the first line names no conversationId, turnNumber and utterance");
    };
    let intent = column("intent");
    let mut order = Vec::new();
    let mut turns: HashMap<String, Vec<(f64, String)>> = HashMap::new();
    let mut tags: HashMap<String, Vec<String>> = HashMap::new();
    for row in reader.records() {
        let row = row?;
        let (Some(key), Some(turn)) = (row.get(key).filter(|key| !key.is_empty()), row.get(turn)) else { continue };
        // Some exports number their turns 0.0, 1.0, ...
        let Ok(turn) = turn.parse::<f64>() else { continue };
        let text = row.get(text).unwrap_or_default();
        let known = turns.entry(key.to_owned()).or_insert_with(|| {
            order.push(key.to_owned());
            Vec::new()
        });
        if !known.iter().any(|(number, _)| *number == turn) {
            known.push((turn, text.to_owned()));
        }
        if let Some(tag) = intent.and_then(|intent| row.get(intent)).filter(|tag| !tag.is_empty()) {
            let tags = tags.entry(key.to_owned()).or_default();
            if !tags.iter().any(|known| known == tag) {
                tags.push(tag.to_owned());
            }
        }
    }
    if order.is_empty() {
        bail!("no row has a conversation and a turn");
    }
    for (number, key) in order.into_iter().enumerate() {
        let mut said = turns.remove(&key).unwrap_or_default();
        said.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        let (account, name) = ACCOUNTS[number % ACCOUNTS.len()];
        let messages: Vec<_> =
            said.into_iter().map(|(_, body)| json!({ "direction": "inbound", "body": body })).collect();
        all.push(json!({
            "key": format!("{team}-{key}"),
            "channel": CHANNELS[number % CHANNELS.len()],
            "account": { "id": account, "name": name },
            "team": team,
            "tags": tags.remove(&key).unwrap_or_default(),
            "closed": false,
            "customer": { "name": format!("Customer {key}") },
            "messages": messages,
        }));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_are_empty_repeated_or_short_of_a_column_add_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("finance.tsv");
        let text = "conversationId\tturnNumber\tutteranceId\tutterance\tslot-labels\tintent\n\
                    a\t2\tx\tsecond \"quoted\t0\tpay\n\n\
                    a\t1.0\tx\tfirst\n\
                    a\t1\tx\tfirst\n\
                    a\t3\tx\t\"main street\t5,\n 55343 hopkins\"\t0\tcontentonly\n\
                    b\tnone\tx\tno turn\n";
        std::fs::write(&file, text).unwrap();
        let read = read(&[file]).unwrap();
        assert_eq!(read.len(), 1);
        let bodies: Vec<_> =
            read[0]["messages"].as_array().unwrap().iter().map(|m| m["body"].as_str().unwrap()).collect();
        assert_eq!(bodies, ["first", "second \"quoted", "main street\t5,\n 55343 hopkins"]);
        assert_eq!(read[0]["tags"], json!(["pay", "contentonly"]));
        assert_eq!(read[0]["team"], "finance");
    }

    #[test]
    fn every_sample_has_a_team_an_account_and_a_message() {
        for sample in read(&[]).unwrap() {
            assert!(sample["account"]["id"].is_u64() && !sample["messages"].as_array().unwrap().is_empty(), "{sample}");
        }
    }
}
