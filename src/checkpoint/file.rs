//! The file of a checkpoint: safetensors with these tensors, all little-endian, `T` = the device's floating-point type.
//!
//! | tensor | type, shape | what it holds |
//! | --- | --- | --- |
//! | `W:pre->post` | `T` `[post, pre]` | weights of a projection, as in `parameters.safetensors` |
//! | `b:population` | `T` `[neurons]` | biases of a population but the input, as there |
//! | `state/NAME` | `T` `[rows, columns]` | any other buffer that carries over: `b`, `u`, `u_dot`, `x_old`, … (`config show --plan` lists them) |
//! | `state/tally` | F64 `[13]` | sums over the epoch so far ([`crate::train::Tally::sums`]) |
//! | `state/pending` | F64 `[n, 2]` | solver needs that do not count yet: most iterations, 1 if too few |
//! | `state/before/W:pre->post`, `state/before/b` | F64 | weights and biases at the start of the epoch |
//!
//! The metadata say what the run is ([`Identity`]), where it stands and, in `sha256`, what all of it adds up to.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use sha2::{Digest, Sha256};

use super::identity::hex;
use super::{Best, Checkpoint, CheckpointError, Identity};
use crate::dynamics::lies_transposed;
use crate::engine::Carried;
use crate::network::{Kind, Network, Parameters};
use crate::sinks::encode_tensors;
use crate::train::{Need, SUMS, State, Tally};

/// What the metadata call the format.
const FORMAT: &str = "lagrange-gpu checkpoint";
/// Version of the format; a file of another one is refused.
const FORMAT_VERSION: &str = "1";

/// A tensor on its way to or from a file.
struct Array {
    name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Array {
    fn new(name: String, dtype: Dtype, shape: Vec<usize>, values: &[f64]) -> Self {
        let bytes = match dtype {
            Dtype::F32 => values.iter().flat_map(|&v| (v as f32).to_le_bytes()).collect(),
            _ => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        };
        Self { name, dtype, shape, bytes }
    }
}

/// The metadata and all tensors in the order of their names, as SHA-256.
fn sum<'a>(
    about: &BTreeMap<String, String>,
    tensors: impl Iterator<Item = (&'a str, Dtype, &'a [usize], &'a [u8])>,
) -> String {
    let mut hash = Sha256::new();
    for (key, value) in about.iter().filter(|(key, _)| *key != "sha256") {
        hash.update(format!("{}:{key}={}:{value};", key.len(), value.len()));
    }
    let mut tensors: Vec<_> = tensors.collect();
    tensors.sort_unstable_by_key(|t| t.0);
    for (name, dtype, shape, bytes) in tensors {
        hash.update(format!("{}:{name}:{dtype:?}:{shape:?};", name.len()));
        hash.update(bytes);
    }
    hex(&hash.finalize())
}

/// The name that a buffer has in the file.
fn tensor_name(buffer: &str) -> String {
    buffer.strip_prefix("W ").map_or_else(|| format!("state/{buffer}"), |ends| format!("W:{ends}"))
}

/// The buffer that a tensor holds, if it holds one.
fn buffer_name(tensor: &str) -> Option<String> {
    match tensor.strip_prefix("W:") {
        Some(ends) => Some(format!("W {ends}")),
        None => tensor
            .strip_prefix("state/")
            .filter(|name| !name.starts_with("before/") && !["tally", "pending"].contains(name))
            .map(str::to_owned),
    }
}

/// The parameters of a microcircuit that a buffer holds, named and shaped as in `parameters.safetensors`: for whoever predicts with a
/// checkpoint.
fn natural(network: &Network, buffer: &str, values: &[f64]) -> Option<(String, Vec<usize>, Vec<f64>)> {
    let micro = network.microcircuit.as_ref()?;
    if buffer == "b^I" {
        return Some(("bI".into(), vec![values.len()], values.to_vec()));
    }
    let (prefix, ends) = buffer.split_once(' ')?;
    let kind = Kind::NAMES.iter().find(|(name, _)| *name == prefix)?.1;
    let block = micro.stored(network, kind).into_iter().find(|b| b.name == ends)?;
    let values = if lies_transposed(kind) {
        let column = |j: usize| values.iter().skip(j).step_by(block.to.len).copied();
        (0..block.to.len).flat_map(column).collect()
    } else {
        values.to_vec()
    };
    Some((format!("{prefix}:{ends}"), vec![block.to.len, block.from.len], values))
}

fn arrays(checkpoint: &Checkpoint, network: &Network) -> Vec<Array> {
    let state = &checkpoint.state;
    let dtype = if checkpoint.identity.precision == "f64" { Dtype::F64 } else { Dtype::F32 };
    let mut all = Vec::new();
    for Carried { name, shape, values } in &state.buffers {
        all.push(Array::new(tensor_name(name), dtype, shape.to_vec(), values));
        all.extend(natural(network, name, values).map(|(n, s, v)| Array::new(n, dtype, s, &v)));
        if name == "b" {
            for (i, population) in network.populations.iter().enumerate().skip(1) {
                let values = values.get(network.cols(i).range()).unwrap_or_default();
                all.push(Array::new(format!("b:{}", population.name), dtype, vec![values.len()], values));
            }
        }
    }
    let double = |name: &str, shape: Vec<usize>, values: &[f64]| {
        Array::new(format!("state/{name}"), Dtype::F64, shape, values)
    };
    all.push(double("tally", vec![SUMS], &state.tally.sums()));
    let needs: Vec<f64> =
        state.pending.iter().flat_map(|n| [n.most as f64, f64::from(u8::from(n.short))]).collect();
    all.push(double("pending", vec![state.pending.len(), 2], &needs));
    for (k, w) in state.parameters.weights.iter().enumerate() {
        all.push(double(&format!("before/W:{}", network.projection_name(k)), vec![w.len()], w));
    }
    let biases = &state.parameters.biases;
    all.push(double("before/b", vec![biases.len()], biases));
    all
}

/// The bytes of the file.
///
/// # Errors
/// [`CheckpointError::Encode`].
pub(super) fn encode(
    checkpoint: &Checkpoint,
    network: &Network,
    path: &Path,
) -> Result<Vec<u8>, CheckpointError> {
    let refuse = |reason: String| CheckpointError::Encode { path: path.to_path_buf(), reason };
    let Checkpoint { identity, state, best, .. } = checkpoint;
    let mut about: BTreeMap<String, String> = identity
        .parts()
        .into_iter()
        .map(|(key, _, value)| (key, value.to_owned()))
        .chain([
            ("format", FORMAT.to_owned()),
            ("format_version", FORMAT_VERSION.to_owned()),
            ("version", identity.version.clone()),
            ("device", identity.device.clone()),
            ("tiles", identity.tiles.clone()),
            ("epoch", state.epoch.to_string()),
            ("mini_batches", state.presented.to_string()),
            ("samples", state.done.to_string()),
            ("iterations", state.iterations.to_string()),
            ("elapsed_s", state.elapsed_s.to_string()),
            ("epoch_s", state.epoch_s.to_string()),
        ])
        .chain(best.iter().flat_map(|best| {
            [("best_epoch", best.epoch.to_string()), ("best_accuracy", best.accuracy.to_string())]
        }))
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
    let arrays = arrays(checkpoint, network);
    let tensors = arrays.iter().map(|a| (a.name.as_str(), a.dtype, a.shape.as_slice(), a.bytes.as_slice()));
    about.insert("sha256".to_owned(), sum(&about, tensors));
    let mut views = Vec::with_capacity(arrays.len());
    for array in &arrays {
        let view = TensorView::new(array.dtype, array.shape.clone(), &array.bytes)
            .map_err(|e| refuse(format!("tensor '{}': {e}", array.name)))?;
        views.push((array.name.as_str(), view));
    }
    let about: HashMap<String, String> = about.into_iter().collect();
    encode_tensors(views, about).map_err(|e| refuse(e.to_string()))
}

/// Reads a file that was read whole, and checks that nothing in it has changed since it was written.
///
/// # Errors
/// [`CheckpointError::Damaged`], [`CheckpointError::Format`], or [`CheckpointError::Foreign`] if it is of another run than `want`.
pub(super) fn decode(
    bytes: &[u8],
    path: &Path,
    want: &Identity,
    network: &Network,
) -> Result<Checkpoint, CheckpointError> {
    let damaged = |reason: String| CheckpointError::damaged(path, reason);
    let format = |reason: String| CheckpointError::Format { path: path.to_path_buf(), reason };
    let whole =
        |e: safetensors::SafeTensorError| damaged(format!("it is not a whole safetensors file ({e})"));
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(whole)?;
    let tensors = SafeTensors::deserialize(bytes).map_err(whole)?;
    let about: BTreeMap<String, String> = header.metadata().clone().unwrap_or_default().into_iter().collect();
    let about = About { path, about };
    match (about.get("format"), about.get("format_version")) {
        (Some(FORMAT), Some(FORMAT_VERSION)) => {}
        (Some(FORMAT), version) => {
            let version = version.unwrap_or("not given");
            return Err(format(format!("the version of its format is {version}, not {FORMAT_VERSION}")));
        }
        _ => {
            return Err(format(
                "its metadata do not name the format; parameters alone cannot be resumed".into(),
            ));
        }
    }
    let listed = tensors.tensors();
    let found = sum(&about.about, listed.iter().map(|(n, v)| (n.as_str(), v.dtype(), v.shape(), v.data())));
    if about.get("sha256") != Some(found.as_str()) {
        return Err(damaged("its content does not agree with its SHA-256 sum".into()));
    }
    let identity = about.identity()?;
    want.admit(&identity, path)?;
    let buffers = listed
        .iter()
        .filter_map(|(name, view)| {
            let shape = <[usize; 2]>::try_from(view.shape()).ok()?;
            Some(Carried { name: buffer_name(name)?, shape, values: values(view) })
        })
        .collect();
    let tensor = |name: &str| {
        let found = listed.iter().find(|(n, _)| n == name);
        found.map(|(_, view)| values(view)).ok_or_else(|| damaged(format!("there is no tensor '{name}'")))
    };
    state(&about, identity, network, buffers, tensor)
}

fn state(
    about: &About<'_>,
    identity: Identity,
    network: &Network,
    buffers: Vec<Carried>,
    tensor: impl Fn(&str) -> Result<Vec<f64>, CheckpointError>,
) -> Result<Checkpoint, CheckpointError> {
    let sums = tensor("state/tally")?;
    let sums = <[f64; SUMS]>::try_from(sums)
        .map_err(|sums| CheckpointError::damaged(about.path, format!("{} sums of an epoch", sums.len())))?;
    let pending = tensor("state/pending")?;
    let weights = (0..network.projections.len())
        .map(|k| tensor(&format!("state/before/W:{}", network.projection_name(k))))
        .collect::<Result<_, _>>()?;
    let best = match about.get("best_epoch") {
        None => None,
        Some(_) => {
            Some(Best { epoch: about.number("best_epoch")?, accuracy: about.number("best_accuracy")? })
        }
    };
    let state = State {
        epoch: about.number("epoch")?,
        presented: about.number("mini_batches")?,
        done: about.number("samples")?,
        iterations: about.number("iterations")?,
        pending: pending.chunks_exact(2).map(|n| Need { most: n[0] as usize, short: n[1] != 0.0 }).collect(),
        tally: Tally::default().with_sums(sums),
        parameters: Parameters { weights, biases: tensor("state/before/b")?, ..Parameters::default() },
        buffers,
        elapsed_s: about.number("elapsed_s")?,
        epoch_s: about.number("epoch_s")?,
    };
    Ok(Checkpoint { identity, state, best })
}

fn values(view: &TensorView<'_>) -> Vec<f64> {
    let bytes = view.data();
    match view.dtype() {
        Dtype::F32 => {
            let (words, _) = bytes.as_chunks::<4>();
            words.iter().map(|&w| f64::from(f32::from_le_bytes(w))).collect()
        }
        Dtype::F64 => bytes.as_chunks::<8>().0.iter().map(|&w| f64::from_le_bytes(w)).collect(),
        _ => Vec::new(),
    }
}

/// The metadata of a file.
struct About<'a> {
    path: &'a Path,
    about: BTreeMap<String, String>,
}

impl About<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.about.get(key).map(String::as_str)
    }
    fn text(&self, key: &str) -> Result<String, CheckpointError> {
        let missing = || CheckpointError::damaged(self.path, format!("its metadata have no '{key}'"));
        self.get(key).map(str::to_owned).ok_or_else(missing)
    }
    fn identity(&self) -> Result<Identity, CheckpointError> {
        Ok(Identity {
            network: self.text("network")?,
            precision: self.text("precision")?,
            device_kind: self.text("device_kind")?,
            seed: self.text("seed")?,
            config: self.text("config_sha256")?,
            data: self.text("data_sha256")?,
            device: self.text("device")?,
            // Files of before have none: of an adapter, those of its class ran.
            tiles: self.get("tiles").unwrap_or_default().to_owned(),
            version: self.text("version")?,
        })
    }
    fn number<T: std::str::FromStr>(&self, key: &str) -> Result<T, CheckpointError> {
        let text = self.text(key)?;
        text.parse().map_err(|_| CheckpointError::damaged(self.path, format!("'{key}' is '{text}'")))
    }
}
