//! Files that are there whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// Writes `path` in one step: a `.part` beside it, flushed to disk, then renamed.
///
/// # Errors
/// What the operating system says; nothing is left behind then, and an older file of that name is unharmed.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let written = (|| {
        let mut file = File::create(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
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
