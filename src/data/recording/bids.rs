//! Recordings in the order of BIDS-iEEG: a folder of data files, and sidecars beside them that tell types, units and bad channels.
//!
//! Names, columns and the inheritance of sidecars follow the Brain Imaging Data Structure 1.10, "Intracranial electroencephalography". What
//! the data file declares itself wins over a sidecar that contradicts it, with a notice that names both.

mod channels;
mod find;

pub use channels::apply;
pub(super) use channels::list;
pub(super) use find::data_file;

use std::path::Path;

use super::store::Store;
use super::text::decode;
use super::{Recording, RecordingError};
use channels::{TEXT, same_rate};

/// Puts what the sidecars of the data file at `path` say into its recording; nothing where its name is none of BIDS, or has no sidecars.
///
/// # Errors
/// If the table of channels is damaged: it tells which of them are bad.
pub(super) fn sidecars(recording: &mut Recording, path: &Path) -> Result<(), RecordingError> {
    let Some(name) = find::Name::of(path) else { return Ok(()) };
    let folders = find::folders(path);
    if let Some(table) = name.sidecar(&folders, "channels.tsv") {
        apply(recording, Store::open(&table)?)?;
    }
    if let Some(about) = name.sidecar(&folders, &format!("{}.json", name.suffix)) {
        let notice = check_rate(recording, &mut Store::open(&about)?)?;
        recording.notices.extend(notice);
    }
    Ok(())
}

/// What is to be said about the rate in a `*_ieeg.json`; the one of the data file is taken in any case.
///
/// # Errors
/// If the file cannot be read, or is too long for such a one.
pub fn check_rate(recording: &Recording, about: &mut Store) -> Result<Option<String>, RecordingError> {
    let (text, _) = decode(&about.all(TEXT)?);
    let file = about.path().file_name().unwrap_or_default().to_string_lossy();
    let said = match serde_json::from_str::<serde_json::Value>(&text) {
        Err(error) => return Ok(Some(format!("{file} is no JSON, and is left out: {error}"))),
        Ok(value) => value.get("SamplingFrequency").and_then(serde_json::Value::as_f64),
    };
    let Some(said) = said else { return Ok(None) };
    let own: Vec<f64> = recording.channels.iter().map(|c| c.rate_hz).collect();
    if own.iter().any(|rate| same_rate(said, *rate)) {
        return Ok(None);
    }
    let own = own.first().copied().unwrap_or_default();
    Ok(Some(format!("{file} says SamplingFrequency {said}, the data file {own} Hz, which is taken")))
}
