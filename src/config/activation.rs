//! The activation: a name, or a table with the parameters of one that has any.

use super::error::ConfigError;
use super::item::{Bound, Item};
use super::section::Section;
use super::tree::Value;
use crate::network::Activation;

/// What the key holds.
pub(super) fn expected() -> String {
    format!("activation = one of: {}", Activation::NAMES.map(|(name, _)| name).join(", "))
}

/// Reads `"tanh"`, or `{ kind = "depression", a = 0.5, d = 2.0 }`.
pub(super) fn read(item: &Item<'_>) -> Result<Activation, ConfigError> {
    if !matches!(item.node.value, Value::Table(_)) {
        return item.choice(&Activation::NAMES);
    }
    let section = Section::open(item.clone(), &["kind", "a", "d"])?;
    let mut activation = section.need("kind", &expected())?.choice(&Activation::NAMES)?;
    if let Activation::Depression { a, d } = &mut activation {
        if let Some(item) = section.get("a") {
            *a = item.number(Bound::NonNegative, "a number, 0 or greater")?;
        }
        if let Some(item) = section.get("d") {
            *d = item.number(Bound::Positive, "a number greater than 0")?;
        }
    } else {
        for key in ["a", "d"] {
            section.refuse(key, "belongs to kind = \"depression\"", "kind alone")?;
        }
    }
    Ok(activation)
}

/// The value that is read as this activation.
pub(super) fn text(activation: Activation) -> String {
    match activation {
        Activation::Depression { a, d } => format!("{{ kind = \"depression\", a = {a:?}, d = {d:?} }}"),
        other => format!("\"{}\"", other.name()),
    }
}
