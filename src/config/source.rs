//! Where an experiment comes from: a file, or the ones that are built in.

use std::fmt;
use std::path::{Component, Path, PathBuf};

use super::error::ConfigError;
use super::suggest::closest;

/// The built-in experiments: name and text.
const BUILT_IN: [(&str, &str); 11] = [
    ("mnist", include_str!("../../experiments/mnist.toml")),
    ("mnist-small", include_str!("../../experiments/mnist-small.toml")),
    ("mnist-equilibrium", include_str!("../../experiments/mnist-equilibrium.toml")),
    ("mnist-equilibrium-full", include_str!("../../experiments/mnist-equilibrium-full.toml")),
    ("mnist-full", include_str!("../../experiments/mnist-full.toml")),
    ("mnist-reference", include_str!("../../experiments/mnist-reference.toml")),
    ("fashion-mnist", include_str!("../../experiments/fashion-mnist.toml")),
    ("ieeg", include_str!("../../experiments/ieeg.toml")),
    ("ieeg-layered", include_str!("../../experiments/ieeg-layered.toml")),
    ("ieeg-recurrent", include_str!("../../experiments/ieeg-recurrent.toml")),
    ("ieeg-paper", include_str!("../../experiments/ieeg-paper.toml")),
];

/// Where an experiment comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// A built-in experiment, by its name without `.toml`.
    BuiltIn(&'static str),
    /// A text that stands elsewhere, for example in a checkpoint.
    Text {
        /// How messages name it.
        label: String,
        /// The text.
        text: String,
    },
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::BuiltIn(name) => write!(f, "built-in experiment {name}.toml"),
            Self::Text { label, .. } => f.write_str(label),
        }
    }
}

impl Source {
    /// The text, not checked for anything.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn read(&self) -> Result<Vec<u8>, ConfigError> {
        match self {
            Self::File(path) => std::fs::read(path).map_err(|error| ConfigError::Read {
                path: path.display().to_string(),
                cause: error.to_string(),
            }),
            Self::BuiltIn(name) => Ok(built_in(name).map_or_else(Vec::new, |(_, text)| text.into())),
            Self::Text { text, .. } => Ok(text.clone().into_bytes()),
        }
    }

    /// How errors name it.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::BuiltIn(_) | Self::Text { .. } => self.to_string(),
        }
    }

    /// The folder that relative paths in the experiment start from.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        match self {
            Self::File(path) => path.parent().unwrap_or(Path::new("")).to_path_buf(),
            Self::BuiltIn(_) | Self::Text { .. } => PathBuf::new(),
        }
    }

    /// The name of an experiment that does not give itself one: that of its file.
    #[must_use]
    pub fn stem(&self) -> String {
        match self {
            Self::File(path) => {
                path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default()
            }
            Self::BuiltIn(name) => (*name).to_owned(),
            Self::Text { .. } => "experiment".to_owned(),
        }
    }
}

/// Names of the built-in experiments.
#[must_use]
pub fn built_in_names() -> Vec<&'static str> {
    BUILT_IN.iter().map(|(name, _)| *name).collect()
}

/// What `path` stands for: an existing file; or else, if it is a bare name or `experiments/NAME`, with or without
/// `.toml`, the built-in experiment of that name.
///
/// # Errors
/// [`ConfigError::NotFound`], which lists the built-in experiments.
pub fn find(path: impl AsRef<Path>) -> Result<Source, ConfigError> {
    let path = path.as_ref();
    // Not `is_file`: a pipe can be read as well.
    if path.exists() && !path.is_dir() {
        return Ok(Source::File(path.to_path_buf()));
    }
    let name = bare_name(path);
    if let Some((name, _)) = name.as_deref().and_then(built_in) {
        return Ok(Source::BuiltIn(name));
    }
    let mut names = built_in_names().join(", ");
    if let Some(meant) = name.and_then(|name| closest(&name, built_in_names())) {
        names.push_str(&format!("\n  = did you mean `{meant}`?"));
    }
    Err(ConfigError::NotFound { path: path.display().to_string(), names })
}

fn built_in(name: &str) -> Option<(&'static str, &'static str)> {
    BUILT_IN.into_iter().find(|(known, _)| *known == name)
}

/// `NAME` of `NAME`, `NAME.toml`, `experiments/NAME` and `experiments/NAME.toml`.
fn bare_name(path: &Path) -> Option<String> {
    let parts: Vec<Component<'_>> = path.components().filter(|c| *c != Component::CurDir).collect();
    let file = match parts.as_slice() {
        [Component::Normal(file)] => file,
        [Component::Normal(folder), Component::Normal(file)] if *folder == "experiments" => file,
        _ => return None,
    };
    let file = file.to_str()?;
    Some(file.strip_suffix(".toml").unwrap_or(file).to_owned())
}
