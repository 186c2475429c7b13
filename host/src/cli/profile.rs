//! The host that commands speak to where neither flags nor the environment name one: `~/.config/switchyard/client.toml`.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::Deserialize;

use crate::domain::Secret;

/// How long the file, and a token's, may be, in bytes.
const BYTES: u64 = 64 << 10;

/// What the file says.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Profile {
    /// Where the host answers.
    pub(super) url: Option<String>,
    /// A token of that host.
    pub(super) token: Option<Secret>,
    /// Or the file that has it, from this one's folder where it is no whole path.
    token_file: Option<PathBuf>,
}

impl Profile {
    /// What the file says; nothing where there is none.
    pub(super) fn read() -> anyhow::Result<Self> {
        match place(std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from), std::env::home_dir()) {
            Some(path) => Self::of(&path).with_context(|| path.display().to_string()),
            None => Ok(Self::default()),
        }
    }

    fn of(path: &Path) -> anyhow::Result<Self> {
        let Some(text) = text_of(path)? else { return Ok(Self::default()) };
        let mut profile: Self = toml::from_str(&text)?;
        match (&profile.token, profile.token_file.take()) {
            (Some(_), Some(_)) => bail!("`token` and `token_file` are given both"),
            (Some(_), None) => for_its_owner_alone(path)?,
            (None, Some(file)) => {
                let file = path.parent().unwrap_or(Path::new("")).join(file);
                let token = text_of(&file).with_context(|| file.display().to_string())?;
                let token = token.with_context(|| format!("{}: there is no such file", file.display()))?;
                for_its_owner_alone(&file).with_context(|| file.display().to_string())?;
                profile.token = Some(Secret::new(token.trim()));
            }
            (None, None) => {}
        }
        Ok(profile)
    }
}

/// Where the file is, if it can be said.
fn place(config: Option<PathBuf>, home: Option<PathBuf>) -> Option<PathBuf> {
    let config = config.filter(|config| config.is_absolute());
    let home = home.filter(|home| home.is_absolute());
    Some(config.or_else(|| Some(home?.join(".config")))?.join("switchyard/client.toml"))
}

fn text_of(path: &Path) -> anyhow::Result<Option<String>> {
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mut text = String::new();
    file.take(BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > BYTES {
        bail!("it has more than {BYTES} bytes");
    }
    Ok(Some(text))
}

/// A token that others on this machine can read is not used.
fn for_its_owner_alone(path: &Path) -> anyhow::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if std::fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
            bail!("others can read the token in it; `chmod 600` makes it yours alone");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_where_programs_keep_their_settings() {
        let path = |config: Option<&str>, home: Option<&str>| place(config.map(Into::into), home.map(Into::into));
        assert_eq!(path(None, Some("/home/ann")), Some("/home/ann/.config/switchyard/client.toml".into()));
        assert_eq!(path(Some("/etc/ann"), Some("/home/ann")), Some("/etc/ann/switchyard/client.toml".into()));
        assert_eq!(path(Some("relative"), Some("/home/ann")), Some("/home/ann/.config/switchyard/client.toml".into()));
        assert_eq!(path(None, None), None);
    }

    #[test]
    fn a_missing_file_says_nothing_and_a_wrong_one_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("client.toml");
        assert!(Profile::of(&path).unwrap().url.is_none());
        let wrong = |text: &str| {
            std::fs::write(&path, text).unwrap();
            format!("{:#}", Profile::of(&path).unwrap_err())
        };
        assert!(wrong("host = 'x'").contains("unknown field `host`"));
        assert!(wrong("token = 'a'\ntoken_file = 'b'").contains("both"));
        assert!(wrong("token_file = 'none'").contains("there is no such file"));
        assert!(wrong(&"#".repeat(70_000)).contains("65536 bytes"));
    }

    #[cfg(unix)]
    #[test]
    fn a_token_that_others_can_read_is_not_used() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (path, token) = (folder.path().join("client.toml"), folder.path().join("token"));
        let mode = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        std::fs::write(&path, "url = 'https://host.example'\ntoken = 'a-secret'").unwrap();
        mode(&path, 0o640);
        let refused = format!("{:#}", Profile::of(&path).unwrap_err());
        assert!(refused.contains("chmod 600") && !refused.contains("a-secret"), "{refused}");
        mode(&path, 0o600);
        assert_eq!(Profile::of(&path).unwrap().token.unwrap().reveal(), "a-secret");
        std::fs::write(&path, "token_file = 'token'").unwrap();
        std::fs::write(&token, "another\n").unwrap();
        mode(&path, 0o644);
        mode(&token, 0o644);
        assert!(Profile::of(&path).is_err());
        mode(&token, 0o400);
        assert_eq!(Profile::of(&path).unwrap().token.unwrap().reveal(), "another");
    }
}
