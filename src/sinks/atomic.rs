//! Files that are there whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Writes `path` in one step: a `.part` beside it, flushed to disk, then renamed.
///
/// # Errors
/// What the operating system says; nothing is left behind then, and an older file of that name is unharmed.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_with(path, |file| file.write_all(bytes))
}

/// As [`write`], with content that is made on the way.
///
/// # Errors
/// As [`write`], and those of `content`.
pub(crate) fn write_with(
    path: &Path,
    content: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let written = (|| {
        let mut file = BufWriter::new(File::create(&part)?);
        content(&mut file)?;
        file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        fs::rename(&part, path)
    })();
    if written.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&part);
    }
    written.inspect(|()| sync_folder(path))
}

/// Makes the new name itself last through a power cut, where folders can be flushed.
fn sync_folder(path: &Path) {
    if let Some(folder) = path.parent().filter(|_| cfg!(unix)).and_then(|p| File::open(p).ok()) {
        let _ = folder.sync_all();
    }
}
