//! A file that takes its name when all of it is written, so that half a one never stands in the place of the one before.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// A file that is being written, readable by its owner alone.
pub(super) enum Draft {
    /// Beside the file whose name it takes.
    Beside(BufWriter<NamedTempFile>, PathBuf),
    /// Something that cannot be replaced, such as a pipe.
    Straight(File),
}

impl Draft {
    /// Begins to write what is to be found under this name.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        if path.metadata().is_ok_and(|found| !found.is_file()) {
            return File::options().write(true).open(path).map(Self::Straight);
        }
        // Where the name is a link, the file behind it is replaced.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let draft = tempfile::Builder::new().prefix(".switchyard-").suffix(".part").tempfile_in(folder)?;
        Ok(Self::Beside(BufWriter::new(draft), path))
    }

    pub(super) fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Beside(draft, _) => draft,
            Self::Straight(file) => file,
        }
    }

    /// What was written, to be read.
    pub(super) fn written(&mut self) -> io::Result<BufReader<File>> {
        match self {
            Self::Beside(draft, _) => {
                draft.flush()?;
                draft.get_ref().reopen().map(BufReader::new)
            }
            Self::Straight(_) => Err(io::Error::other("this is no file, and cannot be read again")),
        }
    }

    /// Gives it its name. When it answers `Ok`, the file survives a power cut.
    pub(super) fn keep(self) -> io::Result<()> {
        let Self::Beside(draft, path) = self else { return Ok(()) };
        let draft = draft.into_inner()?;
        draft.as_file().sync_all()?;
        let kept = draft.persist(&path)?;
        drop(kept);
        File::open(path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")))?.sync_all()
    }
}
