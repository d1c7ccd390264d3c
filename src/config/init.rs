//! Tables that say how weights or biases are drawn.

use super::error::ConfigError;
use super::item::{Bound, Item};
use super::section::Section;
use crate::network::{Init, InitKind};

/// Names of the distributions, as [`kind_name`] gives them.
const KINDS: [(&str, InitKind); 5] = [
    ("normal", InitKind::Normal { mean: 0.0, std: 0.0 }),
    ("zeros", InitKind::Zeros),
    ("lecun", InitKind::Lecun),
    ("xavier", InitKind::Xavier),
    ("he", InitKind::He),
];

/// What an initialisation looks like.
pub(super) const EXPECTED: &str = "a table like { init = \"normal\", mean = 0.0, std = 0.05, clip = 0.15 }";

/// Reads one table.
pub(super) fn read(item: &Item<'_>) -> Result<Init, ConfigError> {
    if item.elements().is_some() {
        return Err(item.mistyped(EXPECTED));
    }
    let section = Section::open(item.clone(), &["init", "mean", "std", "clip"])?;
    let kinds = KINDS.map(|(name, _)| name).join(", ");
    let mut kind = section.need("init", &format!("init = one of: {kinds}"))?.choice(&KINDS)?;
    if let InitKind::Normal { mean, std } = &mut kind {
        if let Some(item) = section.get("mean") {
            *mean = item.number(Bound::Finite, "a number")?;
        }
        *std = section
            .need("std", "std = standard deviation, 0 or greater")?
            .number(Bound::NonNegative, "a standard deviation, 0 or greater")?;
    } else {
        for key in ["mean", "std"] {
            section.refuse(key, "belongs to init = \"normal\"", "init and clip alone")?;
        }
    }
    let clip = section.get("clip").map(|item| clip(&item)).transpose()?.flatten();
    Ok(Init { kind, clip })
}

/// A bound on absolute values; `inf` = none.
pub(super) fn clip(item: &Item<'_>) -> Result<Option<f64>, ConfigError> {
    let clip = item.number(Bound::PositiveOrInfinite, "a number greater than 0 (inf = no bound)")?;
    Ok(clip.is_finite().then_some(clip))
}

/// Name of a distribution in files.
pub(super) fn kind_name(kind: InitKind) -> &'static str {
    match kind {
        InitKind::Normal { .. } => "normal",
        InitKind::Zeros => "zeros",
        InitKind::Lecun => "lecun",
        InitKind::Xavier => "xavier",
        InitKind::He => "he",
    }
}
