//! Recordings whose values follow from a rule.
#![allow(dead_code)]

use std::path::{Path, PathBuf};

use lagrange_gpu::data::recording::{Recording, RecordingError};

/// Sample t of channel c in all files of `tests/recordings`.
pub fn value(c: usize, t: u64) -> f64 {
    ((t % 7) * (c as u64 + 1)) as f64 - 3.0 * c as f64
}

/// A file of `tests/recordings`.
pub fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings").join(name)
}

/// All samples of a channel.
pub fn all(recording: &mut Recording, channel: usize) -> Vec<f64> {
    let mut out = Vec::new();
    let samples = recording.channels[channel].samples;
    recording.read(channel, 0..samples, &mut out).unwrap_or_else(|e| panic!("{e}"));
    out
}

/// Asserts that the recording holds 50 samples of [`value`] in 4 channels at 512 Hz, value·gain + offset to `tolerance`, as a whole and in pieces.
pub fn assert_rule(recording: &mut Recording, gain: f64, offset: f64, tolerance: f64) {
    assert_eq!(recording.channels.len(), 4, "{recording:?}");
    for c in 0..4 {
        assert_eq!((recording.channels[c].samples, recording.channels[c].rate_hz), (50, 512.0));
        let want: Vec<f64> = (0..50).map(|t| value(c, t) * gain + offset).collect();
        let got = all(recording, c);
        assert!(got.len() == 50 && close(&got, &want, tolerance), "{c}: {got:?} {want:?}");
        let mut part = vec![7.0];
        for range in [13..20, 0..1, 49..50, 20..20, 19..37] {
            part.truncate(1);
            recording.read(c, range.clone(), &mut part).unwrap_or_else(|e| panic!("{e}"));
            let want = &want[range.start as usize..range.end as usize];
            assert!(part[0] == 7.0 && part.len() == 1 + want.len() && close(&part[1..], want, tolerance));
        }
    }
}

fn close(a: &[f64], b: &[f64], tolerance: f64) -> bool {
    a.iter().zip(b).all(|(a, b)| (a - b).abs() <= tolerance)
}

/// Names of the channels.
pub fn names(recording: &Recording) -> Vec<&str> {
    recording.channels.iter().map(|c| c.name.as_str()).collect()
}

/// The words of an error.
pub fn words(result: Result<Recording, RecordingError>) -> String {
    match result {
        Ok(recording) => panic!("opened: {recording:?}"),
        Err(error) => error.to_string(),
    }
}

/// Asserts that an error says all of these.
pub fn assert_says(error: &str, words: &[&str]) {
    for word in words {
        assert!(error.contains(word), "'{error}' does not say '{word}'");
    }
}
