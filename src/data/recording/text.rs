//! Text of headers and sidecars, whose encoding is often not the one they say.

/// Text of `bytes` without a byte order mark, and whether it is UTF-8; what is not is taken for Latin-1, in which every byte is a letter.
#[must_use]
pub fn decode(bytes: &[u8]) -> (String, bool) {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => (text.to_owned(), true),
        Err(_) => (bytes.iter().map(|&b| char::from(b)).collect(), false),
    }
}

/// The lines of a text with their numbers from 1, whatever ends them (`\n`, `\r\n`, or `\r` alone).
pub fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let alone = !text.contains('\n');
    let split = text.split(move |c| c == '\n' || (alone && c == '\r'));
    split.enumerate().map(|(i, line)| (i + 1, line.trim_end_matches('\r')))
}
