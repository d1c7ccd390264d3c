//! References: what the voltage of an electrode is a difference to.

use super::Reference;
use crate::data::recording::Channel;

/// What is subtracted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Minus {
    Nothing,
    /// The mean of the sources that take part in the reference.
    Average,
    /// Another source.
    Source(usize),
}

/// A column of a series: a source, less its reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    /// Name of the channel, or `A1-A2`.
    pub name: String,
    source: usize,
    minus: Minus,
}

impl Column {
    /// A source as it is.
    pub fn plain(name: String, source: usize) -> Self {
        Self { name, source, minus: Minus::Nothing }
    }

    /// Whether a source is in it, other than in a mean.
    pub fn uses(&self, source: usize) -> bool {
        self.source == source || self.minus == Minus::Source(source)
    }

    /// Its source.
    pub fn source(&self) -> usize {
        self.source
    }

    /// Writes its samples; `sources` hold theirs, `average` is their mean.
    pub fn fill(&self, sources: &[Vec<f64>], average: &[f64], out: &mut Vec<f64>) {
        let own = &sources[self.source];
        out.clear();
        match self.minus {
            Minus::Nothing => out.extend_from_slice(own),
            Minus::Average => out.extend(own.iter().zip(average).map(|(a, b)| a - b)),
            Minus::Source(other) => out.extend(own.iter().zip(&sources[other]).map(|(a, b)| a - b)),
        }
    }
}

/// The columns of some channels of a file; none for bipolar where no two are neighbours.
pub(super) fn columns(reference: Reference, all: &[Channel], sources: &[usize]) -> Vec<Column> {
    let minus = match reference {
        Reference::None => Minus::Nothing,
        Reference::CommonAverage => Minus::Average,
        Reference::Bipolar => return bipolar(all, sources),
    };
    let one = |(source, &i): (usize, &usize)| Column { name: all[i].name.clone(), source, minus };
    sources.iter().enumerate().map(one).collect()
}

/// Mean over sources, at each sample; always in their order.
pub(super) fn average(sources: &[Vec<f64>], out: &mut Vec<f64>) {
    out.clear();
    out.resize(sources.first().map_or(0, Vec::len), 0.0);
    for source in sources {
        out.iter_mut().zip(source).for_each(|(sum, value)| *sum += value);
    }
    out.iter_mut().for_each(|sum| *sum /= sources.len() as f64);
}

/// Shaft and number of a contact: `L'12` → (`L'`, 12). A marked reference (`A1-Ref`) does not count.
fn contact(name: &str) -> Option<(&str, u32)> {
    let bare = match name.rsplit_once('-') {
        Some((bare, end)) if end.eq_ignore_ascii_case("ref") => bare,
        _ => name,
    };
    let shaft = bare.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = bare[shaft.len()..].parse().ok()?;
    (!shaft.trim().is_empty()).then_some((shaft, number))
}

/// Pairs of contacts with numbers n and n + 1 on one shaft; shafts in the order of the file, numbers upwards.
fn bipolar(all: &[Channel], sources: &[usize]) -> Vec<Column> {
    let contacts: Vec<(usize, &str, u32)> = sources
        .iter()
        .enumerate()
        .filter_map(|(s, &i)| contact(&all[i].name).map(|(shaft, number)| (s, shaft, number)))
        .collect();
    let mut shafts: Vec<&str> = Vec::new();
    for (_, shaft, _) in &contacts {
        if !shafts.contains(shaft) {
            shafts.push(shaft);
        }
    }
    let mut columns = Vec::new();
    for shaft in shafts {
        let mut own: Vec<(u32, usize)> =
            contacts.iter().filter(|c| c.1 == shaft).map(|&(s, _, number)| (number, s)).collect();
        own.sort_unstable();
        own.dedup_by_key(|c| c.0);
        for pair in own.windows(2).filter(|pair| pair[1].0 == pair[0].0 + 1) {
            let (a, b) = (pair[0].1, pair[1].1);
            let name = format!("{}-{}", all[sources[a]].name, all[sources[b]].name);
            columns.push(Column { name, source: a, minus: Minus::Source(b) });
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::contact;

    #[test]
    fn contacts() {
        for (name, expected) in [
            ("L'12", Some(("L'", 12))),
            ("AHR3", Some(("AHR", 3))),
            ("POL A1-Ref", Some(("POL A", 1))),
            ("A1-A2", Some(("A1-A", 2))),
            ("EKG", None),
            ("12", None),
            ("A99999999999", None),
        ] {
            assert_eq!(contact(name), expected, "{name}");
        }
    }
}
