//! Writes a recording, or a part of it, as an `.npz` archive: the form that every tool reads. One pass at constant memory.

use std::fs::File;
use std::io::{BufWriter, Seek, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use npyz::zip::write::{FileOptions, ZipWriter};
use npyz::zip::{CompressionMethod, result::ZipError};

use super::summary::in_stretches;
use super::{Digital, Recording, RecordingError};

/// Which part of a recording is written, and how.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Part {
    /// Names of the channels in the order of the columns; empty for all in the order of the recording.
    pub channels: Vec<String>,
    /// Seconds from the start; 0 where it is `None`.
    pub from_s: Option<f64>,
    /// Seconds from the start; the end where it is `None`.
    pub to_s: Option<f64>,
    /// Integers of the file with gain and offset, lossless, in place of float32 values.
    pub integers: bool,
}

/// What was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    /// Samples of a channel.
    pub samples: u64,
    /// Number of channels.
    pub channels: usize,
    /// Samples a second.
    pub rate_hz: f64,
}

/// Columns, their samples and how they are written.
struct Plan {
    channels: Vec<usize>,
    range: Range<u64>,
    rate_hz: f64,
    digital: Option<Vec<Digital>>,
}

impl Recording {
    /// Writes channels as an `.npz` archive, not compressed, under a temporary name first.
    ///
    /// Arrays: `values` `[samples, channels]`, float32 in the unit of the channel, or int16 with `gain` and `offset` `[channels]`: a value is
    /// gain·d + offset; `rate_hz`; `start_s`, the time of the first sample; `channels`, `units`, `types` and `bad` `[channels]`.
    ///
    /// # Errors
    /// If there is no such channel or time, channels have different rates, integers are asked for that the file does not hold, the
    /// recording cannot be read or the archive not be written.
    pub fn to_npz(&mut self, part: &Part, out: &Path) -> Result<Written, RecordingError> {
        let plan = self.plan(part)?;
        let mut partial = out.as_os_str().to_owned();
        partial.push(".part");
        let partial = PathBuf::from(partial);
        let failed = |error| RecordingError::Io { path: out.to_path_buf(), error };
        let done = write(self, &plan, &partial)
            .and_then(|()| std::fs::rename(&partial, out).map_err(Failed::Write))
            .map_err(|error| {
                // The error that matters is the first one; a left-over file is replaced by the next attempt.
                let _ = std::fs::remove_file(&partial);
                match error {
                    Failed::Read(error) => error,
                    Failed::Write(error) => failed(error),
                }
            });
        done.map(|()| Written {
            samples: plan.range.end - plan.range.start,
            channels: plan.channels.len(),
            rate_hz: plan.rate_hz,
        })
    }

    fn plan(&self, part: &Part) -> Result<Plan, RecordingError> {
        let wrong = |place: &str, what: String| RecordingError::Format {
            path: self.path.clone(),
            place: place.to_owned(),
            what,
        };
        let channels = self.columns(&part.channels)?;
        let chosen = || channels.iter().filter_map(|&c| self.channels.get(c));
        let Some(first) = chosen().next() else {
            return Err(wrong("channels", "there are none".to_owned()));
        };
        if let Some(other) = chosen().find(|c| c.rate_hz != first.rate_hz) {
            let what = format!(
                "{} has {} Hz, {} has {} Hz; choose channels of one rate",
                first.name, first.rate_hz, other.name, other.rate_hz
            );
            return Err(wrong("channels", what));
        }
        let samples = chosen().map(|c| c.samples).min().unwrap_or(0);
        let end = samples as f64 / first.rate_hz;
        let at = |seconds: f64| (seconds * first.rate_hz).round() as u64;
        let (from, to) = (part.from_s.map_or(0, at), part.to_s.map_or(samples, at));
        // Not a number is no time either.
        let negative = [part.from_s, part.to_s].into_iter().flatten().any(|s| s.is_nan() || s < 0.0);
        if negative || from >= to || to > samples {
            let [from, to] = [part.from_s.unwrap_or(0.0), part.to_s.unwrap_or(end)];
            return Err(wrong(
                "time",
                format!("no samples from {from} to {to} s; there are {samples}, from 0 to {end} s"),
            ));
        }
        let digital = match part.integers {
            false => None,
            true => Some(
                chosen()
                    .map(|c| {
                        let what = || {
                            wrong(
                                &c.name,
                                "the file does not hold 16-bit integers for this channel".to_owned(),
                            )
                        };
                        c.digital.ok_or_else(what)
                    })
                    .collect::<Result<Vec<_>, _>>()?,
            ),
        };
        let rate_hz = first.rate_hz;
        Ok(Plan { channels, range: from..to, rate_hz, digital })
    }

    /// Places of the channels of these names; of all if there are no names.
    fn columns(&self, names: &[String]) -> Result<Vec<usize>, RecordingError> {
        if names.is_empty() {
            return Ok((0..self.channels.len()).collect());
        }
        let find = |name: &String| {
            let mut places = (0..self.channels.len()).filter(|&c| self.channels[c].name == *name);
            let what = match (places.next(), places.next()) {
                (Some(place), None) => return Ok(place),
                (None, _) => {
                    let known: Vec<String> = self.channels.iter().map(|c| c.name.clone()).collect();
                    format!("there is no such channel; there are {}", super::bids::list(&known))
                }
                (Some(a), Some(b)) => format!("channels {} and {} have this name", a + 1, b + 1),
            };
            Err(RecordingError::Format { path: self.path.clone(), place: format!("channel '{name}'"), what })
        };
        names.iter().map(find).collect()
    }
}

/// Why the archive was not written.
enum Failed {
    Read(RecordingError),
    Write(std::io::Error),
}

impl From<RecordingError> for Failed {
    fn from(error: RecordingError) -> Self {
        Self::Read(error)
    }
}

impl From<std::io::Error> for Failed {
    fn from(error: std::io::Error) -> Self {
        Self::Write(error)
    }
}

impl From<ZipError> for Failed {
    fn from(error: ZipError) -> Self {
        Self::Write(error.into())
    }
}

fn write(recording: &mut Recording, plan: &Plan, path: &Path) -> Result<(), Failed> {
    let mut zip = ZipWriter::new(BufWriter::new(File::create(path)?));
    let columns = plan.channels.len() as u64;
    let chosen: Vec<_> = plan.channels.iter().filter_map(|&c| recording.channels.get(c)).collect();
    begin(&mut zip, "rate_hz", "<f8", &[], 8)?;
    zip.write_all(&plan.rate_hz.to_le_bytes())?;
    begin(&mut zip, "start_s", "<f8", &[], 8)?;
    zip.write_all(&(plan.range.start as f64 / plan.rate_hz).to_le_bytes())?;
    texts(&mut zip, "channels", chosen.iter().map(|c| c.name.as_str()))?;
    texts(&mut zip, "units", chosen.iter().map(|c| c.unit.as_str()))?;
    texts(&mut zip, "types", chosen.iter().map(|c| c.kind.as_str()))?;
    begin(&mut zip, "bad", "|b1", &[columns], 1)?;
    zip.write_all(&chosen.iter().map(|c| u8::from(c.bad)).collect::<Vec<_>>())?;
    if let Some(digital) = &plan.digital {
        let gains: Vec<f64> = digital.iter().map(|d| d.gain).collect();
        let offsets: Vec<f64> = digital.iter().map(|d| d.offset).collect();
        for (name, numbers) in [("gain", gains), ("offset", offsets)] {
            begin(&mut zip, name, "<f8", &[columns], 8)?;
            zip.write_all(&numbers.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<_>>())?;
        }
    }
    values(&mut zip, recording, plan)?;
    zip.finish()?.flush()?;
    Ok(())
}

/// The samples, a stretch of all channels at a time.
fn values(
    zip: &mut ZipWriter<BufWriter<File>>,
    recording: &mut Recording,
    plan: &Plan,
) -> Result<(), Failed> {
    let columns = plan.channels.len();
    let shape = [plan.range.end - plan.range.start, columns as u64];
    let (descr, width) = if plan.digital.is_some() { ("<i2", 2) } else { ("<f4", 4) };
    begin(zip, "values", descr, &shape, width)?;
    let ranges = vec![plan.range.clone(); columns];
    let mut rows = Vec::new();
    in_stretches(recording, &plan.channels, &ranges, |k, values| {
        rows.resize(values.len() * columns * width, 0);
        for (row, &v) in rows.chunks_exact_mut(columns * width).zip(values) {
            let cell = &mut row[k * width..][..width];
            match plan.digital.as_ref().map(|all| all[k]) {
                // Back to the integer that the value was made of, to which it is nearest by far.
                Some(d) => cell.copy_from_slice(&(((v - d.offset) / d.gain).round() as i16).to_le_bytes()),
                None => cell.copy_from_slice(&(v as f32).to_le_bytes()),
            }
        }
        if k + 1 == columns {
            zip.write_all(&rows)?;
        }
        Ok::<(), Failed>(())
    })
}

/// Texts, as NumPy holds them: four bytes a letter, as many letters as the longest has.
fn texts<'a>(
    zip: &mut ZipWriter<impl Write + Seek>,
    name: &str,
    texts: impl Iterator<Item = &'a str> + Clone,
) -> Result<(), Failed> {
    let letters = texts.clone().map(|text| text.chars().count()).max().unwrap_or(0).max(1);
    begin(zip, name, &format!("<U{letters}"), &[texts.clone().count() as u64], 4 * letters)?;
    for text in texts {
        let mut bytes: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
        bytes.resize(4 * letters, 0);
        zip.write_all(&bytes)?;
    }
    Ok(())
}

/// Begins an array of the archive: its entry and the head of a `.npy` file, version 1.0.
fn begin(
    zip: &mut ZipWriter<impl Write + Seek>,
    name: &str,
    descr: &str,
    shape: &[u64],
    width: usize,
) -> Result<(), Failed> {
    let bytes = shape.iter().fold(width as u64, |product, n| product.saturating_mul(*n));
    // Readers find samples that are not compressed in place; beyond 4 GiB the longer sizes of zip are needed.
    let options =
        FileOptions::default().compression_method(CompressionMethod::Stored).large_file(bytes >= 0xf000_0000);
    zip.start_file(format!("{name}.npy"), options)?;
    let shape: String = shape.iter().map(|n| format!("{n}, ")).collect();
    let mut head =
        format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({}), }}", shape.trim_end());
    // Magic, version and length take ten bytes; with a line end at last the data begin at a multiple of 64.
    head.push_str(&" ".repeat((64 - (10 + head.len() + 1) % 64) % 64));
    head.push('\n');
    zip.write_all(b"\x93NUMPY\x01\x00")?;
    zip.write_all(&(head.len() as u16).to_le_bytes())?;
    zip.write_all(head.as_bytes())?;
    Ok(())
}
