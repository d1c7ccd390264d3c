//! Numbers as people and programs write them into tables.

/// The number in a cell; NaN where none is.
pub(super) fn number(cell: &[u8]) -> Result<f64, String> {
    let cell = cell.trim_ascii();
    let missing = [&b""[..], b"nan", b"na", b"n/a", b"null", b"none"];
    let text = std::str::from_utf8(cell).ok();
    if let Some(value) = text.and_then(|text| text.parse::<f64>().ok()).filter(|value| value.is_finite()) {
        return Ok(value);
    }
    if missing.iter().any(|word| cell.eq_ignore_ascii_case(word)) {
        return Ok(f64::NAN);
    }
    let shown: String = String::from_utf8_lossy(cell).chars().take(40).collect();
    let comma = text
        .map(|text| text.replacen(',', ".", 1))
        .filter(|text| cell.contains(&b',') && text.parse::<f64>().is_ok());
    Err(match comma {
        Some(point) => format!("'{shown}' has a decimal comma; write numbers with a decimal point ({point})"),
        None if text
            .is_some_and(|text| text.split_ascii_whitespace().all(|part| part.parse::<f64>().is_ok())) =>
        {
            let many = text.is_some_and(|text| text.split_ascii_whitespace().nth(1).is_some());
            let why = if many { "part columns by commas, semicolons or tabs" } else { "it is infinite" };
            format!("'{shown}' is no number: {why}")
        }
        None => format!("'{shown}' is no number"),
    })
}
