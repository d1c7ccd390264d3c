//! Recordings in memory, for tests of what becomes of them.

#![allow(dead_code, clippy::expect_used, clippy::panic)]

use std::ops::Range;
use std::path::Path;

use lagrange_gpu::data::recording::{Channel, Digital, Recording, RecordingError, Source};
use lagrange_gpu::data::series::{Files, Options, Scale, SeriesConfig, SeriesError, SeriesSet, prepare};

struct Memory(Vec<Vec<f64>>);

impl Source for Memory {
    fn read(&mut self, channel: usize, range: Range<u64>, out: &mut Vec<f64>) -> Result<(), RecordingError> {
        out.extend_from_slice(&self.0[channel][range.start as usize..range.end as usize]);
        Ok(())
    }
}

/// A channel in µV.
pub fn channel(name: &str, rate_hz: f64, samples: usize) -> Channel {
    Channel {
        name: name.into(),
        kind: String::new(),
        unit: "µV".into(),
        bad: false,
        rate_hz,
        samples: samples as u64,
        digital: None,
    }
}

/// A recording of channels whose samples are there.
pub fn from_parts(path: &str, channels: Vec<(Channel, Vec<f64>)>) -> Recording {
    let (channels, samples) = channels.into_iter().unzip();
    Recording::new(Path::new(path), "memory", channels, Box::new(Memory(samples)))
}

/// A recording of `seconds` seconds, of channels in µV: name and value at a time in s.
pub fn recording(rate_hz: f64, seconds: f64, channels: &[(&str, &dyn Fn(f64) -> f64)]) -> Recording {
    let samples = (seconds * rate_hz).round() as usize;
    let values = |f: &dyn Fn(f64) -> f64| (0..samples).map(|i| f(i as f64 / rate_hz)).collect();
    from_parts(
        "a.edf",
        channels.iter().map(|(name, f)| (channel(name, rate_hz, samples), values(*f))).collect(),
    )
}

/// Integers that stand for `gain·d + offset`.
pub fn digital(name: &str, rate_hz: f64, gain: f64, offset: f64, values: &[i16]) -> (Channel, Vec<f64>) {
    let digital = Some(Digital { gain, offset, range: [-32768, 32767] });
    let channel = Channel { digital, ..channel(name, rate_hz, values.len()) };
    (channel, values.iter().map(|&d| gain * f64::from(d) + offset).collect())
}

/// Values of the file as they are, half of them for training.
pub fn plain() -> SeriesConfig {
    SeriesConfig { scale: Scale::None, ..SeriesConfig::of(Files::Embedded) }
}

/// The series, and the notices.
pub fn try_prepare(
    recordings: Vec<Recording>,
    config: &SeriesConfig,
) -> (Result<SeriesSet, SeriesError>, Vec<String>) {
    let mut notices = Vec::new();
    let mut notice = |text: String| notices.push(text);
    let set = prepare(recordings, config, Options::new(&mut notice));
    (set, notices)
}

#[track_caller]
pub fn prepared(recordings: Vec<Recording>, config: &SeriesConfig) -> SeriesSet {
    try_prepare(recordings, config).0.unwrap_or_else(|e| panic!("{e}"))
}

/// Voltages of column `column` of the first series.
pub fn column(set: &SeriesSet, column: usize) -> Vec<f64> {
    let series = &set.series[0];
    let all = series.values(0..series.rows).expect("rows");
    all.into_iter().skip(column).step_by(series.cols()).collect()
}

/// Samples that look like noise but are the same everywhere: fractional parts of multiples of the golden ratio, from −1 to 1.
pub fn noise(index: usize, seed: usize) -> f64 {
    let x = (index as f64 + 1.0) * 0.618_033_988_749_894_9 * (1.0 + seed as f64 * 0.237);
    2.0 * (x * x * 1e-3 + x).fract() - 1.0
}
