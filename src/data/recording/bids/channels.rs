//! What a `*_channels.tsv` says about channels, put into a recording.

use std::collections::{BTreeMap, HashMap};

use crate::data::recording::store::Store;
use crate::data::recording::text::{decode, lines};
use crate::data::recording::{Channel, Recording, RecordingError};

/// Longest sidecar that is read.
pub(super) const TEXT: usize = 16 << 20;
/// Names that a notice lists.
const NAMES: usize = 5;
/// Rates of file and sidecar that differ by less are one rate, rounded for print.
const SAME_RATE: f64 = 1e-4;

/// What the table says about one channel; `n/a` and missing columns are empty.
struct Row {
    line: usize,
    kind: String,
    units: String,
    rate: String,
    status: String,
}

/// Puts types, units and marks of bad channels from a `*_channels.tsv` into a recording. Where the data file declares a unit or a rate
/// itself, it wins; a contradiction is a notice.
///
/// # Errors
/// If the table cannot be read, has no column `name`, or a row with another number of cells than its header.
pub fn apply(recording: &mut Recording, mut table: Store) -> Result<(), RecordingError> {
    let bytes = table.all(TEXT)?;
    let mut rows = rows(&table, &bytes)?;
    let file = table.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (mut unnamed, mut odd) = (Vec::new(), BTreeMap::new());
    for channel in &mut recording.channels {
        match rows.remove(&channel.name) {
            Some(row) => put(channel, row, &table, &mut odd)?,
            None => unnamed.push(channel.name.clone()),
        }
    }
    for (what, channels) in odd {
        recording.notices.push(format!("{file} says {what} is taken ({})", list(&channels)));
    }
    if !unnamed.is_empty() {
        recording.notices.push(format!("{file} does not tell about {}", list(&unnamed)));
    }
    if !rows.is_empty() {
        let mut left: Vec<(usize, String)> = rows.into_iter().map(|(name, row)| (row.line, name)).collect();
        left.sort();
        let names: Vec<String> = left.into_iter().map(|(_, name)| name).collect();
        recording.notices.push(format!("{file} names what the data file has not: {}", list(&names)));
    }
    Ok(())
}

/// `3 channels: a, b, c`.
pub(in crate::data::recording) fn list(names: &[String]) -> String {
    let first = names.iter().take(NAMES).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = if names.len() > NAMES { ", …" } else { "" };
    format!("{} channel{}: {first}{more}", names.len(), if names.len() == 1 { "" } else { "s" })
}

/// The rows of the table by name.
fn rows(table: &Store, bytes: &[u8]) -> Result<HashMap<String, Row>, RecordingError> {
    let (text, _) = decode(bytes);
    let mut lines = lines(&text).filter(|(_, line)| !line.trim().is_empty());
    let (_, head) =
        lines.next().ok_or_else(|| table.error("line 1", "is empty; expected name, type, units, …"))?;
    let head: Vec<&str> = head.split('\t').map(str::trim).collect();
    let column = |name: &str| head.iter().position(|h| h.eq_ignore_ascii_case(name));
    let name = column("name").ok_or_else(|| {
        table.error("line 1", format!("no column 'name' among '{}', separated by tabs", head.join("', '")))
    })?;
    let [kind, units, rate, status] = ["type", "units", "sampling_frequency", "status"].map(column);
    let mut rows = HashMap::new();
    for (line, text) in lines {
        let cells: Vec<&str> = text.split('\t').map(str::trim).collect();
        if cells.len() != head.len() {
            let what = format!("{} cells separated by tabs; the first line has {}", cells.len(), head.len());
            return Err(table.error(format!("line {line}"), what));
        }
        let cell = |at: Option<usize>| match at.map_or("", |at| cells[at]) {
            "n/a" | "N/A" => String::new(),
            cell => cell.to_owned(),
        };
        let row = Row { line, kind: cell(kind), units: cell(units), rate: cell(rate), status: cell(status) };
        if let Some(first) = rows.insert(cells[name].to_owned(), row) {
            let what = format!("channel '{}' is in line {} already", cells[name], first.line);
            return Err(table.error(format!("line {line}"), what));
        }
    }
    Ok(rows)
}

/// Puts one row into its channel; contradictions are gathered by what they say.
fn put(
    channel: &mut Channel,
    row: Row,
    table: &Store,
    odd: &mut BTreeMap<String, Vec<String>>,
) -> Result<(), RecordingError> {
    if !row.kind.is_empty() {
        channel.kind = row.kind.to_uppercase();
    }
    channel.bad |= row.status.eq_ignore_ascii_case("bad");
    let mut contradicts = |what: String| odd.entry(what).or_default().push(channel.name.clone());
    if channel.unit.is_empty() {
        channel.unit = row.units;
    } else if !row.units.is_empty() {
        let said = Channel { unit: row.units, ..channel.clone() };
        let same = match (said.microvolts(), channel.microvolts()) {
            (None, None) => said.unit.eq_ignore_ascii_case(&channel.unit),
            (said, own) => said == own,
        };
        if !same {
            contradicts(format!("the unit is {}, the data file says {}, which", said.unit, channel.unit));
        }
    }
    if !row.rate.is_empty() {
        let rate: Option<f64> = row.rate.parse().ok().filter(|rate: &f64| rate.is_finite() && *rate > 0.0);
        let Some(rate) = rate else {
            let what =
                format!("sampling_frequency '{}' of channel {} is no rate in Hz", row.rate, channel.name);
            return Err(table.error(format!("line {}", row.line), what));
        };
        if !same_rate(rate, channel.rate_hz) {
            contradicts(format!("the rate is {rate} Hz, the data file says {} Hz, which", channel.rate_hz));
        }
    }
    Ok(())
}

/// Whether two rates are one, as precisely as sidecars print them.
pub(super) fn same_rate(a: f64, b: f64) -> bool {
    (a - b).abs() <= SAME_RATE * a.abs().max(b.abs())
}
