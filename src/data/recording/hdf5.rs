//! HDF5, and what is built on it: NWB and MATLAB 7.3.
//!
//! NWB: the ElectricalSeries of the file (below `acquisition`, if there are more), in volts by its `conversion` and `offset`, with the rate of its
//! `starting_time` or its `timestamps`, and the labels of its electrodes. Any other file: the matrix `data` (or `values`, `eeg`, …), or the only one;
//! rate, channels and unit are attributes of it, of a group above it, or data sets beside it. In MATLAB 7.3 files the longer axis is time.
//!
//! Of the two pure Rust readers, `hdf5-reader` is used: it is made for reading only, has a third of the code, and takes limits for what a
//! damaged file may make it allocate.

mod nwb;
mod source;
mod tree;

use std::sync::{Arc, Mutex, PoisonError};

use hdf5_reader::error::Error;
use hdf5_reader::storage::BlockCacheStorage;
use hdf5_reader::{Dataset, Hdf5File, OpenOptions, RangeRequestStorage};

use super::labels::{self, CHANNELS, DATA, Labels, RATE, Time, UNITS};
use super::numpy::RATIO;
use super::store::Store;
use super::{Hints, Recording, RecordingError};
use source::{Orientation, Samples};
use tree::{Found, Tree};

/// Bytes of a chunk, of a single read, and of chunks that are kept, at most.
const CHUNK: u64 = 256 << 20;
const READ: usize = 64 << 20;
const KEPT: usize = 32 << 20;
const HELP: &str = "give the data set an attribute 'rate' (samples a second), or set it yourself (data.rate-hz, or --rate-hz)";

/// Opens an HDF5 file.
///
/// # Errors
/// If it is damaged, does not tell which data set holds the samples, or the rate is not known.
pub fn open(store: Store, hints: &Hints) -> Result<Recording, RecordingError> {
    let path = store.path().to_path_buf();
    let length = store.len();
    // For errors; it holds no bytes.
    let about = Store::in_memory(&path, Vec::new());
    let wrong = |place: &str, error: Error| about.error(place, error.to_string());
    let file = file_of(store).map_err(|e| wrong("header", e))?;
    let block = file.superblock();
    if block.eof_address > length {
        let what =
            format!("the file should have {} bytes, but has {length}: it is cut off", block.eof_address);
        return Err(about.error("header", what));
    }
    let root = file.root_group().map_err(|e| wrong("/", e))?;
    let tree = Tree::read(root).map_err(|(place, e)| wrong(&place, e))?;
    let (found, time, format) = match nwb::series(&tree).map_err(|what| about.error("acquisition", what))? {
        Some(series) => (nwb::labelled(&about, &tree, series)?, Time::First, "NWB"),
        None => {
            let found = plain(&about, &tree)?;
            let matlab = found.data.attribute("MATLAB_class").is_ok();
            if matlab { (found, Time::Longer, "MATLAB 7.3") } else { (found, Time::First, "HDF5") }
        }
    };
    finish(&about, found, time, format, length, hints)
}

/// A matrix and what is known of it.
struct Labelled {
    place: String,
    data: Dataset,
    labels: Labels,
    /// A number d of channel c stands for `gain[c]·d + offset`; one for all, or one a channel.
    gain: Vec<f64>,
    offset: f64,
    notices: Vec<String>,
}

fn finish(
    about: &Store,
    found: Labelled,
    time: Time,
    format: &'static str,
    length: u64,
    hints: &Hints,
) -> Result<Recording, RecordingError> {
    let Labelled { place, data, labels, gain, offset, mut notices } = found;
    let (rows, columns) = match *data.shape() {
        [rows] => (rows, 1),
        [rows, columns] => (rows, columns),
        ref other => {
            let what = format!("its shape is {other:?}; expected are [samples, channels] or [samples]");
            return Err(about.error(place, what));
        }
    };
    let Some(width) = source::width(data.dtype()) else {
        return Err(
            about.error(place, format!("elements of type {:?} are not read as numbers", data.dtype()))
        );
    };
    // Chunks may be compressed, but no file holds more than this.
    let size = rows.checked_mul(columns).and_then(|n| n.checked_mul(width));
    if size.is_none_or(|size| size > length.saturating_mul(RATIO)) {
        let what =
            format!("{rows} × {columns} numbers of {width} bytes cannot be in a file of {length} bytes");
        return Err(about.error(place, what));
    }
    let (time_first, notice) = labels.time_first(rows, columns, time);
    let (samples, count) = if time_first { (rows, columns) } else { (columns, rows) };
    let (mut channels, more) = labels.channels(about, (count, samples), hints, HELP)?;
    if gain.len() != 1 && gain.len() as u64 != count {
        return Err(about.error(place, format!("{} factors for {count} channels", gain.len())));
    }
    let orientation = if data.ndim() == 1 {
        Orientation::Single
    } else if time_first {
        Orientation::Rows
    } else {
        Orientation::Columns
    };
    for (i, channel) in channels.iter_mut().enumerate() {
        let gain = gain.get(i).or_else(|| gain.first()).copied().unwrap_or(1.0);
        channel.digital = source::digital(data.dtype(), gain, offset);
    }
    notices.extend(notice);
    notices.extend(more);
    let source = Samples::new(about.path(), place, data, orientation, count, (gain, offset));
    let mut recording = Recording::new(about.path(), format, channels, Box::new(source));
    recording.notices = notices;
    Ok(recording)
}

/// The file behind a store: only what is asked for is read.
fn file_of(store: Store) -> Result<Hdf5File, Error> {
    let length = store.len();
    let possible = length.saturating_mul(RATIO).min(CHUNK);
    let options = OpenOptions::default()
        .with_max_chunk_bytes(usize::try_from(possible).unwrap_or(usize::MAX))
        .with_max_read_bytes(READ)
        .with_max_object_header_bytes(usize::try_from(length.min(4 << 20)).unwrap_or(4 << 20))
        .with_chunk_cache_bytes(KEPT);
    let store = Mutex::new(store);
    let range = move |offset: u64, size: usize| {
        let mut bytes = vec![0; size];
        let mut store = store.lock().unwrap_or_else(PoisonError::into_inner);
        store.read_at(offset, &mut bytes).map_err(|e| Error::Io(std::io::Error::other(e)))?;
        Ok(bytes)
    };
    let storage = Arc::new(RangeRequestStorage::new(length, range));
    let storage = Arc::new(BlockCacheStorage::new(storage, 1 << 16, 64));
    Hdf5File::from_storage_with_options(storage, options)
}

/// The matrix of a file that is no NWB, and what stands around it.
fn plain(about: &Store, tree: &Tree) -> Result<Labelled, RecordingError> {
    let found = matrix(tree).map_err(|what| about.error("/", what))?;
    let place = found.path();
    let mut labels = Labels::default();
    if let Some((at, rate)) = tree.number(found, RATE) {
        labels.rate = Some((rate, at));
    }
    if let Some((at, names)) = tree.texts(found, CHANNELS) {
        labels.names = Some((names, at));
    }
    if let Some((_, units)) = tree.texts(found, UNITS) {
        labels.units = units;
    }
    Ok(Labelled {
        place,
        data: found.data.clone(),
        labels,
        gain: vec![1.0],
        offset: 0.0,
        notices: Vec::new(),
    })
}

/// The data set with the samples.
fn matrix(tree: &Tree) -> Result<&Found, String> {
    let numbers = |found: &&Found| source::width(found.data.dtype()).is_some();
    let fits = |found: &&Found| numbers(found) && matches!(found.data.ndim(), 1 | 2);
    let named =
        tree.datasets.iter().filter(fits).filter(|found| found.data.num_elements().is_ok_and(|n| n > 1));
    let best = named.filter_map(|found| Some((labels::rank(DATA, found.data.name())?, found)));
    if let Some((_, found)) = best.min_by_key(|(rank, _)| *rank) {
        return Ok(found);
    }
    let wide = |found: &&Found| fits(found) && found.data.ndim() == 2 && !found.data.shape().contains(&1);
    let mut wide = tree.datasets.iter().filter(wide);
    wide.next().filter(|_| wide.next().is_none()).ok_or_else(|| {
        let all: Vec<String> = tree
            .datasets
            .iter()
            .take(20)
            .map(|found| format!("{} {:?}", found.path(), found.data.shape()))
            .collect();
        format!(
            "which data set holds the samples? Name it 'data', [samples, channels]; there are: {}",
            all.join(", ")
        )
    })
}
