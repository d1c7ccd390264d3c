//! Reads weights and biases from a safetensors file: `W:pre->post` of shape `[post, pre]` for each projection and `b:population` of shape
//! `[neurons]` for each population (0 where the input population has none), in `F32` or `F64`. Other tensors, such as the state
//! of a run, are passed over.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::network::{Kind, MicrocircuitParameters, Network, Parameters};

/// File of the parameters in a run directory.
pub const FILE: &str = "parameters.safetensors";
/// File of the experiment in a run directory.
pub const CONFIG: &str = "config.toml";

/// Why parameters cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ParameterError {
    /// A folder without parameters.
    #[error(
        "{}: this folder holds no {FILE}: it is no run directory, or its run has not completed an epoch", path.display()
    )]
    NoParameters {
        /// The folder.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// No safetensors file, or a damaged one.
    #[error("{}: is not a safetensors file, or is damaged or cut off: {source}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        source: safetensors::SafeTensorError,
    },
    /// A tensor that the network needs is missing.
    #[error(
        "{}: holds no tensor '{tensor}' (shape {want:?}), which this network needs; it has: {have}. Give the experiment that the parameters were trained with (--config)", path.display()
    )]
    Missing {
        /// The file.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// Its shape.
        want: Vec<usize>,
        /// Weights and biases that are there.
        have: String,
    },
    /// A weight block or bias that the network has not.
    #[error(
        "{}: holds the tensor '{tensor}' (shape {found:?}), for which this network has no place; give the experiment that the parameters were trained with (--config)", path.display()
    )]
    Stranger {
        /// The file.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// Its shape.
        found: Vec<usize>,
    },
    /// A tensor of another shape.
    #[error(
        "{}: tensor '{tensor}' has shape {found:?}, this network needs {want:?}; give the experiment that the parameters were trained with (--config)", path.display()
    )]
    Shape {
        /// The file.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// Shape in the file.
        found: Vec<usize>,
        /// Shape that the network needs.
        want: Vec<usize>,
    },
    /// A tensor of another element type.
    #[error("{}: tensor '{tensor}' has elements of type {found:?}; save it as F32 or F64", path.display())]
    Dtype {
        /// The file.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// Its element type.
        found: Dtype,
    },
    /// A value that is no number.
    #[error(
        "{}: tensor '{tensor}' holds {value} at {at:?}; such parameters predict nothing, take an earlier file", path.display()
    )]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// Index along each axis.
        at: Vec<usize>,
        /// NaN or an infinity.
        value: f64,
    },
}

/// What a file holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// Weights and biases.
    pub parameters: Parameters,
    /// Metadata of the header: `epoch`, `epoch_complete`, `network`, `activation`, `version` in files of this program.
    pub about: HashMap<String, String>,
}

/// The parameter file that `path` stands for: itself, or the one in a run directory.
///
/// # Errors
/// [`ParameterError::NoParameters`] for a folder without one.
pub fn find(path: &Path) -> Result<PathBuf, ParameterError> {
    if !path.is_dir() {
        return Ok(path.to_path_buf());
    }
    let file = path.join(FILE);
    if file.is_file() { Ok(file) } else { Err(ParameterError::NoParameters { path: path.into() }) }
}

/// The experiment that belongs to a parameter file: `config.toml` in its folder, or in the one above (files in a subfolder of
/// a run directory).
#[must_use]
pub fn config_beside(file: &Path) -> Option<PathBuf> {
    let file = std::path::absolute(file).ok()?;
    file.ancestors().skip(1).take(2).map(|folder| folder.join(CONFIG)).find(|path| path.is_file())
}

/// Reads the parameters of `network`.
///
/// # Errors
/// See [`ParameterError`]; each message names the file, the tensor, and what was found and wanted.
pub fn read(path: &Path, network: &Network) -> Result<Loaded, ParameterError> {
    let bytes = std::fs::read(path).map_err(|source| ParameterError::Read { path: path.into(), source })?;
    parse(path, &bytes, network)
}

/// As [`read`], from the bytes of a file; `path` names it in errors.
///
/// # Errors
/// As [`read`], but [`ParameterError::Read`].
pub fn parse(path: &Path, bytes: &[u8], network: &Network) -> Result<Loaded, ParameterError> {
    let format = |source| ParameterError::Format { path: path.into(), source };
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(format)?;
    let about = header.metadata().clone().unwrap_or_default();
    let file = File { path, tensors: SafeTensors::deserialize(bytes).map_err(format)? };
    let size = |p: usize| network.populations[p].size;
    let mut known = Vec::new();
    let mut weights = Vec::new();
    for (k, p) in network.projections.iter().enumerate() {
        let name = format!("W:{}", network.projection_name(k));
        weights.push(file.need(&name, &[size(p.post), size(p.pre)])?);
        known.push(name);
    }
    let mut biases = Vec::with_capacity(network.neurons());
    for (i, population) in network.populations.iter().enumerate() {
        let name = format!("b:{}", population.name);
        // An input population has a bias only where it learns one.
        if i == 0 && file.tensors.tensor(&name).is_err() {
            biases.resize(population.size, 0.0);
        } else {
            biases.extend(file.need(&name, &[population.size])?);
        }
        known.push(name);
    }
    let microcircuit = file.microcircuit(network, &mut known)?;
    file.refuse_strangers(&known)?;
    Ok(Loaded { parameters: Parameters { weights, biases, microcircuit }, about })
}

struct File<'a> {
    path: &'a Path,
    tensors: SafeTensors<'a>,
}

/// Whether a tensor is a weight block or a bias.
fn is_parameter(name: &str) -> bool {
    let prefix = name.split_once(':').map_or(name, |(prefix, _)| prefix);
    ["W", "b", "bI"].contains(&prefix) || Kind::NAMES.iter().any(|(kind, _)| *kind == prefix)
}

impl File<'_> {
    /// What a microcircuit has of its own.
    fn microcircuit(
        &self,
        network: &Network,
        known: &mut Vec<String>,
    ) -> Result<MicrocircuitParameters, ParameterError> {
        let mut all = MicrocircuitParameters::default();
        let Some(micro) = &network.microcircuit else { return Ok(all) };
        for (prefix, kind) in Kind::NAMES {
            for block in micro.stored(network, kind) {
                let name = format!("{prefix}:{}", block.name);
                all.of_mut(kind).push(self.need(&name, &[block.to.len, block.from.len])?);
                known.push(name);
            }
        }
        let count = micro.stored_biases(network);
        if count > 0 {
            all.biases = self.need("bI", &[count])?;
            known.push("bI".into());
        }
        Ok(all)
    }

    fn need(&self, tensor: &str, want: &[usize]) -> Result<Vec<f64>, ParameterError> {
        let (path, name) = (self.path.to_path_buf(), tensor.to_owned());
        let Ok(view) = self.tensors.tensor(tensor) else {
            let mut have: Vec<&str> = self.tensors.names().into_iter().filter(|n| is_parameter(n)).collect();
            have.sort_unstable();
            let have = if have.is_empty() { "no weights or biases".into() } else { have.join(", ") };
            return Err(ParameterError::Missing { path, tensor: name, want: want.into(), have });
        };
        if view.shape() != want {
            let found = view.shape().to_vec();
            return Err(ParameterError::Shape { path, tensor: name, found, want: want.into() });
        }
        let Some(values) = numbers(&view) else {
            return Err(ParameterError::Dtype { path, tensor: name, found: view.dtype() });
        };
        match values.iter().position(|v| !v.is_finite()) {
            None => Ok(values),
            Some(i) => {
                let at = match want {
                    [_, cols] => vec![i / cols, i % cols],
                    _ => vec![i],
                };
                Err(ParameterError::NotFinite { path, tensor: name, at, value: values[i] })
            }
        }
    }

    /// Parameters of another network would be left out in silence otherwise.
    fn refuse_strangers(&self, known: &[String]) -> Result<(), ParameterError> {
        let mut names = self.tensors.names();
        names.sort_unstable();
        let stranger = names.into_iter().find(|n| is_parameter(n) && !known.iter().any(|k| k == n));
        let Some(tensor) = stranger else { return Ok(()) };
        let found = self.tensors.tensor(tensor).map(|v| v.shape().to_vec()).unwrap_or_default();
        Err(ParameterError::Stranger { path: self.path.into(), tensor: tensor.into(), found })
    }
}

fn numbers(view: &TensorView<'_>) -> Option<Vec<f64>> {
    let data = view.data();
    match view.dtype() {
        Dtype::F32 => {
            let (words, _) = data.as_chunks::<4>();
            Some(words.iter().map(|&b| f64::from(f32::from_le_bytes(b))).collect())
        }
        Dtype::F64 => {
            let (words, _) = data.as_chunks::<8>();
            Some(words.iter().map(|&b| f64::from_le_bytes(b)).collect())
        }
        _ => None,
    }
}
