//! MATLAB files of version 5 to 7 (`.mat`), as MATLAB and SciPy write them.
//!
//! The samples are the matrix `data` (or `values`, `eeg`, `ieeg`, `signals`, `x`), or the only one that is neither a single number nor text; its longer
//! axis is time, unless names of channels say otherwise. A cell array of texts or a character matrix may name the channels, a single
//! number tell the rate. Version 7.3 is HDF5.
//!
//! The layout follows MathWorks, "MAT-File Format", R2019b, which the numbers of types and classes are from. Matrices that are
//! not compressed are read in pieces; a compressed one is held in memory, at most 4 GiB.

mod element;
mod text;

use element::{Class, Matrix, Tag};

use super::labels::{self, CHANNELS, DATA, Labels, RATE, Time, UNITS};
use super::numpy::INFLATED;
use super::store::Store;
use super::strided::{Layout, Strided, mark_digital};
use super::{Hints, Recording, RecordingError};

/// Bytes of the text, version and order mark that a file begins with.
const HEADER: u64 = 128;
/// Variables that are looked at.
const VARIABLES: usize = 10_000;
/// Bytes of names, units and the rate at most.
const SMALL: u64 = 1 << 24;
const HELP: &str = "save it as a variable 'fs', 'srate' or 'rate' (samples a second), or set it yourself (data.rate-hz, or --rate-hz)";

/// Opens a MATLAB file.
///
/// # Errors
/// If it is damaged or of another version, does not tell which matrix holds the samples, or the rate is not known.
pub fn open(mut store: Store, hints: &Hints) -> Result<Recording, RecordingError> {
    let big = order(&mut store)?;
    let variables = variables(&mut store, big)?;
    let path = store.path().to_path_buf();
    let labels = said_inside(&mut store, &variables)?;
    let found = samples_of(&variables).map_err(|what| store.error("variables", what))?;
    let place = format!("variable '{}'", found.name);
    let (own, numbers) = found.numbers(&mut store, INFLATED)?;
    let (time_first, notice) = labels.time_first(found.rows, found.columns, Time::Longer);
    let (samples, channels) =
        if time_first { (found.rows, found.columns) } else { (found.columns, found.rows) };
    let need =
        found.rows.checked_mul(found.columns).and_then(|n| n.checked_mul(numbers.element.width as u64));
    if need != Some(numbers.size) {
        let what =
            format!("{} × {} numbers do not fit into {} bytes", found.rows, found.columns, numbers.size);
        return Err(store.error(place, what));
    }
    // The first axis varies fastest in MATLAB.
    let layout = Layout {
        start: numbers.at,
        element: numbers.element,
        channels,
        samples,
        by_channel: time_first,
        scale: [1.0, 0.0],
    };
    let store = own.unwrap_or(store);
    let source = Strided::new(store, layout)?;
    let (mut channels, notices) = labels.channels(source.store(), (channels, samples), hints, HELP)?;
    mark_digital(&mut channels, &layout);
    let mut recording = Recording::new(&path, "MATLAB", channels, Box::new(source));
    recording.notices = notice.into_iter().chain(notices).collect();
    if found.complex {
        recording.notices.push(format!("{place} is complex: its real part is read"));
    }
    Ok(recording)
}

/// Whether numbers have their most significant byte first.
fn order(store: &mut Store) -> Result<bool, RecordingError> {
    let head = store.head(HEADER as usize)?;
    let again = "save it again with save(..., '-v7')";
    match head.get(124..128) {
        Some(b"\0\x01IM") => Ok(false),
        Some(b"\x01\0MI") => Ok(true),
        Some([0, 2, b'I', b'M'] | [2, 0, b'M', b'I']) => {
            Err(store.error("byte 124", format!("version 7.3 without HDF5 within; {again}")))
        }
        _ if head.len() > 20 && head[..4].contains(&0) => {
            Err(store.error("byte 0", format!("MATLAB version 4, or no MATLAB file; {again}")))
        }
        _ => Err(store.error("byte 124", format!("no MATLAB file of version 5 to 7; {again}"))),
    }
}

/// The heads of all variables.
fn variables(store: &mut Store, big: bool) -> Result<Vec<Matrix>, RecordingError> {
    let mut variables = Vec::new();
    let mut at = HEADER;
    // What is left of less than a tag is padding.
    while at.saturating_add(8) <= store.len() && variables.len() < VARIABLES {
        let tag = Tag::read(store, at, big)?;
        if let Some(matrix) = Matrix::read(store, &tag, big)? {
            variables.push(matrix);
        }
        at = tag.next;
    }
    Ok(variables)
}

/// The matrix with the samples.
fn samples_of(variables: &[Matrix]) -> Result<&Matrix, String> {
    let numeric = |m: &&Matrix| matches!(m.class, Class::Numeric(_));
    if let Some(name) = labels::first(DATA, variables.iter().filter(numeric).map(|m| m.name.as_str()))
        && let Some(matrix) = variables.iter().find(|m| m.name == name && numeric(m))
    {
        if matrix.axes != 2 {
            return Err(format!("'{name}' has {} axes; expected are two, samples and channels", matrix.axes));
        }
        return Ok(matrix);
    }
    let with = |fits: &dyn Fn(&Matrix) -> bool| {
        let mut fit = variables.iter().filter(|m| numeric(m) && m.axes == 2 && fits(m));
        fit.next().filter(|_| fit.next().is_none())
    };
    // One matrix beside vectors of times or marks is the one, too.
    with(&|m| m.rows > 1 && m.columns > 1).or_else(|| with(&|m| m.rows * m.columns > 1)).ok_or_else(|| {
        let all: Vec<String> = variables.iter().take(20).map(Matrix::about).collect();
        format!(
            "which matrix holds the samples? Name it 'data', samples × channels; there are: {}",
            all.join(", ")
        )
    })
}

/// What the variables beside the samples say.
fn said_inside(store: &mut Store, variables: &[Matrix]) -> Result<Labels, RecordingError> {
    let named = |list: &[&str]| {
        let name = labels::first(list, variables.iter().map(|m| m.name.as_str()))?;
        variables.iter().find(|m| m.name == name)
    };
    let mut found = Labels::default();
    if let Some(rate) = named(RATE) {
        let place = format!("variable '{}'", rate.name);
        if !matches!(rate.class, Class::Numeric(_)) || (rate.rows, rate.columns, rate.axes) != (1, 1, 2) {
            return Err(
                store.error(place, format!("expected one number, samples a second; it is {}", rate.about()))
            );
        }
        found.rate = Some((rate.single(store)?, place));
    }
    if let Some(names) = named(CHANNELS)
        && let Some(texts) = names.texts(store)?
    {
        found.names = Some((texts, format!("variable '{}'", names.name)));
    }
    if let Some(units) = named(UNITS)
        && let Some(texts) = units.texts(store)?
    {
        found.units = texts;
    }
    Ok(found)
}
