//! What NWB files (Neurodata Without Borders 2) say about an ElectricalSeries.

use super::tree::{Found, Tree};
use super::{Labelled, Labels, RecordingError, Store, source};
use crate::data::recording::table::Times;
use hdf5_reader::SliceInfoElem;

/// Table of the electrodes.
const ELECTRODES: &str = "/general/extracellular_ephys/electrodes/";
/// Times that are read to find the rate.
const TIMES: u64 = 1 << 22;

/// The data set of the series that is read; `None` if the file has none.
///
/// # Errors
/// If there are several and not just one below `acquisition`.
pub fn series(tree: &Tree) -> Result<Option<&Found>, String> {
    let is_series = |at: &usize| {
        let kind = tree.groups.get(*at).and_then(|node| node.group.attribute("neurodata_type").ok());
        kind.and_then(|kind| kind.read_string().ok()).is_some_and(|kind| kind == "ElectricalSeries")
    };
    let all: Vec<&Found> =
        (0..tree.groups.len()).filter(is_series).filter_map(|at| tree.child(at, "data")).collect();
    let acquired: Vec<&Found> =
        all.iter().copied().filter(|found| found.path().starts_with("/acquisition/")).collect();
    match (all.as_slice(), acquired.as_slice()) {
        ([], _) => Ok(None),
        ([one], _) | (_, [one]) => Ok(Some(one)),
        (all, _) => {
            let all: Vec<String> = all.iter().take(20).map(|found| found.path()).collect();
            Err(format!("more than one ElectricalSeries; keep one in the file: {}", all.join(", ")))
        }
    }
}

/// The series with its rate, names, unit and scale.
pub fn labelled(about: &Store, tree: &Tree, found: &Found) -> Result<Labelled, RecordingError> {
    let number = |name: &str| found.data.attribute(name).ok().and_then(|a| a.read_as_f64().ok());
    let conversion = number("conversion").unwrap_or(1.0);
    let channels = found.data.shape().get(1).copied().unwrap_or(1);
    let mut gain = vec![conversion];
    if let Some(each) = tree.child(found.within, "channel_conversion") {
        let factors = column(each, channels).map_err(|e| about.error(each.path(), e))?;
        gain = factors.iter().map(|factor| factor * conversion).collect();
    }
    let mut notices = Vec::new();
    let rate = rate(about, tree, found, &mut notices)?;
    let unit = found.data.attribute("unit").ok().and_then(|a| a.read_string().ok());
    let labels = Labels { rate, names: names(tree, found, channels), units: unit.into_iter().collect() };
    let offset = number("offset").unwrap_or(0.0);
    Ok(Labelled { place: found.path(), data: found.data.clone(), labels, gain, offset, notices })
}

/// The first numbers of a data set with one axis.
fn column(of: &Found, most: u64) -> Result<Vec<f64>, String> {
    let end = of.data.shape().first().copied().unwrap_or_default().min(most);
    if of.data.ndim() != 1 {
        return Err(format!("its shape is {:?}; expected is one axis", of.data.shape()));
    }
    source::numbers(&of.data, vec![SliceInfoElem::Slice { start: 0, end, step: 1 }])
        .map_err(|e| e.to_string())
}

fn rate(
    about: &Store,
    tree: &Tree,
    found: &Found,
    notices: &mut Vec<String>,
) -> Result<Option<(f64, String)>, RecordingError> {
    if let Some(start) = tree.child(found.within, "starting_time")
        && let Some(rate) = start.data.attribute("rate").ok().and_then(|a| a.read_as_f64().ok())
    {
        return Ok(Some((rate, format!("{}, attribute 'rate'", start.path()))));
    }
    let Some(stamps) = tree.child(found.within, "timestamps") else { return Ok(None) };
    let times = column(stamps, TIMES).map_err(|e| about.error(stamps.path(), e))?;
    let (rate, notice) =
        Times::SECONDS.rate(&times).map_err(|(at, e)| about.error(format!("{}, {at}", stamps.path()), e))?;
    notices.extend(notice);
    Ok(Some((rate, stamps.path())))
}

/// Labels of the electrodes that the columns stand for.
fn names(tree: &Tree, found: &Found, channels: u64) -> Option<(Vec<String>, String)> {
    let table = tree.groups.iter().position(|node| node.path == ELECTRODES)?;
    let labels = ["label", "channel_name", "name"].iter().find_map(|name| tree.child(table, name))?;
    let texts = labels.data.read_strings().ok()?;
    let rows = column(tree.child(found.within, "electrodes")?, channels).ok()?;
    let names: Option<Vec<String>> = rows.iter().map(|&row| texts.get(row as usize).cloned()).collect();
    let names = names.filter(|names| names.len() as u64 == channels)?;
    Some((names, labels.path()))
}
