//! Section `[completion]`: how a network that learned recordings is tested.

use super::error::ConfigError;
use super::item::{Bound, Item};
use super::section::Section;
use crate::network::Network;
use crate::train::{CompletionConfig, FreeChannels};

pub(super) const KEYS: [&str; 3] = ["free", "beta", "settle-ms"];

const FREE: &str = "names of target channels, or how many of them, which then are spread evenly";

/// Time constants that are not scored, unless `settle-ms` says otherwise.
const SETTLE: f64 = 5.0;

/// Reads the section, all of which has defaults.
pub(super) fn read(
    item: Option<Item<'_>>,
    network: &Network,
    tau_ms: f64,
) -> Result<CompletionConfig, ConfigError> {
    let n_out = network.n_out();
    // Without inputs something has to be nudged: a quarter is free. With inputs nothing has to.
    let count = if network.n_in() > 0 { n_out } else { (n_out / 4).max(1) };
    let mut config =
        CompletionConfig { free: FreeChannels::Count(count), beta: None, settle_ms: SETTLE * tau_ms };
    let Some(item) = item else { return Ok(config) };
    let section = Section::open(item, &KEYS)?;
    if let Some(item) = section.get("free") {
        config.free = free(&item, n_out)?;
    }
    if let Some(item) = section.get("beta") {
        config.beta = Some(item.number(Bound::NonNegative, "a nudging strength, 0 or greater")?);
    }
    if let Some(item) = section.get("settle-ms") {
        config.settle_ms = item.number(Bound::NonNegative, "a time in ms, 0 or greater")?;
    }
    Ok(config)
}

/// Channels by name or by number.
fn free(item: &Item<'_>, n_out: usize) -> Result<FreeChannels, ConfigError> {
    let Some(items) = item.elements() else {
        return item.size(1, n_out.max(1)).map(FreeChannels::Count);
    };
    let mut names: Vec<String> = Vec::new();
    for item in &items {
        let name = item.text(FREE)?;
        if names.iter().any(|n| n == name) {
            return Err(item.wrong(format!("channel '{name}' is in the list twice"), "names that differ"));
        }
        names.push(name.to_owned());
    }
    if names.is_empty() || names.len() > n_out {
        let message = format!("`{}` names {} of {n_out} outputs", item.path, names.len());
        return Err(item.wrong(message, format!("1 to {n_out} names")));
    }
    Ok(FreeChannels::Names(names))
}
