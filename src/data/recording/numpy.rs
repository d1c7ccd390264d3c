//! One NumPy array (`.npy`) with a column per channel, and archives of them (`.npz`) that also hold names, units and the rate.
//!
//! An array is `[samples, channels]`, or `[samples]` for one channel. A `.npy` tells no rate: a JSON file of the same name beside it may
//! (`{"rate_hz": 512, "channels": ["A1", "A2"], "unit": "uV"}`), or the user does.

mod extras;
mod sidecar;

use std::io::{BufReader, Read};

use npyz::npz::array_name_from_file_name;
use npyz::zip::{CompressionMethod, ZipArchive};

use super::labels::{self, CHANNELS, DATA, Labels, RATE, Time, UNITS};
use super::store::Store;
use super::stream::StoreReader;
use super::strided::{Layout, Strided, mark_digital};
use super::{Hints, Recording, RecordingError};
use crate::data::npy::{Element, Kind, MOST_HEAD, NpyHead};
use extras::Extras;
use sidecar::said_beside;

/// Bytes that the names of channels in an archive may have.
const NAMES: u64 = 1 << 24;
/// Bytes that a compressed array may become in memory. Larger ones are read piece by piece where they were not compressed.
pub(super) const INFLATED: u64 = 4 << 30;
/// Deflate makes at most 1032 bytes of one.
pub(super) const RATIO: u64 = 1032;

const NPY_HELP: &str = "put {\"rate_hz\": 512} into a JSON file of the same name beside it (which may also have \"channels\" and \
                        \"unit\"), or set the rate yourself (data.rate-hz, or --rate-hz)";
const NPZ_HELP: &str = "save it in the archive under the name 'rate' (samples a second), or set it yourself (data.rate-hz, or --rate-hz)";

/// Opens a `.npy`; `sidecar` is the JSON file beside it, if there is one.
///
/// # Errors
/// If the array is damaged, has more than two axes or no numbers, the rate is not known, or the sidecar does not fit.
pub fn npy(mut store: Store, sidecar: Option<Store>, hints: &Hints) -> Result<Recording, RecordingError> {
    let bytes = store.head(MOST_HEAD)?;
    let head = NpyHead::read(&mut &bytes[..])
        .map_err(|error| store.error("head of the array", error.to_string()))?;
    let labels = match sidecar {
        Some(sidecar) => said_beside(sidecar)?,
        None => Labels::default(),
    };
    matrix(store, &head, head.length, labels, ("NumPy", NPY_HELP), hints)
}

/// The recording that an array becomes, whose first element stands at byte `start` of the store.
fn matrix(
    store: Store,
    head: &NpyHead,
    start: u64,
    labels: Labels,
    (format, help): (&'static str, &str),
    hints: &Hints,
) -> Result<Recording, RecordingError> {
    let Some(element) = head.element() else {
        let what = format!(
            "elements of type '{}' are not read; save it as float32, float64 or integers",
            head.descr
        );
        return Err(store.error("head of the array", what));
    };
    let (rows, columns) = match head.shape[..] {
        [samples] => (samples, 1),
        [rows, columns] => (rows, columns),
        _ => {
            let what =
                format!("its shape is {:?}; expected are [samples, channels] or [samples]", head.shape);
            return Err(store.error("head of the array", what));
        }
    };
    let (time_first, notice) = labels.time_first(rows, columns, Time::First);
    let (samples, channels) = if time_first { (rows, columns) } else { (columns, rows) };
    let by_channel = time_first == head.fortran;
    let layout = Layout { start, element, channels, samples, by_channel, scale: [1.0, 0.0] };
    let path = store.path().to_path_buf();
    let source = Strided::new(store, layout)?;
    let (mut channels, notices) = labels.channels(source.store(), (channels, samples), hints, help)?;
    mark_digital(&mut channels, &layout);
    let mut recording = Recording::new(&path, format, channels, Box::new(source));
    recording.notices = notice.into_iter().chain(notices).collect();
    Ok(recording)
}

/// One array of an archive.
struct Entry {
    index: usize,
    name: String,
    head: NpyHead,
    /// Where its first element stands in the file, if it is not compressed.
    stored: Option<u64>,
    /// Bytes that it takes there.
    packed: u64,
}

type Archive = ZipArchive<BufReader<StoreReader>>;

impl Entry {
    /// Bytes of its elements; `None` beyond what 64 bits count.
    fn size(&self) -> Option<u64> {
        self.head.count()?.checked_mul(width(&self.head.descr)?)
    }

    /// Whether an array that is not compressed takes all of its place: beyond it stand other arrays.
    fn fills(&self) -> Result<(), Wrong> {
        let there = self.packed.saturating_sub(self.head.length);
        if self.size() == Some(there) {
            return Ok(());
        }
        let what = format!("{there} bytes are there, which is not what shape {:?} takes", self.head.shape);
        Err(wrong_in(&self.name, what))
    }
}

/// Opens an `.npz`.
///
/// The samples are the array `data` or `values` (or `eeg`, `ieeg`, `signals`, `x`), or the only one with two axes; `channels`, `units` and
/// `rate` (`sampling_rate`, `fs`, …) may stand beside it, as well as `types` and `bad`; integers are scaled by `gain` and `offset` `[channels]` where
/// both are there ([`Recording::to_npz`]). Arrays that are not compressed are read in pieces; a compressed one is held
/// in memory, at most 4 GiB.
///
/// # Errors
/// If it is no archive of arrays, does not tell which one holds the samples, or that is damaged; if the rate is not known.
pub fn npz(store: Store, hints: &Hints) -> Result<Recording, RecordingError> {
    let path = store.path().to_path_buf();
    let wrong = |(place, what): (String, String)| RecordingError::Format { path: path.clone(), place, what };
    let archive = ZipArchive::new(BufReader::new(StoreReader::new(store)));
    let mut archive =
        archive.map_err(|e| wrong(("archive".into(), format!("no zip archive, or a damaged one: {e}"))))?;
    let entries = entries(&mut archive).map_err(wrong)?;
    let labels = said_inside(&mut archive, &entries).map_err(wrong)?;
    let entry = samples_of(&entries).map_err(|what| wrong(("archive".into(), what)))?;
    let columns = entry.head.shape.get(1).copied().unwrap_or(1);
    let extras = Extras::read(&mut archive, &entries, columns).map_err(wrong)?;
    let integers = entry.head.element().is_some_and(|e| matches!(e.kind, Kind::Int | Kind::Uint));
    let (store, start) = match entry.stored {
        Some(start) => {
            entry.fills().map_err(wrong)?;
            (archive.into_inner().into_inner().into_inner(), start)
        }
        None => {
            let bytes = inflate(&mut archive, entry, INFLATED).map_err(wrong)?;
            (Store::in_memory(&path, bytes), 0)
        }
    };
    let recording = matrix(store, &entry.head, start, labels, ("NumPy archive", NPZ_HELP), hints)?;
    Ok(extras.apply(recording, integers))
}

/// A place in a file, and what is wrong there.
type Wrong = (String, String);

fn wrong_in(name: &str, what: impl ToString) -> Wrong {
    (format!("array '{name}'"), what.to_string())
}

/// The heads of all arrays.
fn entries(archive: &mut Archive) -> Result<Vec<Entry>, Wrong> {
    let mut entries = Vec::new();
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).map_err(|e| (format!("entry {index}"), e.to_string()))?;
        let Some(name) = array_name_from_file_name(file.name()).map(str::to_owned) else { continue };
        let head = NpyHead::read(&mut file).map_err(|e| wrong_in(&name, e))?;
        let plain = file.compression() == CompressionMethod::Stored;
        let stored = file.data_start().checked_add(head.length).filter(|_| plain);
        entries.push(Entry { index, name, head, stored, packed: file.compressed_size() });
    }
    Ok(entries)
}

/// The array with the samples.
fn samples_of(entries: &[Entry]) -> Result<&Entry, String> {
    if let Some(name) = labels::first(DATA, entries.iter().map(|entry| entry.name.as_str()))
        && let Some(entry) = entries.iter().find(|entry| entry.name == name)
    {
        return Ok(entry);
    }
    let with = |axes| {
        let mut fit =
            entries.iter().filter(move |e| e.head.shape.len() == axes && e.head.element().is_some());
        fit.next().filter(|_| fit.next().is_none())
    };
    with(2).or_else(|| with(1)).ok_or_else(|| {
        let all: Vec<String> = entries
            .iter()
            .take(20)
            .map(|e| format!("{} {:?} {}", e.name, e.head.shape, e.head.descr))
            .collect();
        format!(
            "which array holds the samples? Name it 'data', [samples, channels]; it has: {}",
            all.join(", ")
        )
    })
}

/// What the arrays beside the samples say.
fn said_inside(archive: &mut Archive, entries: &[Entry]) -> Result<Labels, Wrong> {
    let named = |list: &[&str]| {
        let name = labels::first(list, entries.iter().map(|entry| entry.name.as_str()))?;
        entries.iter().find(|entry| entry.name == name)
    };
    let mut found = Labels::default();
    if let Some(entry) = named(RATE) {
        let number = entry.head.element().filter(|_| entry.head.count() == Some(1));
        let element = number.ok_or_else(|| wrong_in(&entry.name, "expected one number: samples a second"))?;
        let bytes = inflate(archive, entry, NAMES)?;
        found.rate = Some((element.number(&bytes), format!("array '{}'", entry.name)));
    }
    if let Some(entry) = named(CHANNELS) {
        found.names = Some((strings(archive, entry)?, format!("array '{}'", entry.name)));
    }
    if let Some(entry) = named(UNITS) {
        found.units = strings(archive, entry)?;
    }
    Ok(found)
}

/// The bytes of an array, at most `most`.
fn inflate(archive: &mut Archive, entry: &Entry, most: u64) -> Result<Vec<u8>, Wrong> {
    let Entry { name, head, packed, .. } = entry;
    let width =
        width(&head.descr).ok_or_else(|| wrong_in(name, format!("elements of type {}", head.descr)))?;
    let size = head.count().and_then(|count| count.checked_mul(width));
    let claim = || size.map_or_else(|| "more bytes than can be".to_owned(), |size| format!("{size} bytes"));
    // What cannot be is not begun; beyond that, memory grows with what is there.
    let possible = packed.saturating_mul(RATIO).saturating_add(RATIO);
    let Some(size) = size.filter(|&size| size <= possible) else {
        let what =
            format!("shape {:?} needs {}, which {packed} compressed bytes cannot hold", head.shape, claim());
        return Err(wrong_in(name, what));
    };
    if size > most {
        let what = format!(
            "{size} bytes are too many to be held in memory (at most {most}); save it with numpy.savez, which does not compress, \
             or as .npy: it is then read in pieces"
        );
        return Err(wrong_in(name, what));
    }
    let mut file = archive.by_index(entry.index).map_err(|e| wrong_in(name, e))?;
    NpyHead::read(&mut file).map_err(|e| wrong_in(name, e))?;
    let mut bytes = Vec::new();
    let all = size.saturating_add(1);
    // The read beyond the end also makes the archive compare its checksum.
    file.take(all).read_to_end(&mut bytes).map_err(|e| wrong_in(name, e))?;
    if bytes.len() as u64 != size {
        let (shape, what) = (&head.shape, if bytes.len() as u64 > size { "more" } else { "fewer" });
        return Err(wrong_in(name, format!("it has {what} bytes than the {size} of shape {shape:?}")));
    }
    Ok(bytes)
}

/// Bytes of an element: numbers, and texts of NumPy (`U`: four bytes a letter; `S`: one).
fn width(descr: &str) -> Option<u64> {
    let letters =
        |tag: char| descr.trim_start_matches(['<', '>', '|', '=']).strip_prefix(tag)?.parse::<u64>().ok();
    let text = letters('U').map(|n| n.saturating_mul(4)).or_else(|| letters('S'));
    text.or_else(|| Element::of_numpy(descr).map(|element| element.width as u64))
}

/// The texts of an array, without the zeros that fill them.
fn strings(archive: &mut Archive, entry: &Entry) -> Result<Vec<String>, Wrong> {
    let descr = &entry.head.descr;
    let wide = descr.contains('U');
    if !wide && !descr.contains('S') {
        let what = format!(
            "expected texts, found elements of type {descr}; save it as numpy.array([...], dtype=str)"
        );
        return Err(wrong_in(&entry.name, what));
    }
    let bytes = inflate(archive, entry, NAMES)?;
    let width = width(descr).and_then(|width| usize::try_from(width).ok()).unwrap_or_default();
    if width == 0 {
        return Ok(vec![String::new(); entry.head.count().unwrap_or_default().min(1 << 16) as usize]);
    }
    let letter = |b: &[u8]| match *b {
        [a, b, c, d] if descr.starts_with('>') => char::from_u32(u32::from_be_bytes([a, b, c, d])),
        [a, b, c, d] => char::from_u32(u32::from_le_bytes([a, b, c, d])),
        _ => None,
    };
    let text = |b: &[u8]| -> String {
        let text = if wide {
            b.chunks(4).map(|b| letter(b).unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        } else {
            String::from_utf8_lossy(b).into_owned()
        };
        text.trim_end_matches('\0').to_owned()
    };
    Ok(bytes.chunks_exact(width).map(text).collect())
}
