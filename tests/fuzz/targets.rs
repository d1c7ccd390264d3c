//! What is done with bytes that may be anything: shared by the fuzz targets and by the smoke test.
//!
//! Whatever the bytes are, a reader gives a recording whose facts hold, or an error; it never panics. Each
//! target tells whether it was a recording.

use std::path::Path;

use lagrange_gpu::data::idx;
use lagrange_gpu::data::recording::{
    Hints, Recording, RecordingError, Store, bids, brainvision, edf, matlab, numpy, table,
};

/// Name of a target, which its corpus goes by, and what it does.
pub type Target = (&'static str, fn(&[u8]) -> bool);

/// All of them.
pub const TARGETS: &[Target] = &[
    ("edf", edf),
    ("brainvision", brainvision),
    ("bids_tsv", bids_tsv),
    ("bids_json", bids_json),
    ("npy", npy),
    ("sidecar", sidecar),
    ("npz", npz),
    ("table", table),
    ("matlab", matlab),
    ("idx", idx),
    #[cfg(feature = "hdf5")]
    ("hdf5", hdf5),
];

const AT_512: Hints = Hints { rate_hz: Some(512.0) };

fn store(bytes: &[u8]) -> Store {
    Store::in_memory(Path::new("input"), bytes.to_vec())
}

/// Holds a recording to what it says of itself, and reads its start and its end; whether there is one.
fn check(result: Result<Recording, RecordingError>) -> bool {
    let mut recording = match result {
        Ok(recording) => recording,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return false;
        }
    };
    assert!(!recording.channels.is_empty(), "a recording without channels");
    let channels = recording.channels.len();
    let mut out = Vec::new();
    for i in (0..channels.min(4)).chain([channels - 1]) {
        let channel = &recording.channels[i];
        let n = channel.samples;
        assert!(n > 0 && channel.rate_hz.is_finite() && channel.rate_hz > 0.0, "{channel:?}");
        for range in [0..n.min(50), n - n.min(50)..n] {
            let before = out.len();
            if recording.read(i, range.clone(), &mut out).is_ok() {
                assert_eq!((out.len() - before) as u64, range.end - range.start);
            }
            out.truncate(before);
        }
        assert!(recording.read(i, n..n + 1, &mut out).is_err());
    }
    true
}

pub fn edf(bytes: &[u8]) -> bool {
    check(edf::open(store(bytes)))
}

/// The header ends at the first zero; the data follows.
pub fn brainvision(bytes: &[u8]) -> bool {
    let at = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
    let data = bytes.get(at + 1..).unwrap_or_default();
    check(brainvision::from_parts(store(&bytes[..at]), store(data)))
}

/// A sound recording that sidecars are applied to.
fn sound() -> Recording {
    let header = "Brain Vision Data Exchange Header File Version 1.0\n[Common Infos]\nDataFile=a.eeg\nDataFormat=BINARY\n\
                  DataOrientation=MULTIPLEXED\nNumberOfChannels=2\nSamplingInterval=1953.125\n[Binary Infos]\nBinaryFormat=INT_16\n\
                  [Channel Infos]\nCh1=E1\\1x,,0.5,\nCh2=E2\\1x,,0.5,uV\n";
    match brainvision::from_parts(store(header.as_bytes()), store(&[0; 80])) {
        Ok(recording) => recording,
        Err(error) => unreachable!("{error}"),
    }
}

pub fn bids_tsv(bytes: &[u8]) -> bool {
    let mut recording = sound();
    let done = bids::apply(&mut recording, store(bytes));
    check(done.map(|()| recording))
}

pub fn bids_json(bytes: &[u8]) -> bool {
    let recording = sound();
    let done = bids::check_rate(&recording, &mut store(bytes));
    // What is no JSON is left out with a notice.
    let sound = matches!(done, Ok(None));
    check(done.map(|_| recording)) && sound
}

pub fn npy(bytes: &[u8]) -> bool {
    check(numpy::npy(store(bytes), None, &AT_512))
}

/// A JSON file beside a sound array.
pub fn sidecar(bytes: &[u8]) -> bool {
    let mut array = b"\x93NUMPY\x01\0".to_vec();
    let head = b"{'descr': '|u1', 'fortran_order': False, 'shape': (4, 3), }";
    array.extend((head.len() as u16).to_le_bytes());
    array.extend(head);
    array.extend([7; 12]);
    check(numpy::npy(store(&array), Some(store(bytes)), &Hints::default()))
}

pub fn npz(bytes: &[u8]) -> bool {
    check(numpy::npz(store(bytes), &Hints::default())) | check(numpy::npz(store(bytes), &AT_512))
}

pub fn table(bytes: &[u8]) -> bool {
    check(table::open(store(bytes), &Hints::default())) | check(table::open(store(bytes), &AT_512))
}

pub fn matlab(bytes: &[u8]) -> bool {
    check(matlab::open(store(bytes), &AT_512))
}

pub fn idx(bytes: &[u8]) -> bool {
    let images = idx::parse_images("input", bytes);
    if let Ok(images) = &images {
        assert_eq!(images.pixels.len(), images.count * images.rows * images.cols);
    }
    images.is_ok() | idx::parse_labels("input", bytes).is_ok()
}

#[cfg(feature = "hdf5")]
pub fn hdf5(bytes: &[u8]) -> bool {
    check(lagrange_gpu::data::recording::hdf5::open(store(bytes), &AT_512))
}
