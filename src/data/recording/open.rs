//! Opens a recording of any format that is known: the reader is chosen by what the file holds, and by its name where that does not tell.

use std::path::Path;

use super::store::Store;
use super::{
    EMBEDDED, Hints, Recording, RecordingError, bids, brainvision, edf, embedded, matlab, numpy, table,
};

/// A format of recordings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// EDF, EDF+, and BDF with 24 bits a sample.
    Edf,
    /// BrainVision: a header, a data and a marker file.
    BrainVision,
    /// One NumPy array.
    Npy,
    /// Several NumPy arrays in a zip archive.
    Npz,
    /// Text with a column per channel.
    Table,
    /// MATLAB up to version 7.
    Matlab,
    /// HDF5, which NWB and MATLAB 7.3 are built on.
    Hdf5,
}

/// Formats, their names and the ends of their file names.
const KNOWN: [(Kind, &str, &[&str]); 7] = [
    (Kind::Edf, "EDF, EDF+ and BDF", &["edf", "bdf", "rec"]),
    (Kind::BrainVision, "BrainVision", &["vhdr", "vmrk", "eeg"]),
    (Kind::Npy, "NumPy", &["npy"]),
    (Kind::Npz, "NumPy archives", &["npz"]),
    (Kind::Table, "tables", &["csv", "tsv", "txt"]),
    (Kind::Matlab, "MATLAB", &["mat"]),
    (Kind::Hdf5, "HDF5", &["h5", "hdf5", "nwb"]),
];

/// Bytes at the start of a file that are looked at: HDF5 may begin behind a block of up to 2048 bytes of the user.
const HEAD: usize = 4096;

impl Kind {
    /// The format of a file, by its first bytes and, where these do not tell, by its name.
    #[must_use]
    pub fn of(path: &Path, head: &[u8]) -> Option<Self> {
        Self::by_content(head).or_else(|| Self::by_name(path))
    }

    fn by_content(head: &[u8]) -> Option<Self> {
        let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
        let hdf5 = [0, 512, 1024, 2048]
            .iter()
            .any(|&at| head.get(at..).is_some_and(|h| h.starts_with(b"\x89HDF\r\n\x1a\n")));
        if hdf5 || head.starts_with(b"MATLAB 7.3") {
            return Some(Self::Hdf5);
        }
        if head.starts_with(b"\x93NUMPY") {
            return Some(Self::Npy);
        }
        if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
            return Some(Self::Npz);
        }
        // Text of any kind, then the version and two letters that tell the order of bytes.
        if head.starts_with(b"MATLAB 5") || matches!(head.get(124..128), Some(b"\0\x01IM" | b"\x01\0MI")) {
            return Some(Self::Matlab);
        }
        if text.starts_with(b"Brain Vision ") || text.starts_with(b"BrainVision ") {
            return Some(Self::BrainVision);
        }
        (head.starts_with(b"0       ") || head.starts_with(b"\xffBIOSEMI")).then_some(Self::Edf)
    }

    /// Whether files that are named so may hold this: files of MATLAB 7.3 are HDF5.
    fn may_be(self, held: Self) -> bool {
        self == held || (self, held) == (Self::Matlab, Self::Hdf5)
    }

    fn by_name(path: &Path) -> Option<Self> {
        let end = path.extension()?.to_str()?.to_ascii_lowercase();
        KNOWN.iter().find(|(_, _, ends)| ends.contains(&end.as_str())).map(|(kind, _, _)| *kind)
    }

    /// Its name, for people.
    fn name(self) -> &'static str {
        KNOWN.iter().find(|(kind, ..)| *kind == self).map_or("", |(_, name, _)| name)
    }

    /// Formats and the names of their files, for people.
    #[must_use]
    pub fn known() -> String {
        let one = |(_, name, ends): &(Self, &str, &[&str])| {
            let ends: Vec<String> = ends.iter().map(|end| format!(".{end}")).collect();
            format!("{name} ({})", ends.join(", "))
        };
        let files: Vec<String> = KNOWN.iter().map(one).collect();
        format!("{}, and folders in the order of BIDS", files.join(", "))
    }
}

/// Opens the recording at `path`: a file of any known format, a BIDS-iEEG folder, or the embedded recording by its name
/// [`EMBEDDED`], unless there is a file of that name.
///
/// What a file holds decides, not its name: an `.edf` file that holds a NumPy array is one. No samples are read yet.
///
/// # Errors
/// If there is no such file, its format is not known, or it is damaged; the error names file, place and what is wrong.
pub fn open(path: &Path) -> Result<Recording, RecordingError> {
    open_with(path, &Hints::default())
}

/// As [`open`], with what the user says about the recording.
///
/// # Errors
/// As [`open`].
pub fn open_with(path: &Path, hints: &Hints) -> Result<Recording, RecordingError> {
    if path == Path::new(EMBEDDED) && !path.exists() {
        return rated(embedded()?, hints);
    }
    if path.is_dir() {
        let mut recording = open_with(&bids::data_file(path)?, hints)?;
        recording.path = path.to_path_buf();
        return Ok(recording);
    }
    let mut store = Store::open(path)?;
    let head = store.head(HEAD)?;
    let Some(kind) = Kind::of(path, &head) else { return Err(unknown(path)) };
    let mut recording = read(kind, store, hints)?;
    if let Some(named) = Kind::by_name(path).filter(|named| !named.may_be(kind)) {
        recording.notices.push(format!("named as {}, but holds {}", named.name(), kind.name()));
    }
    bids::sidecars(&mut recording, path)?;
    Ok(recording)
}

/// The reader of each format.
fn read(kind: Kind, store: Store, hints: &Hints) -> Result<Recording, RecordingError> {
    match kind {
        Kind::Edf => rated(edf::open(store)?, hints),
        Kind::BrainVision => rated(brainvision::open(store)?, hints),
        Kind::Npy => {
            let beside = beside(store.path())?;
            numpy::npy(store, beside, hints)
        }
        Kind::Npz => numpy::npz(store, hints),
        Kind::Table => table::open(store, hints),
        Kind::Matlab => matlab::open(store, hints),
        #[cfg(feature = "hdf5")]
        Kind::Hdf5 => super::hdf5::open(store, hints),
        #[cfg(not(feature = "hdf5"))]
        Kind::Hdf5 => {
            let what = "is HDF5 (which NWB and MATLAB 7.3 are, too), and this program was built without its reader; \
                        build it with: cargo build --release --features hdf5";
            Err(store.error("byte 0", what))
        }
    }
}

/// The JSON file of the same name, if there is one.
fn beside(path: &Path) -> Result<Option<Store>, RecordingError> {
    let json = path.with_extension("json");
    json.is_file().then(|| Store::open(&json)).transpose()
}

/// Puts the rate that the user says in place of the one of the file.
fn rated(mut recording: Recording, hints: &Hints) -> Result<Recording, RecordingError> {
    let Some(rate) = hints.rate_hz else { return Ok(recording) };
    let said = recording.channels.first().map_or(rate, |c| c.rate_hz);
    if recording.channels.iter().any(|c| c.rate_hz != said) {
        let what = format!("channels have different rates; one of {rate} Hz cannot be right for all");
        return Err(RecordingError::Format { path: recording.path, place: "rate".to_owned(), what });
    }
    if said != rate {
        recording
            .notices
            .push(format!("the file says a rate of {said} Hz; the one that was given, {rate} Hz, is taken"));
    }
    for channel in &mut recording.channels {
        channel.rate_hz = rate;
    }
    Ok(recording)
}

fn unknown(path: &Path) -> RecordingError {
    RecordingError::Unknown { path: path.to_path_buf(), known: Kind::known() }
}
