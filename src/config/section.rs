//! A table with the keys it may have.

use super::error::ConfigError;
use super::item::{Item, shown};
use super::suggest::closest;
use super::text::Place;
use super::tree::{Entry, Value};

/// A table none of whose keys is unknown.
#[derive(Clone, Debug)]
pub(super) struct Section<'a> {
    item: Item<'a>,
    entries: &'a [Entry],
}

impl<'a> Section<'a> {
    /// Reads a table with some of the keys `known`.
    ///
    /// # Errors
    /// If it is no table, or has other keys.
    pub fn open(item: Item<'a>, known: &[&str]) -> Result<Self, ConfigError> {
        let Value::Table(entries) = &item.node.value else {
            return Err(item.mistyped(format!("a table with keys: {}", known.join(", "))));
        };
        if let Some(entry) = entries.iter().find(|e| !known.contains(&e.key.as_str())) {
            let key = shown(&entry.key);
            let message = match item.path.as_str() {
                "" => format!("unknown key `{key}`"),
                path => format!("unknown key `{key}` in `{path}`"),
            };
            let expected = Some(format!("one of: {}", known.join(", ")));
            let suggestion = closest(&entry.key, known.iter().copied());
            return Err(item.texts.error_with(Some(entry.key_place), message, expected, suggestion));
        }
        Ok(Self { item, entries })
    }

    /// The value of a key, if it is there.
    pub fn get(&self, key: &str) -> Option<Item<'a>> {
        self.entries.iter().find(|e| e.key == key).map(|e| self.item.below(key, &e.node))
    }

    /// The value of a key; `what` says what it holds.
    ///
    /// # Errors
    /// If it is not there.
    pub fn need(&self, key: &str, what: &str) -> Result<Item<'a>, ConfigError> {
        self.get(key).ok_or_else(|| {
            let (message, place) = match self.item.path.as_str() {
                "" => (format!("there is no section [{key}]"), None),
                path => (format!("`{path}` has no key `{key}`"), Some(self.item.node.place)),
            };
            self.item.texts.error(place, message, what)
        })
    }

    /// An error about a key that is there but may not be.
    ///
    /// # Errors
    /// If it is there.
    pub fn refuse(&self, key: &str, because: &str, expected: &str) -> Result<(), ConfigError> {
        match self.entries.iter().find(|e| e.key == key) {
            None => Ok(()),
            Some(entry) => {
                let message = format!("`{}` {because}", self.item.below(key, &entry.node).path);
                Err(self.item.texts.error(Some(entry.key_place), message, expected))
            }
        }
    }

    /// Place of the value of a key, or of the table itself.
    pub fn place(&self, key: &str) -> Place {
        self.get(key).map_or(self.item.node.place, |item| item.node.place)
    }

    /// The table itself.
    pub fn item(&self) -> &Item<'a> {
        &self.item
    }
}
