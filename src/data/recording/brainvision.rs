//! BrainVision: a text header (`.vhdr`) names a file of numbers (`.eeg`) and one of markers (`.vmrk`).
//!
//! Format: BrainVision Core Data Format 1.0 (Brain Products, 2019). Numbers are INT_16, INT_32 or IEEE_FLOAT_32, all channels of a sample
//! together (MULTIPLEXED) or all samples of a channel (VECTORIZED); a value is number × resolution in the unit of the channel, µV where
//! none is given. Data written as text (DataFormat=ASCII) are not read.

mod header;

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::store::Store;
use super::{Recording, RecordingError, Source};
use header::{Header, Number, Sections};

/// Longest header or marker file that is read; hours with a marker a second have less.
const TEXT: usize = 64 << 20;
/// Headers in one folder that are looked into for the one that names a data file.
const HEADERS: usize = 1000;

/// Opens a recording by any of its three files.
pub(super) fn open(mut store: Store) -> Result<Recording, RecordingError> {
    let opened = store.path().to_path_buf();
    let head = String::from_utf8_lossy(&store.head(128)?).into_owned();
    let first = head.lines().next().unwrap_or_default();
    if !(first.contains("Data Exchange Header") || first.contains("Vision") && extension(&opened, "vhdr")) {
        if extension(&opened, "vhdr") {
            let what = "expected 'Brain Vision Data Exchange Header File Version 1.0'";
            return Err(store.error("line 1", what));
        }
        store = Store::open(&header_of(&store)?)?;
    }
    let bytes = store.all(TEXT)?;
    let header = Header::parse(&store, &bytes)?;
    let mut notices = Vec::new();
    let data = Store::open(&data_file(&store, &header, &mut notices)?)?;
    let markers =
        header.marker_file.as_deref().map(|name| sibling(store.path(), &own_name(store.path(), name)));
    let markers = match markers {
        Some(path) if path.is_file() => Some(Store::open(&path)?),
        Some(path) => {
            notices.push(format!("the marker file {} is not there: markers are not known", path.display()));
            None
        }
        None => None,
    };
    let mut recording = assemble(header, data, markers)?;
    recording.path = opened;
    recording.notices.append(&mut notices);
    Ok(recording)
}

/// A recording whose files are in memory, or have been opened by someone else.
///
/// # Errors
/// As [`super::open()`].
pub fn from_parts(mut header: Store, data: Store) -> Result<Recording, RecordingError> {
    let bytes = header.all(TEXT)?;
    let mut recording = assemble(Header::parse(&header, &bytes)?, data, None)?;
    recording.path = header.path().to_path_buf();
    Ok(recording)
}

fn assemble(mut header: Header, data: Store, markers: Option<Store>) -> Result<Recording, RecordingError> {
    let points = points(&mut header, &data)?;
    if let Some(markers) = markers {
        header.notices.extend(breaks(markers));
    }
    for channel in &mut header.channels {
        channel.samples = points;
    }
    let Header { number, big_endian, vectorized, channels, resolution, notices, .. } = header;
    let path = data.path().to_path_buf();
    let source = Reader { data, number, big_endian, vectorized, points, resolution };
    let mut recording = Recording::new(&path, "BrainVision", channels, Box::new(source));
    recording.notices = notices;
    Ok(recording)
}

/// What is to be said about the markers: segments that do not follow each other in time. Damaged markers do not stop the use of the samples.
fn breaks(mut markers: Store) -> Option<String> {
    let bytes = match markers.all(TEXT) {
        Ok(bytes) => bytes,
        Err(error) => return Some(format!("markers are left out: {error}")),
    };
    let breaks = match Sections::parse(&markers, &bytes) {
        Ok(sections) => sections.breaks(),
        Err(error) => return Some(format!("markers are left out: {error}")),
    };
    let first = breaks.first()?;
    Some(format!(
        "time is not continuous: {} of the segments begin later, the first of these at sample {first} (from 1); samples are taken one after \
         the other",
        breaks.len()
    ))
}

/// Samples of a channel, as the length of the data file tells; what the header says is checked against it.
fn points(header: &mut Header, data: &Store) -> Result<u64, RecordingError> {
    let frame = (header.channels.len() * header.number.bytes()) as u64;
    let (points, rest) = (data.len() / frame, data.len() % frame);
    let counted = format!(
        "{} bytes are {points} samples of {} channels of {} bytes and {rest} bytes more",
        data.len(),
        header.channels.len(),
        header.number.bytes()
    );
    if points == 0 {
        return Err(data.error("length", format!("{counted}: there is no sample")));
    }
    let wrong = header.points.filter(|said| *said != points);
    // The place of a vector depends on the length of those before it.
    if header.vectorized && (rest > 0 || wrong.is_some()) {
        let said = wrong.map(|n| format!("; the header says DataPoints={n}")).unwrap_or_default();
        return Err(
            data.error("length", format!("{counted}{said}: vectors of channels cannot be found in it"))
        );
    }
    if rest > 0 {
        header.notices.push(format!("{}: cut off: {counted}, which are left out", data.path().display()));
    }
    if let Some(said) = wrong {
        header
            .notices
            .push(format!("the header says DataPoints={said}, the data file has {points}: these are taken"));
    }
    Ok(points)
}

fn extension(path: &Path, end: &str) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case(end))
}

/// A file name from a header: `$b` stands for the name of the header without its end; folders are those of another machine.
fn own_name(header: &Path, name: &str) -> String {
    let stem = header.file_stem().unwrap_or_default().to_string_lossy();
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    name.replace("$b", &stem)
}

/// The file of this name beside another.
fn sibling(path: &Path, name: &str) -> PathBuf {
    path.with_file_name(name)
}

/// The data file that a header names, or one that was renamed together with the header.
fn data_file(header: &Store, said: &Header, notices: &mut Vec<String>) -> Result<PathBuf, RecordingError> {
    let named = sibling(header.path(), &own_name(header.path(), &said.data_file));
    if named.is_file() {
        return Ok(named);
    }
    let end = named.extension().map(|e| e.to_string_lossy().into_owned()).unwrap_or_default();
    let ends = [end.as_str(), "eeg", "EEG", "dat"];
    let renamed = ends.iter().map(|end| header.path().with_extension(end));
    let found = renamed.into_iter().find(|path| path != header.path() && path.is_file());
    let Some(path) = found else {
        let what = format!("there is no data file {}; put it beside the header", named.display());
        return Err(header.error("[Common Infos], DataFile", what));
    };
    notices.push(format!("the data file {} is not there; {} is taken", named.display(), path.display()));
    Ok(path)
}

/// The header that belongs to a data or marker file.
fn header_of(store: &Store) -> Result<PathBuf, RecordingError> {
    let path = store.path();
    for end in ["vhdr", "VHDR"] {
        let header = path.with_extension(end);
        if header.is_file() {
            return Ok(header);
        }
    }
    // Renamed: a header that names this file.
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let io = |error| RecordingError::Io { path: folder.to_path_buf(), error };
    let mut found = Vec::new();
    let files = std::fs::read_dir(folder).map_err(io)?.filter_map(|entry| entry.ok().map(|e| e.path()));
    for header in files.filter(|f| extension(f, "vhdr") && f.is_file()).take(HEADERS) {
        let mut text = Store::open(&header)?;
        let bytes = text.all(TEXT)?;
        let Ok(sections) = Sections::parse(&text, &bytes) else { continue };
        let names = ["DataFile", "MarkerFile"].map(|key| sections.file(key));
        if names.into_iter().flatten().any(|name| path.file_name() == Some(own_name(&header, &name).as_ref()))
        {
            found.push(header);
        }
    }
    found.sort();
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(store.error("header", "no BrainVision header (.vhdr) beside it names this file")),
        several => {
            let names: Vec<String> = several.iter().map(|p| p.display().to_string()).collect();
            Err(store
                .error("header", format!("several headers name this file; open one of {}", names.join(", "))))
        }
    }
}

/// Samples of the data file.
struct Reader {
    data: Store,
    number: Number,
    big_endian: bool,
    vectorized: bool,
    points: u64,
    resolution: Vec<f64>,
}

impl Source for Reader {
    fn read(&mut self, channel: usize, range: Range<u64>, out: &mut Vec<f64>) -> Result<(), RecordingError> {
        let (width, channels) = (self.number.bytes(), self.resolution.len());
        let gain = self.resolution[channel];
        // All within the length of the file: the range lies within the channel.
        let (first, stride) = if self.vectorized {
            (channel as u64 * self.points + range.start, width)
        } else {
            (range.start * channels as u64 + channel as u64, width * channels)
        };
        let (from, count, big) = (first * width as u64, range.end - range.start, self.big_endian);
        let word = move |b: &[u8]| if big { [b[3], b[2], b[1], b[0]] } else { [b[0], b[1], b[2], b[3]] };
        match self.number {
            Number::Int16 => self.data.strided(from, stride, width, count, out, |b| {
                let b = if big { [b[1], b[0]] } else { [b[0], b[1]] };
                f64::from(i16::from_le_bytes(b)) * gain
            }),
            Number::Int32 => self
                .data
                .strided(from, stride, width, count, out, |b| f64::from(i32::from_le_bytes(word(b))) * gain),
            Number::Float32 => self
                .data
                .strided(from, stride, width, count, out, |b| f64::from(f32::from_le_bytes(word(b))) * gain),
        }
    }
}
