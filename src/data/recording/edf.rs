//! EDF, EDF+ (continuous and not) and BDF, their 24-bit sibling.
//!
//! Formats: Kemp et al., Electroencephalogr Clin Neurophysiol 82:391 (1992); Kemp and Olivan, Clin Neurophysiol 114:1755 (2003); BDF as
//! BioSemi describes it. A value is `gain·d + offset` of the integer d, both from the ends of the ranges that the header gives. Records and rates
//! need not be whole numbers of seconds and samples, and channels may have different rates.
//!
//! This reader is our own because the crate `edf-rs` 0.2, though exact on sound files, takes memory for what a header claims before it looks
//! at the file, divides by the size of an empty record, does not open files that are being recorded or have letters outside of ASCII, reads
//! all channels to give one, and its errors name no field.

mod header;

use std::ops::Range;

use super::store::Store;
use super::{Recording, RecordingError, Source};
use header::{Header, Signal};

/// Gaps that a notice lists.
const LISTED: usize = 3;

/// Opens an EDF or BDF file.
///
/// # Errors
/// If a field of the header breaks the rules of the format, or the file holds no whole record.
pub fn open(mut store: Store) -> Result<Recording, RecordingError> {
    let mut header = Header::read(&mut store)?;
    if header.channels.is_empty() {
        return Err(store.error("header", "holds annotations, but no signals"));
    }
    if header.discontinuous {
        let gaps = gaps(&mut store, &header)?;
        header.notices.extend(gaps);
    }
    let path = store.path().to_path_buf();
    let Header { format, width, start, record_bytes, signals, channels, notices, .. } = header;
    let source = Reader { store, width, start, record_bytes, signals };
    let mut recording = Recording::new(&path, format, channels, Box::new(source));
    recording.notices = notices;
    Ok(recording)
}

/// What is to be said about the times of the records of an EDF+D file, which each record tells in its first annotation.
fn gaps(store: &mut Store, header: &Header) -> Result<Option<String>, RecordingError> {
    let Some(&(place, length)) = header.annotations.first() else {
        return Ok(Some(
            "the records may have gaps between them, but no channel tells their times".to_owned(),
        ));
    };
    // Times are written in decimal; half a sample is the most that rounding may move them without a sample being missing.
    let fastest = header.channels.iter().map(|c| c.rate_hz).fold(0.0, f64::max);
    let mut first = vec![0; length.min(64) as usize];
    let (mut count, mut listed, mut expected) = (0_u64, Vec::new(), None);
    for record in 0..header.records {
        store.read_at(header.start + record * header.record_bytes + place, &mut first)?;
        let Some(onset) = onset(&first) else {
            return Ok(Some(format!(
                "record {} of {} does not tell its time: gaps are not known",
                record + 1,
                header.records
            )));
        };
        let gap = expected.map_or(0.0, |expected| onset - expected);
        if f64::abs(gap) > 0.5 / fastest {
            count += 1;
            if listed.len() < LISTED {
                let before = record as f64 * header.seconds;
                listed.push(format!("{gap:.6} s after {before:.6} s of samples (record {record})"));
            }
        }
        expected = Some(onset + header.seconds);
    }
    let more = if count > listed.len() as u64 { ", …" } else { "" };
    Ok((count > 0).then(|| {
        format!(
            "time is not continuous: {count} gaps, {}{more}; samples are taken one after the other",
            listed.join(", ")
        )
    }))
}

/// Time of a record in seconds, from the start of its annotations: `+12.5` and a byte 20.
fn onset(annotations: &[u8]) -> Option<f64> {
    let end = annotations.iter().position(|b| matches!(b, 20 | 21))?;
    let text = std::str::from_utf8(&annotations[..end]).ok()?;
    text.parse().ok().filter(|onset: &f64| onset.is_finite() && text.starts_with(['+', '-']))
}

/// Samples of the records.
struct Reader {
    store: Store,
    width: usize,
    start: u64,
    record_bytes: u64,
    signals: Vec<Signal>,
}

impl Source for Reader {
    fn read(&mut self, channel: usize, range: Range<u64>, out: &mut Vec<f64>) -> Result<(), RecordingError> {
        let &Signal { place, samples, gain, offset } = &self.signals[channel];
        let mut at = range.start;
        while at < range.end {
            // Within the length of the file: the range lies within the channel.
            let (record, first) = (at / samples, at % samples);
            let count = (samples - first).min(range.end - at);
            let from = self.start + record * self.record_bytes + place + first * self.width as u64;
            if self.width == 2 {
                self.store.strided(from, 2, 2, count, out, |b| {
                    gain * f64::from(i16::from_le_bytes([b[0], b[1]])) + offset
                })?;
            } else {
                // 24 bits at the top of 32, so that the shift back keeps the sign.
                self.store.strided(from, 3, 3, count, out, |b| {
                    gain * f64::from(i32::from_le_bytes([0, b[0], b[1], b[2]]) >> 8) + offset
                })?;
            }
            at += count;
        }
        Ok(())
    }
}
