//! Arguments that override parts of an experiment, `--set a.b=c`.

use toml::de::DeValue;

use super::error::ConfigError;
use super::text::{Place, Texts};
use super::tree::{Entry, Node, Value};

/// Arguments that override parts of an experiment, in order: later ones win.
///
/// An argument `a.b=c` sets key `b` of section `a`; a number in the path is an index into a list, counted from 0. `c` is
/// a TOML value, or a string without its quotes.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    items: Vec<Override>,
}

#[derive(Clone, Debug)]
struct Override {
    /// The argument as messages show it.
    shown: String,
    /// The path, with the places of its parts.
    path: Vec<(String, Place)>,
    value: Node,
}

impl Overrides {
    /// Reads the values of `--set` arguments.
    ///
    /// # Errors
    /// If one is not of the form `KEY=VALUE`.
    pub fn parse<S: AsRef<str>>(arguments: impl IntoIterator<Item = S>) -> Result<Self, ConfigError> {
        let mut overrides = Self::default();
        for argument in arguments {
            overrides.set(argument.as_ref())?;
        }
        Ok(overrides)
    }

    /// Adds the value of a `--set` argument.
    ///
    /// # Errors
    /// If it is not of the form `KEY=VALUE`.
    pub fn set(&mut self, argument: &str) -> Result<(), ConfigError> {
        const FLAG: &str = "--set ";
        let shown = format!("{FLAG}{argument}");
        let text = self.items.len() + 1;
        let whole = Place { text, start: FLAG.len(), end: shown.len() };
        let Some((path, value)) = argument.split_once('=') else {
            return Err(self.refuse(shown, whole, "an override without a value"));
        };
        let mut start = FLAG.len();
        let mut parts = Vec::new();
        for part in path.split('.') {
            let trimmed = part.trim();
            let at = start + (part.len() - part.trim_start().len());
            let place = Place { text, start: at, end: at + trimmed.len() };
            if trimmed.is_empty() {
                return Err(self.refuse(shown, place, "an override with an empty key"));
            }
            parts.push((trimmed.to_owned(), place));
            start += part.len() + 1;
        }
        let value = node(value, text, FLAG.len() + path.len() + 1);
        self.items.push(Override { shown, path: parts, value });
        Ok(())
    }

    /// Adds a flag of its own that stands for a key: `flag("--seed", "seed", "3")`. Errors show `--seed 3`.
    pub fn flag(&mut self, flag: &str, path: &str, value: &str) {
        let text = self.items.len() + 1;
        let place = Place { text, start: 0, end: flag.len() };
        let path = path.split('.').map(|part| (part.to_owned(), place)).collect();
        let shown = format!("{flag} {value}");
        self.items.push(Override { shown, path, value: node(value, text, flag.len() + 1) });
    }

    /// The arguments as messages show them.
    pub(super) fn shown(&self) -> Vec<String> {
        self.items.iter().map(|o| o.shown.clone()).collect()
    }

    /// Sets all values in the tree.
    ///
    /// # Errors
    /// If a path leads into something that is neither a table nor a list, or behind the end of a list.
    pub(super) fn apply(&self, texts: &Texts, root: &mut Node) -> Result<(), ConfigError> {
        self.items.iter().try_for_each(|o| apply(texts, root, o))
    }

    fn refuse(&self, shown: String, place: Place, message: &str) -> ConfigError {
        let mut arguments = self.shown();
        arguments.push(shown);
        let texts = Texts { label: String::new(), file: String::new(), arguments };
        texts.error(Some(place), message, "KEY=VALUE, for example dynamics.dt-ms=0.5")
    }
}

/// The value behind `=`: TOML, or else a string.
fn node(raw: &str, text: usize, offset: usize) -> Node {
    let trimmed = raw.trim();
    let start = offset + (raw.len() - raw.trim_start().len());
    match DeValue::parse(trimmed) {
        Ok(value) => Node::of(value, text, start),
        Err(_) => Node {
            value: Value::Text(trimmed.to_owned()),
            place: Place { text, start, end: start + trimmed.len() },
        },
    }
}

fn apply(texts: &Texts, root: &mut Node, o: &Override) -> Result<(), ConfigError> {
    let mut node = root;
    let mut way = String::new();
    for (key, place) in &o.path {
        node = match &mut node.value {
            Value::Table(entries) => {
                let at = entries.iter().position(|e| &e.key == key).unwrap_or_else(|| {
                    let node = Node::empty_table(*place);
                    entries.push(Entry { key: key.clone(), key_place: *place, node });
                    entries.len() - 1
                });
                &mut entries[at].node
            }
            Value::List(items) => {
                let count = items.len();
                let index = key.parse::<usize>().ok().filter(|&i| i < count);
                match index.and_then(|i| items.get_mut(i)) {
                    Some(item) => item,
                    None => {
                        let message = format!("no element `{key}` in the list `{way}`");
                        let expected = match count {
                            0 => "a whole list: this one is empty".to_owned(),
                            1 => "the index 0".to_owned(),
                            _ => format!("an index from 0 to {}", count - 1),
                        };
                        return Err(texts.error(Some(*place), message, expected));
                    }
                }
            }
            other => {
                let message = format!("`{way}` is {}: it has no `{key}`", other.kind());
                return Err(texts.error(Some(*place), message, format!("{way}=VALUE")));
            }
        };
        if !way.is_empty() {
            way.push('.');
        }
        way.push_str(key);
    }
    *node = o.value.clone();
    Ok(())
}
