//! What a checkpoint has to have in common with the run that goes on from it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::CheckpointError;
use crate::config::Experiment;
use crate::data::series::SeriesSet;
use crate::data::{Answers, Dataset, Samples, Values};
use crate::engine::Device;
use crate::train::Material;
use crate::version;

/// Rows of a recording that are read at a time.
const ROWS: usize = 4096;

/// Keys of an experiment that change nothing about the numbers of a run. (Probes do not either, but one recording cannot go on as another.) Device, precision and samples are compared as what they really
/// are, wherever they come from.
const FREE_KEYS: [&str; 18] = [
    "data.directory",
    "data.train-images",
    "data.train-labels",
    "data.test-images",
    "data.test-labels",
    "data.targets",
    "data.labels",
    "data.test-inputs",
    "data.test-targets",
    "data.train-directory",
    "data.test-directory",
    "run.directory",
    "run.device",
    "run.precision",
    "run.checkpoint-every-s",
    "run.keep-checkpoints",
    "run.seeds",
    "run.control",
];

/// What a run is: a checkpoint of another one is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Populations, `784-300-100-10`.
    pub network: String,
    /// Floating-point type.
    pub precision: String,
    /// `cpu` or `gpu`.
    pub device_kind: String,
    /// Seed of all random streams.
    pub seed: String,
    /// SHA-256 of all keys of the experiment that matter to the numbers, as text.
    pub config: String,
    /// SHA-256 of all samples.
    pub data: String,
    /// Device by name. Another one is no reason to refuse, but its bits may differ.
    pub device: String,
    /// How the device tiles matrix products; empty for the processor. A run that goes on takes them again.
    pub tiles: String,
    /// Version and commit of the program; as with the device.
    pub version: String,
}

impl Identity {
    /// Of a run of `e` with `data` on `device`.
    #[must_use]
    pub fn new<'a>(e: &Experiment, data: impl Into<Material<'a>>, device: &Device) -> Self {
        Self {
            network: e.network.sizes(),
            precision: device.precision().name().to_owned(),
            device_kind: if matches!(device, Device::Cpu(_)) { "cpu" } else { "gpu" }.to_owned(),
            seed: e.seed.to_string(),
            config: fingerprint(e),
            data: match data.into() {
                Material::Samples(data) => data_sum(data),
                Material::Values(data) => values_sum(data),
                Material::Series(task) => series_sum(task.set),
            },
            device: device.name(),
            tiles: device.profile().to_owned(),
            version: version::LONG.to_owned(),
        }
    }

    /// The parts that have to agree, with the names that they have in a file and for people.
    pub(super) fn parts(&self) -> [(&'static str, &'static str, &str); 6] {
        [
            ("network", "network", &self.network),
            ("precision", "precision", &self.precision),
            ("device_kind", "kind of device", &self.device_kind),
            ("seed", "seed", &self.seed),
            ("config_sha256", "configuration (SHA-256)", &self.config),
            ("data_sha256", "data set (SHA-256)", &self.data),
        ]
    }

    /// Refuses the checkpoint at `path`, which is of the run `found`, if this is another run.
    pub(super) fn admit(&self, found: &Self, path: &Path) -> Result<(), CheckpointError> {
        let pairs = self.parts().into_iter().zip(found.parts());
        for ((_, what, want), (_, _, found)) in pairs {
            if want != found {
                let (found, want) = (found.to_owned(), want.to_owned());
                return Err(CheckpointError::Foreign { path: path.to_path_buf(), what, found, want });
            }
        }
        Ok(())
    }
}

/// All keys of an experiment with their values, `training.batch` and so on; without those that do not matter to the numbers.
fn keys(e: &Experiment) -> BTreeMap<String, String> {
    let mut keys = BTreeMap::new();
    // The text is ours and complete; a failure to read it back would show in every test.
    let table: toml::Table = e.to_toml().parse().unwrap_or_default();
    for (key, value) in table {
        flatten(key, value, &mut keys);
    }
    // `data.inputs` is a file of samples, or a list of channels, which matters.
    let file = |key: &str, value: &str| key == "data.inputs" && value.starts_with('"');
    keys.retain(|key, value| !FREE_KEYS.contains(&key.as_str()) && !file(key, value));
    keys
}

fn flatten(path: String, value: toml::Value, keys: &mut BTreeMap<String, String>) {
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                flatten(format!("{path}.{key}"), value, keys);
            }
        }
        value => drop(keys.insert(path, value.to_string())),
    }
}

/// Keys in which two experiments differ, with their values in the first and in the second.
#[must_use]
pub fn differing_keys(a: &Experiment, b: &Experiment) -> Vec<(String, String, String)> {
    let (a, b) = (keys(a), keys(b));
    let value = |map: &BTreeMap<String, String>, key: &str| map.get(key).map_or("not set", |v| v).to_owned();
    let all: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let pairs = all.into_iter().map(|key| (key.clone(), value(&a, key), value(&b, key)));
    pairs.filter(|(_, a, b)| a != b).collect()
}

fn fingerprint(e: &Experiment) -> String {
    let mut hash = Sha256::new();
    for (key, value) in keys(e) {
        hash.update(format!("{key} = {value}\n"));
    }
    hex(&hash.finalize())
}

fn data_sum(data: &Dataset) -> String {
    let mut hash = Sha256::new();
    let mut add = |samples: &Samples| {
        hash.update((samples.len() as u64).to_le_bytes());
        hash.update((samples.pixels() as u64).to_le_bytes());
        hash.update(samples.images());
        hash.update(samples.labels());
    };
    add(&data.train);
    if let Some(validation) = &data.validation {
        add(validation);
    }
    add(&data.test);
    hex(&hash.finalize())
}

fn values_sum(data: &Dataset<Values>) -> String {
    let mut hash = Sha256::new();
    let mut add = |values: &Values| {
        hash.update(format!("{} {:?};", values.len(), values.widths()));
        hash.update(bytemuck::cast_slice::<f32, u8>(values.inputs()));
        match values.answers() {
            Answers::Classes { labels, levels } => {
                hash.update(format!("{levels:?}"));
                hash.update(&labels[..]);
            }
            Answers::Targets(targets) => hash.update(bytemuck::cast_slice::<f32, u8>(targets)),
        }
    };
    [Some(&data.train), data.validation.as_ref(), Some(&data.test)].into_iter().flatten().for_each(&mut add);
    hex(&hash.finalize())
}

/// Channels, clock, scale, parts and all values. Rows that cannot be read give another sum: training will say why.
fn series_sum(set: &SeriesSet) -> String {
    let mut hash = Sha256::new();
    for series in &set.series {
        hash.update(format!("{:?} {:?} {} {:?};", series.names, series.format, series.rows, series.step_ms));
        hash.update(format!("{:?} {:?};", series.gain, series.offset));
        let mut rows = Vec::new();
        for from in (0..series.rows).step_by(ROWS) {
            rows.clear();
            if let Err(error) = series.read(from..series.rows.min(from + ROWS), &mut rows) {
                hash.update(error.to_string());
                break;
            }
            hash.update(&rows);
        }
    }
    hash.update(format!("{} {:?} {:?} {:?}", set.inputs, set.train, set.validation, set.test));
    hex(&hash.finalize())
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
