//! The texts that values come from, and places in them.

use super::error::{ConfigError, Diagnostic, Excerpt};

/// A stretch of one of the [`Texts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// 0 = the experiment, n = argument n − 1.
    pub text: usize,
    /// First byte.
    pub start: usize,
    /// Byte behind the last.
    pub end: usize,
}

/// The experiment and the arguments that override parts of it.
#[derive(Clone, Debug)]
pub(super) struct Texts {
    /// How messages name the experiment.
    pub label: String,
    /// Its text.
    pub file: String,
    /// The arguments, as they are shown.
    pub arguments: Vec<String>,
}

impl Texts {
    /// An error at a place, or about something that is missing altogether.
    pub fn error(
        &self,
        place: Option<Place>,
        message: impl Into<String>,
        expected: impl Into<String>,
    ) -> ConfigError {
        self.error_with(place, message.into(), Some(expected.into()), None)
    }

    /// As [`Texts::error`], with the name that was probably meant.
    pub fn error_with(
        &self,
        place: Option<Place>,
        message: String,
        expected: Option<String>,
        suggestion: Option<String>,
    ) -> ConfigError {
        let mut diagnostic = Diagnostic {
            message,
            origin: self.label.clone(),
            position: None,
            excerpt: None,
            expected,
            suggestion,
        };
        if let Some(place) = place {
            let argument = place.text.checked_sub(1).and_then(|i| self.arguments.get(i));
            let (position, excerpt) = locate(argument.unwrap_or(&self.file), place);
            diagnostic.excerpt = Some(excerpt);
            match argument {
                Some(argument) => diagnostic.origin = argument.chars().map(printable).collect(),
                None => diagnostic.position = Some(position),
            }
        }
        ConfigError::Invalid(Box::new(diagnostic))
    }
}

/// Line and column of a place, and its line.
fn locate(text: &str, place: Place) -> ((usize, usize), Excerpt) {
    let start = floor(text, place.start);
    let line_start = text[..start].rfind('\n').map_or(0, |i| i + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |i| start + i);
    let line = text[line_start..line_end].trim_end_matches('\r');
    let before = text[line_start..start].chars().count();
    let end = floor(text, place.end).clamp(start, line_end);
    let wrong = text[start..end].trim_end().chars().count();
    let number = text[..line_start].matches('\n').count() + 1;
    let excerpt = Excerpt { line: line.chars().map(printable).collect(), start: before, len: wrong.max(1) };
    ((number, before + 1), excerpt)
}

/// The largest character boundary not behind `at`.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Control characters would act on the terminal.
fn printable(c: char) -> char {
    if c.is_control() && c != '\t' { char::REPLACEMENT_CHARACTER } else { c }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, start: usize, end: usize) -> ((usize, usize), Excerpt) {
        locate(text, Place { text: 0, start, end })
    }

    #[test]
    fn columns_count_characters() {
        let (position, excerpt) = at("a\r\nτé = 10\r\n", 3 + 7, 3 + 9);
        assert_eq!(position, (2, 6));
        assert_eq!(excerpt, Excerpt { line: "τé = 10".into(), start: 5, len: 2 });
    }

    #[test]
    fn spans_over_lines_end_with_the_first() {
        assert_eq!(at("x = [\n1]\n", 4, 8).1, Excerpt { line: "x = [".into(), start: 4, len: 1 });
    }

    #[test]
    fn the_end_of_the_text_has_a_place() {
        assert_eq!(at("x =", 3, 3), ((1, 4), Excerpt { line: "x =".into(), start: 3, len: 1 }));
        assert_eq!(at("x\n", 900, 1000), ((2, 1), Excerpt { line: String::new(), start: 0, len: 1 }));
        assert_eq!(at("é", 1, 2).0, (1, 1));
    }
}
