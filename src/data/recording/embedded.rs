//! The recording that is part of the program.

use std::path::Path;

use super::store::Store;
use super::{Recording, RecordingError, bids, brainvision};

/// Name that stands for it where a path is asked for.
pub const EMBEDDED: &str = "embedded-ieeg";

const HEADER: &[u8] = include_bytes!("../../../assets/ieeg/sub-01_ieeg.vhdr");
const DATA: &[u8] = include_bytes!("../../../assets/ieeg/sub-01_ieeg.eeg");
const CHANNELS: &[u8] = include_bytes!("../../../assets/ieeg/sub-01_channels.tsv");

/// 50 depth contacts of one person in slow-wave sleep without seizures, 5 s at 512 Hz, in µV (Fedele et al., Sci Rep 7:13836, 2017;
/// OpenNeuro ds003498, CC0); read from the memory of the program.
///
/// # Errors
/// As [`super::open()`]; none in a program that was built from the files of its repository.
pub fn embedded() -> Result<Recording, RecordingError> {
    let store =
        |end: &str, bytes: &'static [u8]| Store::in_memory(Path::new(&format!("{EMBEDDED}{end}")), bytes);
    let mut recording = brainvision::from_parts(store(".vhdr", HEADER), store(".eeg", DATA))?;
    bids::apply(&mut recording, store("_channels.tsv", CHANNELS))?;
    recording.path = EMBEDDED.into();
    Ok(recording)
}
