//! Files on disk that are whole or not there at all, whatever happens meanwhile.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Puts a file in place of any of the same name, with that one's permissions; a new one is its owner's alone. That its name
/// survives a power cut is for [`sync_names`].
///
/// # Errors
/// When it cannot be written; then the one before is still there.
pub(crate) fn replace(folder: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    let (draft, place) = (folder.join(format!(".{name}.draft")), folder.join(name));
    // What a crash left, or a link that somebody put there to have another file written.
    match std::fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = private().open(&draft)?;
    file.write_all(content)?;
    if let Ok(before) = std::fs::symlink_metadata(&place)
        && before.is_file()
    {
        file.set_permissions(before.permissions())?;
    }
    file.sync_all()?;
    std::fs::rename(draft, place)
}

/// Makes a file that is there under no name yet, for its owner alone. It never goes through a link.
fn private() -> OpenOptions {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes a folder that only its owner can look into, where none is there; with all that leads to it.
///
/// # Errors
/// When it cannot be made.
pub(crate) fn private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Makes the names in a folder survive a power cut.
///
/// # Errors
/// When the folder cannot be opened or synced.
pub(crate) fn sync_names(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_is_written_is_its_owners_alone_unless_others_could_read_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        replace(folder.path(), "new.toml", b"new").unwrap();
        assert_eq!(mode(&folder.path().join("new.toml")), 0o600);
        let shared = folder.path().join("shared.toml");
        std::fs::write(&shared, "before").unwrap();
        std::fs::set_permissions(&shared, std::fs::Permissions::from_mode(0o640)).unwrap();
        replace(folder.path(), "shared.toml", b"after").unwrap();
        assert_eq!((std::fs::read(&shared).unwrap(), mode(&shared)), (b"after".to_vec(), 0o640));
        let deep = folder.path().join("a/b");
        private_folder(&deep).unwrap();
        private_folder(&deep).unwrap();
        assert_eq!(mode(&deep), 0o700);
    }

    #[test]
    fn a_link_in_the_place_of_a_draft_is_not_written_through_and_what_a_crash_left_is_no_obstacle() {
        let folder = tempfile::tempdir().unwrap();
        let other = folder.path().join("somebody-elses");
        std::fs::write(&other, "theirs").unwrap();
        symlink(&other, folder.path().join(".acme.toml.draft")).unwrap();
        std::fs::write(folder.path().join(".left.toml.draft"), "half").unwrap();
        for name in ["acme.toml", "left.toml"] {
            replace(folder.path(), name, b"ours").unwrap();
            let place = folder.path().join(name);
            assert!(std::fs::symlink_metadata(&place).unwrap().is_file());
            assert_eq!(std::fs::read(place).unwrap(), b"ours");
        }
        assert_eq!(std::fs::read(other).unwrap(), b"theirs");
    }
}
