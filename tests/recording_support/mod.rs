//! Recordings written byte by byte, as their formats say.

#![allow(dead_code, reason = "not every test file needs all of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::path::Path;

use lagrange_gpu::data::recording::Recording;

/// One signal of an EDF file.
#[derive(Clone, Debug)]
pub struct Signal {
    pub label: &'static str,
    pub unit: &'static [u8],
    /// Smallest and largest value, smallest and largest integer, as text.
    pub ends: [&'static str; 4],
    /// Samples a record, as text and as it is.
    pub said: String,
    pub samples: usize,
}

/// A signal in µV of one step of the integer each, with an offset of 0.
pub fn signal(label: &'static str, samples: usize) -> Signal {
    let ends = ["-32768", "32767", "-32768", "32767"];
    Signal { label, unit: b"uV", ends, said: samples.to_string(), samples }
}

/// The head of an EDF file: what it says of itself, the number of records, and their length.
pub struct Head {
    pub version: &'static [u8],
    pub reserved: &'static str,
    pub records: &'static str,
    pub seconds: &'static str,
    /// In place of the right number of bytes.
    pub header_bytes: Option<&'static str>,
}

pub const HEAD: Head = Head { version: b"0", reserved: "", records: "1", seconds: "1", header_bytes: None };

fn field(out: &mut Vec<u8>, text: &[u8], width: usize) {
    assert!(text.len() <= width, "{text:?}");
    out.extend_from_slice(text);
    out.resize(out.len() + width - text.len(), b' ');
}

/// An EDF file with its records, which hold the bytes of all signals one after the other.
pub fn edf(head: &Head, signals: &[Signal], records: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    field(&mut out, head.version, 8);
    field(&mut out, b"X X X X", 80);
    field(&mut out, b"Startdate X X X X", 80);
    field(&mut out, b"01.01.00", 8);
    field(&mut out, b"00.00.00", 8);
    let right = (256 * (signals.len() + 1)).to_string();
    field(&mut out, head.header_bytes.unwrap_or(&right).as_bytes(), 8);
    field(&mut out, head.reserved.as_bytes(), 44);
    field(&mut out, head.records.as_bytes(), 8);
    field(&mut out, head.seconds.as_bytes(), 8);
    field(&mut out, signals.len().to_string().as_bytes(), 4);
    let mut all = |width: usize, text: &dyn Fn(&Signal) -> Vec<u8>| {
        for signal in signals {
            field(&mut out, &text(signal), width);
        }
    };
    all(16, &|s| s.label.as_bytes().to_vec());
    all(80, &|_| b"electrode".to_vec());
    all(8, &|s| s.unit.to_vec());
    for end in 0..4 {
        all(8, &|s| s.ends[end].as_bytes().to_vec());
    }
    all(80, &|_| b"HP:0.1Hz".to_vec());
    all(8, &|s| s.said.clone().into_bytes());
    all(32, &|_| Vec::new());
    out.extend_from_slice(records);
    out
}

/// Integers as EDF holds them.
pub fn words(integers: &[i16]) -> Vec<u8> {
    integers.iter().flat_map(|d| d.to_le_bytes()).collect()
}

/// The annotations of a record of `bytes` bytes that begins at `onset`.
pub fn onset(onset: &str, bytes: usize) -> Vec<u8> {
    let mut out = format!("{onset}\u{14}\u{14}\0").into_bytes();
    out.resize(bytes, 0);
    out
}

/// All samples of a channel.
pub fn whole(recording: &mut Recording, channel: usize) -> Vec<f64> {
    let mut out = Vec::new();
    let samples = recording.channels[channel].samples;
    recording.read(channel, 0..samples, &mut out).expect("samples");
    out
}

/// Opens bytes under a name, in a folder of their own.
pub fn opened(name: &str, bytes: &[u8]) -> Result<Recording, String> {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("file");
    open(&path)
}

/// Opens a path; errors as people see them.
pub fn open(path: &Path) -> Result<Recording, String> {
    lagrange_gpu::data::recording::open(path).map_err(|e| e.to_string())
}

/// Reads all that a recording says it has: values, or an error; never a panic, never another number of values.
pub fn exercise(recording: &mut Recording) {
    for channel in 0..recording.channels.len().min(50) {
        let samples = recording.channels[channel].samples;
        assert!(recording.channels[channel].rate_hz > 0.0);
        for range in [0..samples.min(1000), samples / 2..samples / 2 + 1, samples.saturating_sub(7)..samples]
        {
            let mut out = Vec::new();
            let wanted = range.end - range.start;
            if recording.read(channel, range, &mut out).is_ok() {
                assert_eq!(out.len() as u64, wanted);
            }
        }
    }
}
