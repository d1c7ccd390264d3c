//! The header of an EDF or BDF file: text fields of fixed width.

use crate::data::recording::store::Store;
use crate::data::recording::text::decode;
use crate::data::recording::{Channel, Digital, RecordingError};

/// Bytes before the fields of the signals, and of the fields of one signal.
const PART: u64 = 256;
/// Widths of the fields of a signal, in their order: label, transducer, unit, smallest and largest physical value, smallest and largest integer,
/// filters, samples a record, reserved. The file holds each field of all signals before the next field.
const FIELDS: [usize; 10] = [16, 80, 8, 8, 8, 8, 8, 80, 8, 32];
/// Words that begin a label by the standard texts of EDF+ and tell the type of a signal; the words of BIDS are the same.
const TYPES: [&str; 8] = ["EEG", "ECG", "EOG", "EMG", "SEEG", "ECOG", "MEG", "RESP"];

/// What a header says, checked against the length of the file.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) format: &'static str,
    /// EDF+D: records may have gaps between them.
    pub(super) discontinuous: bool,
    /// Bytes of a number.
    pub(super) width: usize,
    /// Where the first record begins.
    pub(super) start: u64,
    /// Bytes of a record.
    pub(super) record_bytes: u64,
    /// Records in the file.
    pub(super) records: u64,
    /// Seconds of a record; 0 where it holds annotations alone.
    pub(super) seconds: f64,
    pub(super) signals: Vec<Signal>,
    /// Signals of annotations: place in a record and length, both in bytes.
    pub(super) annotations: Vec<(u64, u64)>,
    pub(super) channels: Vec<Channel>,
    pub(super) notices: Vec<String>,
}

/// Where the samples of a channel are.
#[derive(Debug)]
pub(super) struct Signal {
    /// Bytes from the start of a record.
    pub(super) place: u64,
    /// Samples in a record.
    pub(super) samples: u64,
    pub(super) gain: f64,
    pub(super) offset: f64,
}

/// The fields of the signals as text.
struct Fields<'a> {
    store: &'a Store,
    count: usize,
    bytes: Vec<u8>,
}

/// Text of a field without what fills it.
fn text(bytes: &[u8]) -> String {
    decode(bytes).0.trim_matches([' ', '\0', '\t']).to_owned()
}

impl Fields<'_> {
    /// A field of a signal, both by number.
    fn text(&self, field: usize, signal: usize) -> String {
        let before: usize = FIELDS[..field].iter().sum::<usize>() * self.count;
        let at = before + FIELDS[field] * signal;
        text(self.bytes.get(at..at + FIELDS[field]).unwrap_or_default())
    }

    /// A field that is a number. Commas are taken for points: some recorders write numbers in the way of their country.
    fn number(&self, field: usize, signal: usize, name: &str) -> Result<f64, RecordingError> {
        let said = self.text(field, signal);
        let number: Option<f64> = said.replace(',', ".").parse().ok();
        number.filter(|n| n.is_finite()).ok_or_else(|| {
            let place = format!("channel {} ({}), {name}", signal + 1, self.text(0, signal));
            self.store.error(place, format!("'{said}' is no number"))
        })
    }
}

impl Header {
    /// Reads the header and checks it against the length of the file.
    pub(super) fn read(store: &mut Store) -> Result<Self, RecordingError> {
        if store.len() < PART {
            let what = format!("{} bytes; an EDF header has at least {PART}", store.len());
            return Err(store.error("length", what));
        }
        let head = store.head(PART as usize)?;
        let reserved = text(&head[192..236]);
        let bdf = head[0] == 0xff || reserved.starts_with("BDF");
        let format = match (bdf, reserved.get(..5)) {
            (false, Some("EDF+C" | "EDF+D")) => "EDF+",
            (false, _) => "EDF",
            (true, Some("BDF+C" | "BDF+D")) => "BDF+",
            (true, _) => "BDF",
        };
        let mut notices = Vec::new();
        let (count, bytes) = signal_fields(store, &head)?;
        let fields = Fields { store, count, bytes };
        let start = PART * (fields.count as u64 + 1);
        let said = text(&head[184..192]);
        if said.parse() != Ok(start) {
            let count = fields.count;
            notices.push(format!(
                "the header says that it has '{said}' bytes; {count} signals make {start}, which is taken"
            ));
        }
        let seconds = text(&head[244..252]);
        let seconds = seconds.replace(',', ".").parse().ok().filter(|s: &f64| s.is_finite() && *s >= 0.0);
        let seconds = seconds.ok_or_else(|| {
            let what =
                format!("'{}' is no length of a record; expected seconds above 0", text(&head[244..252]));
            store.error("bytes 244 to 251", what)
        })?;
        let mut header = Self {
            format,
            discontinuous: reserved.get(3..5) == Some("+D"),
            width: if bdf { 3 } else { 2 },
            start,
            record_bytes: 0,
            records: 0,
            seconds,
            signals: Vec::new(),
            annotations: Vec::new(),
            channels: Vec::new(),
            notices,
        };
        header.take_signals(&fields)?;
        header.count_records(store, &text(&head[236..244]))?;
        Ok(header)
    }

    /// Signals and channels, the latter without their number of samples.
    fn take_signals(&mut self, fields: &Fields) -> Result<(), RecordingError> {
        for i in 0..fields.count {
            let name = fields.text(0, i);
            let at = |field: &str| format!("channel {} ({name}), {field}", i + 1);
            let said = fields.text(8, i);
            // Eight digits at most: sums of 10,000 signals stay far below 2⁶⁴.
            let samples: u64 = said.parse().ok().filter(|n| *n > 0).ok_or_else(|| {
                let what = format!("'{said}' is no number of samples; expected 1 or more");
                fields.store.error(at("samples a record"), what)
            })?;
            let place = self.record_bytes;
            let bytes = samples * self.width as u64;
            self.record_bytes += bytes;
            if matches!(name.as_str(), "EDF Annotations" | "BDF Annotations") {
                self.annotations.push((place, bytes));
                continue;
            }
            let rate_hz = samples as f64 / self.seconds;
            if !rate_hz.is_finite() || rate_hz <= 0.0 {
                let what = format!("records of {} s: the rate of channel {name} is not known", self.seconds);
                return Err(fields.store.error("bytes 244 to 251", what));
            }
            let (unit, digital) = self.scale(fields, i, &name)?;
            let Digital { gain, offset, .. } = digital;
            self.signals.push(Signal { place, samples, gain, offset });
            let first = name.split(' ').next().unwrap_or_default().to_uppercase();
            let kind = match TYPES.iter().find(|kind| **kind == first) {
                Some(kind) => (*kind).to_owned(),
                // The channel in which BioSemi records triggers.
                None if self.width == 3 && name == "Status" => "TRIG".to_owned(),
                None => String::new(),
            };
            let digital = (self.width == 2).then_some(digital);
            self.channels.push(Channel { name, kind, unit, bad: false, rate_hz, samples: 0, digital });
        }
        match self.annotations.len() {
            0 => {}
            1 => self.notices.push("1 channel of annotations is left out".to_owned()),
            n => self.notices.push(format!("{n} channels of annotations are left out")),
        }
        Ok(())
    }

    /// Unit and scale of a signal. Where the header gives no scale, the values are the integers of the file, without a unit.
    fn scale(&mut self, fields: &Fields, i: usize, name: &str) -> Result<(String, Digital), RecordingError> {
        let names = ["smallest value", "largest value", "smallest integer", "largest integer"];
        let mut ends = [0.0; 4];
        for (k, end) in ends.iter_mut().enumerate() {
            *end = fields.number(3 + k, i, names[k])?;
        }
        let [low, high, first, last] = ends;
        let limit = if self.width == 2 { 32768.0 } else { 8_388_608.0 };
        for (k, end) in [first, last].into_iter().enumerate() {
            if end.fract() != 0.0 || end < -limit || end >= limit {
                let place = format!("channel {} ({name}), {}", i + 1, names[2 + k]);
                let what = format!("{end} is no integer of {} bits", 8 * self.width);
                return Err(fields.store.error(place, what));
            }
        }
        if first > last {
            self.notices
                .push(format!("channel {name}: the smallest integer {first} is above the largest {last}"));
        }
        let range = [first.min(last) as i32, first.max(last) as i32];
        if first == last || low == high {
            let (what, both) = if first == last { ("integer", first) } else { ("value", low) };
            self.notices.push(format!(
                "channel {name}: smallest and largest {what} are both {both}: without a scale, values are the integers of the file, without a unit"
            ));
            let range = if first == last { [-(limit as i32), limit as i32 - 1] } else { range };
            return Ok((String::new(), Digital { gain: 1.0, offset: 0.0, range }));
        }
        let gain = (high - low) / (last - first);
        if !gain.is_finite() || gain == 0.0 || !(low - gain * first).is_finite() {
            let place = format!("channel {} ({name}), {}", i + 1, names[1]);
            return Err(fields.store.error(place, format!("{low} to {high} is no range that can be scaled")));
        }
        Ok((fields.text(2, i), Digital { gain, offset: low - gain * first, range }))
    }

    /// Number of records, as the length of the file tells where the header says otherwise.
    fn count_records(&mut self, store: &Store, said: &str) -> Result<(), RecordingError> {
        let bytes = store.len() - self.start;
        let (whole, rest) = (bytes / self.record_bytes, bytes % self.record_bytes);
        let there = format!("{bytes} bytes of records of {} bytes", self.record_bytes);
        let count: Option<i64> = said.parse().ok();
        self.records = match count {
            Some(-1) => {
                self.notices.push(format!(
                    "the header says -1 records, as while recording; the file holds {whole}, which are taken"
                ));
                whole
            }
            Some(n) if n > 0 && n as u64 > whole => {
                let rest =
                    if rest > 0 { format!(" and {rest} bytes of another, left out") } else { String::new() };
                self.notices
                    .push(format!("cut off: the header says {n} records, the file holds {whole}{rest}"));
                whole
            }
            Some(n) if n > 0 => {
                let after = bytes - n as u64 * self.record_bytes;
                if after > 0 {
                    self.notices
                        .push(format!("{after} bytes after the {n} records of the header are left out"));
                }
                n as u64
            }
            _ => {
                let what = format!(
                    "'{said}' is no number of records; expected 1 or more, or -1 (there are {there})"
                );
                return Err(store.error("bytes 236 to 243", what));
            }
        };
        if self.records == 0 {
            return Err(store.error("length", format!("no whole record: {there}")));
        }
        for (channel, signal) in self.channels.iter_mut().zip(&self.signals) {
            channel.samples = self.records * signal.samples;
        }
        Ok(())
    }
}

/// Number of signals and the fields of all, once it is known that the file is long enough for them.
fn signal_fields(store: &mut Store, head: &[u8]) -> Result<(usize, Vec<u8>), RecordingError> {
    let said = text(&head[252..256]);
    let Some(count) = said.parse().ok().filter(|n: &u64| *n > 0) else {
        let what = format!("'{said}' is no number of signals; expected 1 or more");
        return Err(store.error("bytes 252 to 255", what));
    };
    let bytes = PART * count;
    if store.len() - PART < bytes {
        let what =
            format!("{} bytes end within the header: {count} signals need {}", store.len(), bytes + PART);
        return Err(store.error("length", what));
    }
    // Four digits at most, and within the length of the file.
    let mut fields = vec![0; bytes as usize];
    store.read_at(PART, &mut fields)?;
    Ok((count as usize, fields))
}
