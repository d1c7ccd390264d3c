//! The values of an experiment with the places they come from.

use std::borrow::Cow;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::ConfigError;
use super::text::{Place, Texts};

/// A value and its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub value: Value,
    pub place: Place,
}

/// A key of a table with its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub key: String,
    pub key_place: Place,
    pub node: Node,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Boolean(bool),
    Integer(i128),
    Float(f64),
    Text(String),
    Date,
    List(Vec<Node>),
    Table(Vec<Entry>),
}

impl Value {
    /// What it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Boolean(_) => "a boolean",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a number with a fraction",
            Self::Text(_) => "a string",
            Self::Date => "a date or time",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

impl Node {
    /// Takes over a parsed value of text number `text`, whose places are shifted by `shift` bytes.
    pub fn of(value: Spanned<DeValue<'_>>, text: usize, shift: usize) -> Self {
        let place = place(value.span(), text, shift);
        let value = match value.into_inner() {
            DeValue::String(s) => Value::Text(s.into_owned()),
            DeValue::Boolean(yes) => Value::Boolean(yes),
            DeValue::Datetime(_) => Value::Date,
            DeValue::Integer(i) => integer(i.as_str(), i.radix()),
            DeValue::Float(f) => Value::Float(float(f.as_str())),
            DeValue::Array(list) => Value::List(list.into_iter().map(|v| Self::of(v, text, shift)).collect()),
            DeValue::Table(table) => Value::Table(entries(table, text, shift)),
        };
        Self { value, place }
    }

    /// A table without keys.
    pub fn empty_table(place: Place) -> Self {
        Self { value: Value::Table(Vec::new()), place }
    }
}

/// Reads the file of `texts`.
///
/// # Errors
/// If it is not TOML.
pub(super) fn parse(texts: &Texts) -> Result<Node, ConfigError> {
    let (table, span) = match DeTable::parse(&texts.file) {
        Ok(table) => {
            let span = table.span();
            (table.into_inner(), span)
        }
        Err(error) => {
            let place = error.span().map(|span| place(span, 0, 0));
            let (what, expected) = match error.message().split_once(", expected ") {
                Some((what, expected)) => (what, Some(expected.to_owned())),
                None => (error.message(), None),
            };
            return Err(texts.error_with(place, format!("not valid TOML: {what}"), expected, None));
        }
    };
    Ok(Node { value: Value::Table(entries(table, 0, 0)), place: place(span, 0, 0) })
}

/// The keys of a table in the order of the text.
fn entries(table: DeTable<'_>, text: usize, shift: usize) -> Vec<Entry> {
    let mut entries: Vec<Entry> = table
        .into_iter()
        .map(|(key, value): (Spanned<Cow<'_, str>>, _)| Entry {
            key_place: place(key.span(), text, shift),
            key: key.into_inner().into_owned(),
            node: Node::of(value, text, shift),
        })
        .collect();
    entries.sort_by_key(|e| e.key_place.start);
    entries
}

fn place(span: std::ops::Range<usize>, text: usize, shift: usize) -> Place {
    Place { text, start: span.start + shift, end: span.end + shift }
}

/// What no integer type holds stays a number, to be refused by the check of its range.
fn integer(digits: &str, radix: u32) -> Value {
    match i128::from_str_radix(digits, radix) {
        Ok(value) => Value::Integer(value),
        Err(_) => Value::Float(if digits.starts_with('-') { f64::MIN } else { f64::MAX }),
    }
}

/// A number beyond the range of `f64` is not the infinity that `inf` asks for.
fn float(digits: &str) -> f64 {
    let value: f64 = digits.parse().unwrap_or(f64::NAN);
    if value.is_infinite() && !digits.contains("inf") { f64::MAX.copysign(value) } else { value }
}
