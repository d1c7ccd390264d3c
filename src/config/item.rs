//! A value with the path that leads to it, and how it is read as what it should be.

use super::error::ConfigError;
use super::suggest::closest;
use super::text::Texts;
use super::tree::{Node, Value};

/// Numbers that a key takes. Whatever the bound, a number must fit single precision, in which devices compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    /// Any.
    Finite,
    /// ≥ 0.
    NonNegative,
    /// ≥ 0, or `inf`.
    NonNegativeOrInfinite,
    /// > 0.
    Positive,
    /// > 0, or `inf`.
    PositiveOrInfinite,
    /// > 0 and < 1.
    Fraction,
    /// ≥ 0 and < 1.
    Share,
    /// > 0 and ≤ 1.
    FractionOrOne,
}

impl Bound {
    fn holds(self, value: f64) -> bool {
        let single = value as f32;
        let fits = single.is_finite() && (value == 0.0 || single.is_normal());
        match self {
            Self::Finite => fits,
            Self::NonNegative => fits && value >= 0.0,
            Self::NonNegativeOrInfinite => value >= 0.0 && (fits || value.is_infinite()),
            Self::Positive => fits && value > 0.0,
            Self::PositiveOrInfinite => value > 0.0 && (fits || value.is_infinite()),
            Self::Fraction => fits && value > 0.0 && value < 1.0,
            Self::Share => fits && (0.0..1.0).contains(&value),
            Self::FractionOrOne => fits && value > 0.0 && value <= 1.0,
        }
    }
}

/// A value and its path.
#[derive(Clone, Debug)]
pub(super) struct Item<'a> {
    pub texts: &'a Texts,
    pub path: String,
    pub node: &'a Node,
}

impl<'a> Item<'a> {
    /// An error at this value.
    pub fn wrong(&self, message: impl Into<String>, expected: impl Into<String>) -> ConfigError {
        self.texts.error(Some(self.node.place), message, expected)
    }

    /// An error about the type of this value.
    pub fn mistyped(&self, expected: impl Into<String>) -> ConfigError {
        self.wrong(format!("`{}` is {}", self.path, self.node.value.kind()), expected)
    }

    /// An error about a value of the right type; `value` as it is shown.
    pub fn refused(&self, value: impl std::fmt::Display, expected: impl Into<String>) -> ConfigError {
        self.wrong(format!("`{}` cannot be {value}", self.path), expected)
    }

    /// A number within `bound`; `expected` says so in words.
    pub fn number(&self, bound: Bound, expected: &str) -> Result<f64, ConfigError> {
        let value = match self.node.value {
            Value::Integer(i) => i as f64,
            Value::Float(f) => f,
            _ => return Err(self.mistyped(expected)),
        };
        if bound.holds(value) {
            return Ok(value);
        }
        let shown = match self.node.value {
            Value::Integer(i) => i.to_string(),
            _ if value.abs() >= f64::MAX && value.is_finite() => "a number of that size".to_owned(),
            _ => format!("{value:?}"),
        };
        Err(self.refused(shown, expected))
    }

    /// A whole number from `min` to `max`.
    pub fn count(&self, min: u64, max: u64) -> Result<u64, ConfigError> {
        let expected = || format!("a whole number from {min} to {max}");
        match self.node.value {
            Value::Integer(i) => match u64::try_from(i) {
                Ok(n) if (min..=max).contains(&n) => Ok(n),
                _ => Err(self.refused(i, expected())),
            },
            _ => Err(self.mistyped(expected())),
        }
    }

    /// As [`Item::count`], for sizes.
    pub fn size(&self, min: usize, max: usize) -> Result<usize, ConfigError> {
        // `max` is a `usize`, so the count fits one.
        self.count(min as u64, max as u64).map(|n| n as usize)
    }

    /// Yes or no.
    pub fn boolean(&self) -> Result<bool, ConfigError> {
        match self.node.value {
            Value::Boolean(yes) => Ok(yes),
            _ => Err(self.mistyped("true or false")),
        }
    }

    /// A string.
    pub fn text(&self, expected: &str) -> Result<&'a str, ConfigError> {
        match &self.node.value {
            Value::Text(s) => Ok(s),
            _ => Err(self.mistyped(expected)),
        }
    }

    /// One of several names.
    pub fn choice<T: Copy>(&self, names: &[(&'static str, T)]) -> Result<T, ConfigError> {
        let all: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
        let expected = format!("one of: {}", all.join(", "));
        let given = self.text(&expected)?;
        if let Some((_, value)) = names.iter().find(|(name, _)| *name == given) {
            return Ok(*value);
        }
        let message = format!("`{}` cannot be \"{}\"", self.path, shown(given));
        Err(self.texts.error_with(Some(self.node.place), message, Some(expected), closest(given, all)))
    }

    /// The elements, if it is a list.
    pub fn elements(&self) -> Option<Vec<Item<'a>>> {
        let Value::List(nodes) = &self.node.value else { return None };
        Some(nodes.iter().enumerate().map(|(i, node)| self.below(&i.to_string(), node)).collect())
    }

    /// One value for each of `names`: from a list of as many, `each` naming what they belong to, or from one value for
    /// all where `common` allows that.
    pub fn spread<T: Clone>(
        &self,
        each: &str,
        names: &[String],
        common: bool,
        expected: &str,
        read: impl Fn(&Item<'a>) -> Result<T, ConfigError>,
    ) -> Result<Vec<T>, ConfigError> {
        let Some(elements) = self.elements() else {
            return match (common, &self.node.value) {
                (true, _) => Ok(vec![read(self)?; names.len()]),
                (false, _) => Err(self.mistyped(format!("a list of {expected}, one {each}"))),
            };
        };
        if elements.len() != names.len() {
            let message = format!("`{}` has the wrong length", self.path);
            let expected =
                format!("{}, one {each}: {}, got {}", names.len(), list_names(names), elements.len());
            return Err(self.wrong(message, expected));
        }
        elements.iter().map(read).collect()
    }

    /// A value in this one.
    pub fn below(&self, key: &str, node: &'a Node) -> Item<'a> {
        let path = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        Item { texts: self.texts, path, node }
    }
}

/// Names for a message; of very many the first ones.
pub(super) fn list_names(names: &[String]) -> String {
    const SHOWN: usize = 12;
    let mut list = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        list.push_str(", …");
    }
    list
}

/// A string for a message: no control characters, not endless.
pub(super) fn shown(text: &str) -> String {
    const SHOWN: usize = 60;
    let mut short: String =
        text.chars().take(SHOWN).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().count() > SHOWN {
        short.push('…');
    }
    short
}
