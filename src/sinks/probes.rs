//! Files of probes: `probes/NAME.npz` in a run directory, or beside the output of a simulation.
//!
//! S samples of B trajectories and n neurons, float64 (quantities float32 where the device computes in single precision):
//!
//! | array | shape | holds |
//! | --- | --- | --- |
//! | a quantity, `-` as `_` | S, B, n | its values; `target` S, B, outputs; `beta` S, outputs; `interneuron` S, B, interneurons |
//! | `t_ms`, `step` | S | simulated time and time steps since the start of the run |
//! | `epoch`, `mini_batch` | S | from 1; 0 in a simulation |
//! | `label`, `sample` | S, B | class and place in the training set of what is shown, −1 without; not in a simulation |
//! | `neuron` | n | neuron, from 0 over all populations |
//! | `output_neuron` | outputs | those that are outputs |
//! | `interneuron_index` | interneurons | interneuron, from 0 over all of the network |
//! | `full` | 1 | 1 if `max-mib` was reached and nothing more was recorded |

use std::fs;
use std::path::{Path, PathBuf};

use crate::data::npz::{self, Entry, NpzError, NpzFile};
use crate::probe::{Moment, Recording};
use crate::train::{Event, Sink};

/// Name of a quantity in files.
fn array_name(name: &str) -> String {
    name.replace('-', "_")
}

/// Writes one recording. The file is there whole or not at all.
///
/// # Errors
/// If it cannot be written.
pub fn save_recording(path: &Path, r: &Recording, single: bool) -> Result<(), NpzError> {
    let count = r.moments.len();
    let of = |value: &dyn Fn(&Moment) -> f64| -> Vec<f64> { r.moments.iter().map(value).collect() };
    let ids = |columns: &[usize]| -> Vec<f64> { columns.iter().map(|&c| c as f64).collect() };
    let times = [
        ("t_ms", of(&|m| m.steps as f64 * r.dt_ms)),
        ("step", of(&|m| m.steps as f64)),
        ("epoch", of(&|m| m.epoch as f64)),
        ("mini_batch", of(&|m| m.mini_batch as f64)),
    ];
    let lists = [
        ("neuron", ids(&r.columns)),
        ("output_neuron", ids(&r.outputs)),
        ("interneuron_index", ids(&r.interneurons)),
        ("full", vec![f64::from(u8::from(r.is_full))]),
    ];
    let mut entries = Vec::new();
    for (&quantity, values) in r.probe.quantities.iter().zip(&r.values) {
        let shape = [vec![count], r.shape(quantity)].concat();
        entries.push(Entry { name: array_name(quantity.name()), shape, data: values, single });
    }
    for (name, data) in times.iter().chain(&lists) {
        entries.push(Entry { name: (*name).into(), shape: vec![data.len()], data, single: false });
    }
    let shown = [("label", &r.labels), ("sample", &r.samples)];
    for (name, data) in shown.into_iter().filter(|(_, data)| data.len() == count * r.probe.trajectories) {
        let shape = vec![count, r.probe.trajectories];
        entries.push(Entry { name: name.into(), shape, data, single: false });
    }
    npz::write(path, &entries)
}

/// Reads what [`save_recording`] wrote for the same probe into `r`.
///
/// # Errors
/// If the file cannot be read, or is of another probe.
pub fn load_recording(path: &Path, r: &mut Recording) -> Result<(), NpzError> {
    let mut file = NpzFile::open(path)?;
    let steps = file.read_shaped("step", &[None])?.data;
    let count = steps.len();
    let column =
        |file: &mut NpzFile, name: &str| file.read_shaped(name, &[Some(count)]).map(|array| array.data);
    let (epochs, batches) = (column(&mut file, "epoch")?, column(&mut file, "mini_batch")?);
    for (name, columns) in
        [("neuron", &r.columns), ("output_neuron", &r.outputs), ("interneuron_index", &r.interneurons)]
    {
        let array = file.read_shaped(name, &[Some(columns.len())])?;
        if array.data.iter().zip(columns).any(|(a, &b)| *a != b as f64) {
            let path = path.to_path_buf();
            let source = std::io::Error::other("it is of other neurons");
            return Err(NpzError::Damaged { path, name: name.into(), source });
        }
    }
    let mut values = Vec::new();
    for &quantity in &r.probe.quantities {
        let shape: Vec<_> = std::iter::once(count).chain(r.shape(quantity)).map(Some).collect();
        values.push(file.read_shaped(&array_name(quantity.name()), &shape)?.data);
    }
    let each = [Some(count), Some(r.probe.trajectories)];
    let (labels, samples) = (file.read_shaped("label", &each)?.data, file.read_shaped("sample", &each)?.data);
    let moments = steps.iter().zip(epochs).zip(batches).map(|((&steps, epoch), batch)| Moment {
        steps: steps as u64,
        epoch: epoch as usize,
        mini_batch: batch as usize,
    });
    (r.moments, r.labels, r.samples, r.values) = (moments.collect(), labels, samples, values);
    Ok(())
}

/// The files of the probes of a run.
#[derive(Clone, Debug)]
pub struct ProbeFiles {
    folder: PathBuf,
    single: bool,
    /// Samples in each file; `None` before it was written.
    written: Vec<Option<(usize, bool)>>,
}

impl ProbeFiles {
    /// In `probes` of a run directory; `single`: the device computes in single precision.
    #[must_use]
    pub fn new(run: &Path, single: bool) -> Self {
        Self { folder: run.join("probes"), single, written: Vec::new() }
    }

    fn path(&self, r: &Recording) -> PathBuf {
        self.folder.join(format!("{}.npz", r.probe.name))
    }

    /// What an earlier process recorded up to `steps` time steps. What cannot be read is a warning, and the recording empty.
    pub fn resume(&self, recordings: &mut [Recording], steps: u64, epoch: usize) -> Vec<Event> {
        let mut warnings = Vec::new();
        for r in recordings {
            let path = self.path(r);
            // Before the first checkpoint nothing may have been due.
            if let Err(error) = load_recording(&path, r) {
                let message = format!("{error}; samples from before are lost, the probe goes on from here");
                warnings.push(Event::Warning { epoch, kind: "probe".into(), message });
            }
            r.cut(steps);
        }
        warnings
    }

    /// Writes the files of all probes that have recorded something since; `sink` is told of what cannot be written.
    ///
    /// # Errors
    /// If the sink fails.
    pub fn save(
        &mut self,
        recordings: &[Recording],
        epoch: usize,
        sink: &mut dyn Sink,
    ) -> std::io::Result<()> {
        self.written.resize(recordings.len(), None);
        for (i, r) in recordings.iter().enumerate() {
            let now = Some((r.moments.len(), r.is_full));
            if self.written[i] == now {
                continue;
            }
            let saved = fs::create_dir_all(&self.folder)
                .map_err(|source| NpzError::Write { path: self.folder.clone(), source })
                .and_then(|()| save_recording(&self.path(r), r, self.single));
            match saved {
                Ok(()) => self.written[i] = now,
                Err(error) => {
                    let message = format!("{error}; the run goes on, and what was recorded is tried again");
                    sink.take(&Event::Warning { epoch, kind: "probe".into(), message })?;
                }
            }
        }
        Ok(())
    }
}
