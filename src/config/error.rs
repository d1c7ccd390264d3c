//! What is wrong with an experiment, and where.

use std::fmt;

/// Why an experiment cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Neither a file nor a built-in experiment.
    #[error(
        "there is no file '{path}', and no built-in experiment of that name\n  = built-in experiments: {names}"
    )]
    NotFound {
        /// As it was given.
        path: String,
        /// Names of the built-in experiments, separated by commas.
        names: String,
    },
    /// The file is there but cannot be read.
    #[error("cannot read the experiment '{path}': {cause}")]
    Read {
        /// As it was given.
        path: String,
        /// What the system says.
        cause: String,
    },
    /// Something in the file, or in an override, is wrong.
    #[error("{0}")]
    Invalid(Box<Diagnostic>),
}

impl ConfigError {
    /// Line and caret, if the error has them.
    #[must_use]
    pub fn diagnostic(&self) -> Option<&Diagnostic> {
        match self {
            Self::Invalid(diagnostic) => Some(diagnostic),
            Self::NotFound { .. } | Self::Read { .. } => None,
        }
    }
}

/// The line that an error is about, and the part of it that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// The line, without its end; control characters are replaced.
    pub line: String,
    /// First wrong character, counted from 0.
    pub start: usize,
    /// Number of wrong characters, at least 1.
    pub len: usize,
}

/// An error with its place. Displayed as what is wrong, the place, the line, a caret, and what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong.
    pub message: String,
    /// The file, the built-in experiment or the argument in which it is wrong.
    pub origin: String,
    /// Line and column, counted from 1 (columns in characters); `None` in arguments, or if something is missing
    /// altogether.
    pub position: Option<(usize, usize)>,
    /// The line itself.
    pub excerpt: Option<Excerpt>,
    /// What would be right.
    pub expected: Option<String>,
    /// The existing name that is closest to an unknown one.
    pub suggestion: Option<String>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.position.map(|(line, _)| line.to_string()).unwrap_or_default();
        let gutter = number.len().max(1);
        write!(f, "{}\n{:gutter$}--> {}", self.message, "", self.origin)?;
        if let Some((line, column)) = self.position {
            write!(f, ":{line}:{column}")?;
        }
        if let Some(excerpt) = &self.excerpt {
            // Tabs stay tabs, so that the caret stands below its character at any tab width.
            let padding: String =
                excerpt.line.chars().take(excerpt.start).map(|c| if c == '\t' { c } else { ' ' }).collect();
            write!(f, "\n{:gutter$} |", "")?;
            write!(f, "\n{number:gutter$} | {}", excerpt.line)?;
            write!(f, "\n{:gutter$} | {padding}{}", "", "^".repeat(excerpt.len))?;
        }
        if let Some(expected) = &self.expected {
            write!(f, "\n{:gutter$} = expected {expected}", "")?;
        }
        if let Some(suggestion) = &self.suggestion {
            write!(f, "\n{:gutter$} = did you mean `{suggestion}`?", "")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostic {}
