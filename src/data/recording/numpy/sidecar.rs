//! The JSON file beside a `.npy`.

use serde_json::Value;

use crate::data::recording::labels::{self, CHANNELS, Labels, RATE, UNITS};
use crate::data::recording::{RecordingError, Store};

/// Bytes that a sidecar may have.
const SIDECAR: usize = 1 << 20;

/// What the JSON file beside an array says.
pub(super) fn said_beside(mut store: Store) -> Result<Labels, RecordingError> {
    let bytes = store.all(SIDECAR)?;
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let place = |e: &serde_json::Error| format!("line {}, column {}", e.line(), e.column());
    let value: Value = serde_json::from_slice(text).map_err(|e| store.error(place(&e), e.to_string()))?;
    let Value::Object(fields) = value else {
        return Err(store.error("line 1", "expected an object: {\"rate_hz\": 512}"));
    };
    let named = |list: &[&str]| {
        let key = labels::first(list, fields.keys().map(String::as_str))?;
        Some((key.to_owned(), fields.get(key)?))
    };
    let mut found = Labels::default();
    let file = store.path().display().to_string();
    if let Some((key, value)) = named(RATE) {
        let rate = value.as_f64().ok_or_else(|| store.error(&*key, "expected a number: samples a second"))?;
        found.rate = Some((rate, format!("{file}: {key}")));
    }
    if let Some((key, value)) = named(CHANNELS) {
        let names =
            texts(value).ok_or_else(|| store.error(&*key, "expected a list of texts, one a channel"))?;
        found.names = Some((names, format!("{file}: {key}")));
    }
    if let Some((key, value)) = named(UNITS) {
        found.units = match value {
            Value::String(unit) => vec![unit.clone()],
            other => texts(other).ok_or_else(|| store.error(&*key, "expected a text, or one a channel"))?,
        };
    }
    Ok(found)
}

fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|v| v.as_str().map(str::to_owned)).collect()
}
