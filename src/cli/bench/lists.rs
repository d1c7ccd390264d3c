//! Comma lists of the command line, and what is wrong with them.

use anyhow::anyhow;

use crate::cli::Failure;
use crate::config::suggest::closest;

/// Most neurons, trajectories, steps, as in experiments.
const MOST: usize = 1 << 24;
/// Most populations, as in experiments.
const MOST_LAYERS: usize = 127;

/// The entries of a list.
fn entries<'a>(flag: &str, text: &'a str) -> Result<Vec<&'a str>, Failure> {
    let all: Vec<&str> = text.split(',').map(str::trim).collect();
    match all.iter().position(|entry| entry.is_empty()) {
        Some(at) => Err(Failure::usage(anyhow!(
            "{flag} '{text}': entry {} is empty; give values separated by single commas",
            at + 1
        ))),
        None => Ok(all),
    }
}

/// Whole numbers from 1.
pub(super) fn numbers(flag: &str, text: &str) -> Result<Vec<usize>, Failure> {
    let number = |(i, entry): (usize, &&str)| match entry.parse::<usize>() {
        Ok(n) if (1..=MOST).contains(&n) => Ok(n),
        _ => Err(Failure::usage(anyhow!(
            "{flag} '{text}': entry {}, '{entry}', is no whole number from 1 to {MOST}",
            i + 1
        ))),
    };
    entries(flag, text)?.iter().enumerate().map(number).collect()
}

/// Layer sizes, each network from input to output.
pub(super) fn networks(flag: &str, text: &str) -> Result<Vec<Vec<usize>>, Failure> {
    entries(flag, text)?.into_iter().map(|entry| network(flag, entry)).collect()
}

fn network(flag: &str, entry: &str) -> Result<Vec<usize>, Failure> {
    const EXPECTED: &str = "layer sizes from input to output, such as 784-500-10";
    let layers: Vec<&str> = entry.split('-').collect();
    if layers.len() < 2 || layers.len() > MOST_LAYERS {
        return Err(Failure::usage(anyhow!(
            "{flag}: '{entry}' has {} layer(s); give {EXPECTED}, with 2 to {MOST_LAYERS} layers",
            layers.len()
        )));
    }
    let size = |(i, layer): (usize, &&str)| match layer.parse::<usize>() {
        // Only an input may be missing.
        Ok(n) if n <= MOST && (n > 0 || i == 0) => Ok(n),
        _ => Err(Failure::usage(anyhow!(
            "{flag}: layer {} of '{entry}', '{layer}', is no number of neurons; give {EXPECTED}{}",
            i + 1,
            if *layer == "0" { "; only the input may have none" } else { "" }
        ))),
    };
    layers.iter().enumerate().map(size).collect()
}

/// Names of things.
pub(super) fn choices<T: Copy>(flag: &str, text: &str, names: &[(&str, T)]) -> Result<Vec<T>, Failure> {
    entries(flag, text)?.into_iter().map(|entry| choice(flag, entry, names)).collect()
}

/// One name.
pub(super) fn choice<T: Copy>(flag: &str, entry: &str, names: &[(&str, T)]) -> Result<T, Failure> {
    if let Some((_, value)) = names.iter().find(|(name, _)| *name == entry) {
        return Ok(*value);
    }
    let all: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
    let meant = closest(entry, all.iter().copied())
        .map_or_else(String::new, |name| format!("; did you mean '{name}'?"));
    Err(Failure::usage(anyhow!("{flag}: '{entry}' is not one of: {}{meant}", all.join(", "))))
}

/// Texts as they are.
pub(super) fn texts<'a>(flag: &str, text: &'a str) -> Result<Vec<&'a str>, Failure> {
    entries(flag, text)
}
