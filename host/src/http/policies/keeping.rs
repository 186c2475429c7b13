//! Puts texts in force, and keeps them as files where there is a folder of policies.

use std::path::Path;

use super::{source_of, tag};
use crate::domain::{Expected, Origin, PolicyName};
use crate::folders::{self, Draft};
use crate::http::App;
use crate::http::access::Caller;
use crate::http::api::PolicyTexts as Texts;
use crate::http::problem::Problem;
use crate::policy::PolicyStatus;

/// Puts texts in force, and keeps them as files where there is a folder of policies. They are written before they are in
/// force, and only then in their places: what cannot be kept changes nothing.
pub(super) async fn put(
    app: &App,
    caller: &Caller,
    name: PolicyName,
    expected: &Expected,
    texts: Texts,
) -> Result<PolicyStatus, Problem> {
    let source = source_of(&texts, app, caller)?;
    let kept = folders::Texts { toml: source.toml.clone(), scripts: source.scripts.clone() };
    let folder = app.parts.policies_folder.alone().await;
    // Whoever else changes it waits for the folder.
    expected.check(app.parts.policies.policy(&name).as_ref().and_then(tag).as_deref())?;
    let (of, most_bytes) = (name.clone(), app.parts.policies.source_bytes());
    let before = app.parts.policies.source(&name);
    let came_from_a_file = before.is_some_and(|before| matches!(before.origin, Origin::File { .. }));
    let drafted = folder.work(move |folder| match draft(folder, &of, &kept, most_bytes) {
        // When it is there again, so is the file that this was to replace.
        Ok(Ok(None)) if came_from_a_file => Err(std::io::Error::other("it is not there")),
        drafted => drafted,
    });
    let draft = drafted.await.map_err(|error| not_kept(&error))??;
    let status = match app.parts.policies.apply(name, source).await {
        Ok(status) => status,
        Err(rejection) => {
            // Its files are removed where a disk may take its time.
            let removed = move |_: &Path| {
                drop(draft);
                Ok(())
            };
            let _ = folder.work(removed).await;
            return Err(rejection.into());
        }
    };
    let put = folder.work(move |_| draft.map_or(Ok(()), Draft::put)).await;
    put.map_err(|error| {
        tracing::error!(%error, "a policy is in force but its files are not all in their places");
        let why =
            format!("the policy is in force, but its files are not in their places: {error}; a restart may undo it");
        Problem::unavailable(why)
    })?;
    Ok(status)
}

/// Writes texts where there is a folder, unless they would change a script of another policy.
fn draft(
    folder: &Path,
    name: &PolicyName,
    texts: &folders::Texts,
    most_bytes: usize,
) -> std::io::Result<Result<Option<Draft>, Problem>> {
    if !folder.is_dir() {
        return Ok(Ok(None));
    }
    let others = folders::in_others(folder, name, most_bytes)?;
    for (script, text) in &texts.scripts {
        if let Some(other) = others.get(script)
            && folders::read_text(folder, script, most_bytes).ok().flatten().as_ref() != Some(text)
        {
            let why =
                format!("{script} is the script of {other}.toml as well, and would be another one for both of them");
            return Ok(Err(Problem::conflict(format!("{why}: give the script of {name} a name of its own"))));
        }
    }
    Draft::write(folder, name, texts).map(|draft| Ok(Some(draft)))
}

fn not_kept(error: &std::io::Error) -> Problem {
    tracing::error!(%error, "a policy cannot be kept");
    Problem::unavailable(format!("nothing is changed: the folder of policies cannot be written: {error}"))
}
