//! The header of a BrainVision recording: sections, keys and values in text.

use std::collections::HashMap;

use crate::data::recording::store::Store;
use crate::data::recording::text::{decode, lines};
use crate::data::recording::{Channel, Digital, RecordingError};

/// How a number is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    Int16,
    Int32,
    Float32,
}

impl Number {
    /// Bytes of a number.
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::Int16 => 2,
            Self::Int32 | Self::Float32 => 4,
        }
    }
}

/// What a header says.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) data_file: String,
    pub(super) marker_file: Option<String>,
    pub(super) number: Number,
    pub(super) big_endian: bool,
    /// All samples of a channel one after the other; else all channels of a sample.
    pub(super) vectorized: bool,
    /// Samples of a channel, where the header tells.
    pub(super) points: Option<u64>,
    /// Without their number of samples.
    pub(super) channels: Vec<Channel>,
    /// Factor from numbers to values, one a channel.
    pub(super) resolution: Vec<f64>,
    pub(super) notices: Vec<String>,
}

/// Text in sections of keys: (section, key) in lower case → line and value.
pub(super) struct Sections<'a> {
    store: &'a Store,
    values: HashMap<(String, String), (usize, String)>,
    utf8: bool,
}

impl<'a> Sections<'a> {
    /// Reads up to the comment, which is free text.
    pub(super) fn parse(store: &'a Store, bytes: &[u8]) -> Result<Self, RecordingError> {
        let (text, utf8) = decode(bytes);
        let mut values = HashMap::new();
        let mut section = String::new();
        for (number, line) in lines(&text) {
            let line = line.trim();
            if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
                section = name.trim().to_lowercase();
                if section == "comment" {
                    break;
                }
            } else if let (false, Some((key, value))) = (line.starts_with(';'), line.split_once('=')) {
                let key = (section.clone(), key.trim().to_lowercase());
                let value = value.trim().to_owned();
                match values.insert(key, (number, value.clone())) {
                    Some((first, other)) if other != value => {
                        let what =
                            format!("line {first} says '{other}' for the same key, this one '{value}'");
                        return Err(store.error(format!("line {number}"), what));
                    }
                    _ => {}
                }
            }
        }
        Ok(Self { store, values, utf8 })
    }

    /// Line and value of a key; `None` where it is left out or empty.
    fn get(&self, section: &str, key: &str) -> Option<(usize, &str)> {
        let found = self.values.get(&(section.to_owned(), key.to_lowercase()));
        found.filter(|(_, value)| !value.is_empty()).map(|(line, value)| (*line, value.as_str()))
    }

    fn need(&self, section: &str, key: &str) -> Result<(usize, &str), RecordingError> {
        let missing = || self.store.error(format!("[{section}]"), format!("'{key}=' is missing"));
        self.get(section, key).ok_or_else(missing)
    }

    /// An error at a key.
    fn error(&self, line: usize, key: &str, what: String) -> RecordingError {
        self.store.error(format!("line {line}, {key}"), what)
    }

    /// The place of the word of a key among `words`; the first where the key is left out.
    fn word(&self, section: &str, key: &str, words: &[&str]) -> Result<usize, RecordingError> {
        let Some((line, value)) = self.get(section, key) else { return Ok(0) };
        words.iter().position(|word| word.eq_ignore_ascii_case(value)).ok_or_else(|| {
            self.error(line, key, format!("'{value}' is not read; expected {}", words.join(" or ")))
        })
    }

    /// Value of a key that names a file.
    pub(super) fn file(&self, key: &str) -> Option<String> {
        self.get("common infos", key).map(|(_, name)| name.to_owned())
    }

    /// Samples, from 1, at which a segment begins that is not the first: markers of the type `New Segment`.
    pub(super) fn breaks(&self) -> Vec<u64> {
        let markers = self.values.iter().filter(|((section, _), _)| section == "marker infos");
        let mut breaks: Vec<u64> = markers
            .filter_map(|(_, (_, value))| {
                let mut fields = value.split(',');
                let kind = fields.next()?.trim();
                let at: u64 = fields.nth(1)?.trim().parse().ok()?;
                (kind.eq_ignore_ascii_case("New Segment") && at > 1).then_some(at)
            })
            .collect();
        breaks.sort_unstable();
        breaks
    }
}

impl Header {
    /// What the header says; `store` is its file.
    pub(super) fn parse(store: &Store, bytes: &[u8]) -> Result<Self, RecordingError> {
        let s = Sections::parse(store, bytes)?;
        let mut notices = Vec::new();
        if !s.utf8 && s.file("Codepage").is_some_and(|page| page.eq_ignore_ascii_case("utf-8")) {
            notices.push("the header says Codepage=UTF-8, but is none; taken for Latin-1".to_owned());
        }
        let common = "common infos";
        // ASCII where left out, says the format; all known writers say BINARY.
        let (line, format) = s.need(common, "DataFormat")?;
        if !format.eq_ignore_ascii_case("BINARY") {
            let what = format!("data in {format} are not read; export them with DataFormat=BINARY");
            return Err(s.error(line, "DataFormat", what));
        }
        s.word(common, "DataType", &["TIMEDOMAIN"])?;
        let vectorized = s.word(common, "DataOrientation", &["MULTIPLEXED", "VECTORIZED"])? == 1;
        let number = s.word("binary infos", "BinaryFormat", &["INT_16", "INT_32", "IEEE_FLOAT_32"])?;
        let number = [Number::Int16, Number::Int32, Number::Float32][number];
        let big_endian = s.word("binary infos", "UseBigEndianOrder", &["NO", "YES"])? == 1;
        if let Some((_, kind)) = s.get(common, "SegmentationType").filter(|(_, k)| *k != "NOTSEGMENTED") {
            notices.push(format!("SegmentationType={kind}: time is not continuous across segments"));
        }
        let data_file = s.need(common, "DataFile")?.1.to_owned();
        let points = match s.get(common, "DataPoints") {
            None => None,
            Some((line, text)) => Some(
                text.parse()
                    .map_err(|_| s.error(line, "DataPoints", format!("'{text}' is no number of samples")))?,
            ),
        };
        let (channels, resolution) = channels(&s, number)?;
        let marker_file = s.file("MarkerFile");
        Ok(Self {
            data_file,
            marker_file,
            number,
            big_endian,
            vectorized,
            points,
            channels,
            resolution,
            notices,
        })
    }
}

/// Channels with their resolution.
fn channels(s: &Sections, number: Number) -> Result<(Vec<Channel>, Vec<f64>), RecordingError> {
    let (line, text) = s.need("common infos", "SamplingInterval")?;
    let interval: Option<f64> = text.parse().ok().filter(|us: &f64| us.is_finite() && *us > 0.0);
    let rate_hz =
        interval.map(|us| 1e6 / us).filter(|rate| rate.is_finite() && *rate > 0.0).ok_or_else(|| {
            let what = format!("'{text}' is no time from sample to sample; expected µs above 0");
            s.error(line, "SamplingInterval", what)
        })?;
    let (line, text) = s.need("common infos", "NumberOfChannels")?;
    let count: u64 = text.parse().ok().filter(|n| *n > 0).ok_or_else(|| {
        s.error(line, "NumberOfChannels", format!("'{text}' is no number of channels; expected 1 or more"))
    })?;
    let (mut channels, mut resolutions) = (Vec::new(), Vec::new());
    // Grows with the entries that are there, not with the number that is claimed.
    for i in 1..=count {
        let key = format!("Ch{i}");
        let (line, entry) = s.need("channel infos", &key)?;
        let mut fields = entry.split(',').map(|field| field.trim().replace("\\1", ","));
        let name = fields.next().unwrap_or_default();
        let resolution = fields.nth(1).unwrap_or_default();
        let unit = fields.next().filter(|unit| !unit.is_empty()).unwrap_or_else(|| "µV".to_owned());
        let gain: f64 = if resolution.is_empty() { 1.0 } else { resolution.parse().unwrap_or(0.0) };
        if !gain.is_finite() || gain == 0.0 {
            let what = format!("resolution '{resolution}' of channel {name} is no number other than 0");
            return Err(s.error(line, &key, what));
        }
        let range = [i32::from(i16::MIN), i32::from(i16::MAX)];
        let digital = (number == Number::Int16).then_some(Digital { gain, offset: 0.0, range });
        channels.push(Channel { name, kind: String::new(), unit, bad: false, rate_hz, samples: 0, digital });
        resolutions.push(gain);
    }
    Ok((channels, resolutions))
}
