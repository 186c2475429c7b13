//! Reads files that anybody may have put there: regular ones only, and within a bound.

use std::fs::{Metadata, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

/// Why a file cannot be read, in words for an operator.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unread {
    /// There is nothing of this name.
    #[error("it is not there")]
    Missing,
    #[error("it is a link that leads nowhere")]
    DanglingLink,
    #[error("it is a folder, and not a file")]
    Folder,
    /// A pipe, a socket or a device: reading it might never end.
    #[error("it is not a regular file")]
    NotRegular,
    #[error("it has {bytes} bytes; {most_bytes} are allowed")]
    TooLarge { bytes: u64, most_bytes: usize },
    #[error("it cannot be read: {0}")]
    Failed(#[from] io::Error),
}

/// What is in a regular file: for a blocking thread.
///
/// # Errors
/// When it is not there, no regular file, longer than `most_bytes`, or the disk fails.
pub(crate) fn read_regular(path: &Path, most_bytes: usize) -> Result<Vec<u8>, Unread> {
    // Looked at before it is opened: opening alone can do something to a device.
    regular(&metadata(path)?)?;
    let mut options = OpenOptions::new();
    options.read(true);
    // What took its place since may be a pipe, at which opening would wait.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    let file = options.open(path)?;
    let about = file.metadata()?;
    regular(&about)?;
    let too_large = |bytes| Unread::TooLarge { bytes, most_bytes };
    if about.len() > most_bytes as u64 {
        return Err(too_large(about.len()));
    }
    let mut content = Vec::new();
    // It may grow while it is read.
    file.take(most_bytes as u64 + 1).read_to_end(&mut content)?;
    if content.len() > most_bytes {
        return Err(too_large(content.len() as u64));
    }
    Ok(content)
}

fn metadata(path: &Path) -> Result<Metadata, Unread> {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => match std::fs::symlink_metadata(path) {
            Ok(_) => Err(Unread::DanglingLink),
            Err(_) => Err(Unread::Missing),
        },
        about => Ok(about?),
    }
}

fn regular(about: &Metadata) -> Result<(), Unread> {
    match about {
        _ if about.is_file() => Ok(()),
        _ if about.is_dir() => Err(Unread::Folder),
        _ => Err(Unread::NotRegular),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn only_regular_files_within_the_bound_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("file"), "12345").unwrap();
        symlink("file", path("link")).unwrap();
        symlink("nowhere", path("dangling")).unwrap();
        symlink("/dev/zero", path("device")).unwrap();
        symlink("loop", path("loop")).unwrap();
        let pipe = std::process::Command::new("mkfifo").arg(path("pipe")).status().unwrap();
        assert!(pipe.success());
        assert_eq!(read_regular(&path("link"), 5).unwrap(), b"12345");
        let why = |name: &str, most_bytes| read_regular(&path(name), most_bytes).unwrap_err().to_string();
        assert_eq!(why("file", 4), "it has 5 bytes; 4 are allowed");
        assert_eq!(why("missing", 5), "it is not there");
        assert_eq!(why("dangling", 5), "it is a link that leads nowhere");
        assert_eq!(why("device", 5), "it is not a regular file");
        assert_eq!(why("pipe", 5), "it is not a regular file");
        assert_eq!(why("", 5), "it is a folder, and not a file");
        assert!(why("loop", 5).starts_with("it cannot be read"));
    }
}
