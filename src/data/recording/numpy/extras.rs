//! What an archive that this program wrote tells beyond names, units and rate: scales of integers, types of channels, and bad ones.

use std::ops::Range;

use super::{Archive, Entry, NAMES, Wrong, inflate, strings, wrong_in};
use crate::data::recording::{Digital, Recording, RecordingError, Source};

/// Arrays with an element per channel; what is not there is empty.
#[derive(Debug, Default)]
pub(super) struct Extras {
    gain: Vec<f64>,
    offset: Vec<f64>,
    types: Vec<String>,
    bad: Vec<f64>,
}

impl Extras {
    /// Reads them beside an array of `channels` columns. Arrays of these names with other shapes are somebody else's, and left alone.
    pub(super) fn read(archive: &mut Archive, entries: &[Entry], channels: u64) -> Result<Self, Wrong> {
        let named = |name: &str| entries.iter().find(|e| e.name == name && e.head.shape == [channels]);
        let mut numbers = |name: &str| -> Result<Vec<f64>, Wrong> {
            let Some((entry, element)) = named(name).and_then(|e| Some((e, e.head.element()?))) else {
                return Ok(Vec::new());
            };
            let bytes = inflate(archive, entry, NAMES)?;
            Ok(bytes.chunks_exact(element.width).map(|b| element.number(b)).collect())
        };
        let (gain, offset, bad) = (numbers("gain")?, numbers("offset")?, numbers("bad")?);
        for (name, list) in [("gain", &gain), ("offset", &offset)] {
            if let Some(place) = list.iter().position(|v: &f64| !v.is_finite()) {
                return Err(wrong_in(name, format!("element {place} is {}; expected a number", list[place])));
            }
        }
        let types = match named("types").filter(|e| e.head.descr.contains('U')) {
            Some(entry) => strings(archive, entry)?,
            None => Vec::new(),
        };
        Ok(Self { gain, offset, types, bad })
    }

    /// Puts them into the recording; scales only where the samples are integers.
    pub(super) fn apply(self, mut recording: Recording, integers: bool) -> Recording {
        for (channel, kind) in recording.channels.iter_mut().zip(self.types) {
            channel.kind = kind;
        }
        for (channel, bad) in recording.channels.iter_mut().zip(self.bad) {
            channel.bad = bad != 0.0;
        }
        let channels = recording.channels.len();
        if !integers || self.gain.len() != channels || self.offset.len() != channels {
            return recording;
        }
        let scale: Vec<[f64; 2]> = self.gain.into_iter().zip(self.offset).map(|(g, o)| [g, o]).collect();
        for (channel, &[gain, offset]) in recording.channels.iter_mut().zip(&scale) {
            channel.digital = channel.digital.map(|d| Digital { gain, offset, ..d });
        }
        recording.source = Box::new(Scaled { integers: recording.source, scale });
        recording
    }
}

/// Integers d that stand for gain·d + offset, both of the channel.
struct Scaled {
    integers: Box<dyn Source>,
    scale: Vec<[f64; 2]>,
}

impl Source for Scaled {
    fn read(&mut self, channel: usize, range: Range<u64>, out: &mut Vec<f64>) -> Result<(), RecordingError> {
        let before = out.len();
        self.integers.read(channel, range, out)?;
        let [gain, offset] = self.scale[channel];
        out[before..].iter_mut().for_each(|v| *v = gain * *v + offset);
        Ok(())
    }
}
