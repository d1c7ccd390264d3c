//! Ratios against an earlier run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Row;

/// Why an earlier run cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// The file.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// Its path.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line that is no row.
    #[error(
        "{}, line {line}: {source}; give a file of JSON lines that `bench --output jsonl` has written", path.display()
    )]
    Line {
        /// Path of the file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// There is nothing in it.
    #[error("{} has no rows; give a file of JSON lines that `bench --output jsonl` has written", .0.display())]
    Empty(PathBuf),
}

/// Reads the rows of an earlier run.
///
/// # Errors
/// If it cannot be read, a line is no row, or there are none.
pub fn load(path: &Path) -> Result<Vec<Row>, CompareError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| CompareError::Read { path: path.to_owned(), source })?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let rows = lines.map(|(i, line)| {
        let failed = |source| CompareError::Line { path: path.to_owned(), line: i + 1, source };
        serde_json::from_str(line).map_err(failed)
    });
    let rows: Vec<Row> = rows.collect::<Result<_, _>>()?;
    if rows.is_empty() { Err(CompareError::Empty(path.to_owned())) } else { Ok(rows) }
}

/// A case in both runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair<'a> {
    /// Now.
    pub now: &'a Row,
    /// Then.
    pub before: &'a Row,
}

impl Pair<'_> {
    /// How many times faster it is now.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.before.step_ms / self.now.step_ms
    }

    /// Whether the ranges of the repetitions do not meet.
    #[must_use]
    pub fn is_apart(&self) -> bool {
        self.now.step_ms_most < self.before.step_ms_least || self.before.step_ms_most < self.now.step_ms_least
    }
}

/// What two runs have in common.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison<'a> {
    /// Cases of both.
    pub pairs: Vec<Pair<'a>>,
    /// Cases that are new.
    pub only_now: Vec<&'a Row>,
    /// Cases that there were.
    pub only_before: Vec<&'a Row>,
}

/// Matches cases by their parameters and the kind of device. Where the earlier run has a case several times, the last of them on a device of the
/// same name counts, else the last.
#[must_use]
pub fn compare<'a>(now: &'a [Row], before: &'a [Row]) -> Comparison<'a> {
    let mut by_key: BTreeMap<String, Vec<&Row>> = BTreeMap::new();
    before.iter().for_each(|row| by_key.entry(row.key()).or_default().push(row));
    let mut found = Comparison::default();
    for row in now {
        let Some(candidates) = by_key.get(&row.key()) else {
            found.only_now.push(row);
            continue;
        };
        let same = candidates.iter().rev().find(|old| old.device == row.device);
        if let Some(before) = same.or(candidates.last()) {
            found.pairs.push(Pair { now: row, before });
        }
    }
    let keys: Vec<String> = now.iter().map(Row::key).collect();
    found.only_before = before.iter().filter(|row| !keys.contains(&row.key())).collect();
    found
}

impl Comparison<'_> {
    /// A line a pair, then what has no partner.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = String::new();
        if let Some(Pair { now, before }) = self.pairs.first() {
            text += &format!(
                "\n{:>12}{:>12}{:>10}   case (then {} of {}, now {})\n",
                "ms then", "ms now", "faster", before.commit, before.date, now.commit
            );
        }
        for pair in &self.pairs {
            let near = if pair.is_apart() { "" } else { "  (ranges of the repetitions meet)" };
            let moved = if pair.now.device == pair.before.device {
                String::new()
            } else {
                format!("  (then on {})", pair.before.device)
            };
            text += &format!(
                "{:>12.5}{:>12.5}{:>9.2}x   {}{near}{moved}\n",
                pair.before.step_ms,
                pair.now.step_ms,
                pair.ratio(),
                pair.now.key()
            );
        }
        for (rows, what) in [(&self.only_now, "now alone"), (&self.only_before, "then alone")] {
            rows.iter().for_each(|row| text += &format!("no partner, {what}: {}\n", row.key()));
        }
        text
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::bench::row::tests::row;

    fn timed(batch: usize, ms: f64, device: &str) -> Row {
        Row {
            batch,
            step_ms: ms,
            step_ms_least: 0.9 * ms,
            step_ms_most: 1.1 * ms,
            device: device.into(),
            ..row()
        }
    }

    #[test]
    fn cases_meet_by_their_parameters() {
        let before = [timed(1, 4.0, "a"), timed(1, 3.0, "b"), timed(2, 1.0, "b"), timed(8, 1.0, "a")];
        let now = [timed(1, 2.0, "a"), timed(2, 1.05, "c"), timed(3, 1.0, "a")];
        let found = compare(&now, &before);
        let ratios: Vec<f64> = found.pairs.iter().map(Pair::ratio).collect();
        assert_eq!(found.pairs[0].before.device, "a");
        assert!((ratios[0] - 2.0).abs() < 1e-12 && (ratios[1] - 1.0 / 1.05).abs() < 1e-12);
        assert_eq!(found.pairs.iter().map(Pair::is_apart).collect::<Vec<_>>(), [true, false]);
        assert_eq!(found.only_now.iter().map(|r| r.batch).collect::<Vec<_>>(), [3]);
        assert_eq!(found.only_before.iter().map(|r| r.batch).collect::<Vec<_>>(), [8]);
        let text = found.table();
        for words in
            ["2.00x", "ranges of the repetitions meet", "then on b", "no partner, now alone", "then alone"]
        {
            assert!(text.contains(words), "{words} in {text}");
        }
    }

    /// What ran, and the figures, make no other case; what was asked for does.
    #[test]
    fn keys_are_what_was_asked_for() {
        let one = row();
        assert_eq!(
            one.key(),
            Row { commit: "x".into(), gflops: 7.0, runs: "whole".into(), profile: "small".into(), ..row() }
                .key()
        );
        for other in [
            Row { plan: "plain".into(), ..row() },
            Row { learn: false, ..row() },
            Row { threads: Some(1), ..row() },
            Row { kind: "gpu".into(), ..row() },
            Row { dt_ms: 0.5, ..row() },
            Row { tiles: "large".into(), ..row() },
            Row { overrides: "dynamics.tau-ms=20".into(), ..row() },
        ] {
            assert_ne!(one.key(), other.key());
        }
    }

    #[test]
    fn bad_lines_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("old.jsonl");
        let line = serde_json::to_string(&row()).unwrap();
        std::fs::write(&path, format!("{line}\n\n{line}\n")).unwrap();
        assert_eq!(load(&path).unwrap(), [row(), row()]);
        std::fs::write(&path, format!("{line}\n{{\"x\":1}}\n")).unwrap();
        let text = load(&path).unwrap_err().to_string();
        assert!(text.contains("old.jsonl, line 2") && text.contains("--output jsonl"), "{text}");
        std::fs::write(&path, "\n").unwrap();
        assert!(load(&path).unwrap_err().to_string().contains("has no rows"));
        assert!(load(&dir.path().join("none")).unwrap_err().to_string().contains("cannot read"));
    }
}
