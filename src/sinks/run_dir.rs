//! The folder of one run: what was run, where, what came of it.
//!
//! `DIR/<name>/<utc>-<seed>/` holds `config.toml`, `provenance.json`, `metrics.jsonl`, `checkpoints/`,
//! `parameters.safetensors`, `test.json` (of recordings `completion.json` and `completion.npz`), and last of all `DONE`: a folder without it is of a run that did not end.
//! `profile.json` is there if a profile was asked for. `resumes.jsonl` tells where such a run went on.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use safetensors::SafeTensorError;
use safetensors::tensor::{Dtype, TensorView};
use serde::Serialize;

use super::{JsonLines, Provenance, atomic, clock, encode_tensors};
use crate::data::arrays::Scaling;
use crate::data::npz::Entry;
use crate::train::{Completed, Outcome, Profile, Score};

/// Runs of one name that may start in one second.
const MOST_TWINS: usize = 1000;
/// Longest name of an experiment in a path, in bytes.
const LONGEST_NAME: usize = 64;

/// Why the folder of a run cannot be made or written.
#[derive(Debug, thiserror::Error)]
pub enum RunDirError {
    /// A folder cannot be made.
    #[error("cannot create the folder {}: {source}{}", path.display(), advice(source))]
    Create {
        /// The folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {source}{}", path.display(), advice(source))]
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A tensor's shape does not fit its values.
    #[error("cannot save '{name}': shape {shape:?} does not fit {values} values")]
    Shape {
        /// Name of the tensor.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
        /// Number of its values.
        values: usize,
    },
    /// The parameters cannot be put into a file.
    #[error("cannot encode the parameters for {}: {source}", path.display())]
    Encode {
        /// The file.
        path: PathBuf,
        /// What the encoder said.
        source: SafeTensorError,
    },
}

/// What to do about an error of the file system.
pub(crate) fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            "; free some space, or choose a folder elsewhere"
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "; choose a folder that you may write to"
        }
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
            "; a file is in the way: move it, or choose another folder"
        }
        ErrorKind::NotFound => "; was the folder removed while the run went on?",
        _ => "",
    }
}

/// One array of parameters, to be saved as `f32`.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor<'a> {
    /// Its name in the file.
    pub name: String,
    /// Its shape, row-major.
    pub shape: Vec<usize>,
    /// Its values; as many as the shape says.
    pub values: &'a [f32],
}

/// The folder of a run, made by this run alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDir {
    path: PathBuf,
    started: SystemTime,
}

impl RunDir {
    /// Makes `base/<name>/<utc>-<seed>`, with `-2`, `-3` … after it if that exists: nothing is ever overwritten. In
    /// `name`, all but ASCII letters, digits, `-`, `_` and `.` become `_`.
    ///
    /// # Errors
    /// [`RunDirError::Create`].
    pub fn create(
        base: &Path,
        name: &str,
        seed: impl std::fmt::Display,
        started: SystemTime,
    ) -> Result<Self, RunDirError> {
        let group = Self::folder(base, name);
        fs::create_dir_all(&group).map_err(|source| RunDirError::Create { path: group.clone(), source })?;
        let stem = format!("{}-{seed}", clock::compact(started));
        for twin in 1..=MOST_TWINS {
            let path = group.join(if twin == 1 { stem.clone() } else { format!("{stem}-{twin}") });
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self { path, started }),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(source) => return Err(RunDirError::Create { path, source }),
            }
        }
        Err(RunDirError::Create { path: group.join(stem), source: ErrorKind::AlreadyExists.into() })
    }

    /// Where the runs of `name` are, `base/<name>`.
    #[must_use]
    pub fn folder(base: &Path, name: &str) -> PathBuf {
        base.join(safe_name(name))
    }

    /// The folder of an earlier run, to go on with it.
    #[must_use]
    pub fn open(path: &Path, started: SystemTime) -> Self {
        Self { path: path.to_path_buf(), started }
    }

    /// The runs of `name` with `seed` in `base`, the latest last.
    #[must_use]
    pub fn runs(base: &Path, name: &str, seed: u64) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(Self::folder(base, name)) else { return Vec::new() };
        // `<utc>-<seed>` or `<utc>-<seed>-<twin>`.
        let key = |path: PathBuf| {
            let mut parts = path.file_name()?.to_str()?.split('-').map(str::to_owned);
            let (utc, of) = (parts.next()?, parts.next()?);
            let twin: usize = parts.next().map_or(Some(1), |twin| twin.parse().ok())?;
            (of.parse() == Ok(seed) && path.is_dir()).then_some((utc, twin, path))
        };
        let mut runs: Vec<_> = entries.filter_map(|entry| key(entry.ok()?.path())).collect();
        runs.sort_unstable();
        runs.into_iter().map(|(.., path)| path).collect()
    }

    /// Whether everything in the folder `path` is there.
    #[must_use]
    pub fn is_done(path: &Path) -> bool {
        path.join("DONE").exists()
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// When the run started.
    #[must_use]
    pub fn started(&self) -> SystemTime {
        self.started
    }

    /// Writes `config.toml`: the resolved experiment, every default written out.
    ///
    /// # Errors
    /// [`RunDirError::Write`].
    pub fn write_config(&self, toml: &str) -> Result<(), RunDirError> {
        self.write("config.toml", toml.as_bytes())
    }

    /// Writes `provenance.json`.
    ///
    /// # Errors
    /// [`RunDirError::Write`].
    pub fn write_provenance(&self, provenance: &Provenance) -> Result<(), RunDirError> {
        self.write_json("provenance.json", provenance)
    }

    /// Opens `metrics.jsonl` for the events of the run.
    ///
    /// # Errors
    /// [`RunDirError::Write`].
    pub fn metrics(&self) -> Result<JsonLines<BufWriter<File>>, RunDirError> {
        let path = self.path.join("metrics.jsonl");
        match File::create_new(&path) {
            Ok(file) => Ok(JsonLines::new(BufWriter::new(file))),
            Err(source) => Err(RunDirError::Write { path, source }),
        }
    }

    /// Opens `metrics.jsonl` again, of which the first `bytes` stay.
    ///
    /// # Errors
    /// [`RunDirError::Write`].
    pub fn metrics_after(&self, bytes: u64) -> Result<JsonLines<BufWriter<File>>, RunDirError> {
        let path = self.path.join("metrics.jsonl");
        let open = || {
            let mut file = File::options().create(true).truncate(false).write(true).open(&path)?;
            file.set_len(bytes)?;
            file.seek(SeekFrom::End(0))?;
            Ok(file)
        };
        match open() {
            Ok(file) => Ok(JsonLines::new(BufWriter::new(file))),
            Err(source) => Err(RunDirError::Write { path, source }),
        }
    }

    /// `metrics.jsonl` itself, to have it flushed to disk.
    ///
    /// # Errors
    /// [`RunDirError::Write`].
    pub fn metrics_file(&self) -> Result<File, RunDirError> {
        let path = self.path.join("metrics.jsonl");
        File::options().append(true).open(&path).map_err(|source| RunDirError::Write { path, source })
    }

    /// Adds a line to `resumes.jsonl`: where and with what the run goes on.
    ///
    /// # Errors
    /// [`RunDirError::Write`].
    pub fn note_resume(&self, note: &impl Serialize) -> Result<(), RunDirError> {
        let path = self.path.join("resumes.jsonl");
        let add = || {
            let mut line = serde_json::to_vec(note)?;
            line.push(b'\n');
            File::options().create(true).append(true).open(&path)?.write_all(&line)
        };
        add().map_err(|source| RunDirError::Write { path: path.clone(), source })
    }

    /// Writes `parameters.safetensors`: `tensors` as `f32`, with `metadata` in the header.
    ///
    /// # Errors
    /// [`RunDirError::Shape`], [`RunDirError::Encode`] (two tensors of one name, say) or [`RunDirError::Write`].
    pub fn write_parameters(
        &self,
        tensors: &[Tensor<'_>],
        metadata: HashMap<String, String>,
    ) -> Result<(), RunDirError> {
        let path = self.path.join("parameters.safetensors");
        let bytes: Vec<Vec<u8>> =
            tensors.iter().map(|t| t.values.iter().flat_map(|v| v.to_le_bytes()).collect()).collect();
        let mut views = Vec::with_capacity(tensors.len());
        for (tensor, bytes) in tensors.iter().zip(&bytes) {
            let view =
                TensorView::new(Dtype::F32, tensor.shape.clone(), bytes).map_err(|_| RunDirError::Shape {
                    name: tensor.name.clone(),
                    shape: tensor.shape.clone(),
                    values: tensor.values.len(),
                })?;
            views.push((tensor.name.as_str(), view));
        }
        match encode_tensors(views, metadata) {
            Ok(bytes) => self.write("parameters.safetensors", &bytes),
            Err(source) => Err(RunDirError::Encode { path, source }),
        }
    }

    /// Writes `test.json`.
    ///
    /// # Errors
    /// [`RunDirError::Write`].
    pub fn write_score(&self, score: &Score) -> Result<(), RunDirError> {
        self.write_json("test.json", score)
    }

    /// Writes `test.json`, whatever the answers are.
    ///
    /// # Errors
    /// [`RunDirError::Write`].
    pub fn write_outcome(&self, outcome: &Outcome) -> Result<(), RunDirError> {
        match outcome {
            Outcome::Classes(score) => self.write_score(score),
            Outcome::Values(score) => self.write_json("test.json", score),
        }
    }

    /// Writes `input-scale.npz`: what inputs of this network are to be scaled by.
    ///
    /// # Errors
    /// [`RunDirError::Write`].
    pub fn write_scaling(&self, scaling: &Scaling) -> Result<(), RunDirError> {
        let path = self.path.join(Scaling::FILE);
        scaling.save(&path).map_err(|error| RunDirError::Write { path, source: std::io::Error::other(error) })
    }

    /// Writes `completion.json`, the scores of the free electrodes by all methods, and `completion.npz`, the traces: `time_ms` `[T]`,
    /// `truth`, `before`, `after` `[T, channels]` (single precision), `free` `[F]`.
    ///
    /// # Errors
    /// [`RunDirError::Write`].
    pub fn write_completion(&self, completed: &Completed) -> Result<(), RunDirError> {
        self.write_json("completion.json", &completed.table)?;
        let (traces, rows) = (&completed.traces, completed.traces.time_ms.len());
        let free: Vec<f64> = completed.free.iter().map(|&c| c as f64).collect();
        let all = [&traces.truth, &traces.before, &traces.after];
        let mut entries = vec![
            Entry { name: "time_ms".into(), shape: vec![rows], data: &traces.time_ms, single: false },
            Entry { name: "free".into(), shape: vec![free.len()], data: &free, single: false },
        ];
        for (name, data) in ["truth", "before", "after"].into_iter().zip(all) {
            let shape = vec![rows, data.len() / rows.max(1)];
            entries.push(Entry { name: name.into(), shape, data, single: true });
        }
        let path = self.path.join("completion.npz");
        crate::data::npz::write(&path, &entries)
            .map_err(|error| RunDirError::Write { path, source: std::io::Error::other(error) })
    }

    /// Writes `profile.json`: where the time of the training went.
    ///
    /// # Errors
    /// [`RunDirError::Write`].
    pub fn write_profile(&self, profile: &Profile) -> Result<(), RunDirError> {
        self.write_json("profile.json", profile)
    }

    /// Writes `DONE`, with the time. To be called last: it says that everything else is there.
    ///
    /// # Errors
    /// [`RunDirError::Write`].
    pub fn finish(&self, ended: SystemTime) -> Result<(), RunDirError> {
        self.write("DONE", format!("{}\n", clock::readable(ended)).as_bytes())
    }

    fn write_json(&self, name: &str, value: &impl Serialize) -> Result<(), RunDirError> {
        let path = self.path.join(name);
        let mut text = serde_json::to_vec_pretty(value)
            .map_err(|error| RunDirError::Write { path, source: error.into() })?;
        text.push(b'\n');
        self.write(name, &text)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), RunDirError> {
        let path = self.path.join(name);
        atomic::write(&path, bytes).map_err(|source| RunDirError::Write { path, source })
    }
}

/// A name that is one harmless part of a path on every system.
fn safe_name(name: &str) -> String {
    let keep = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    let name: String = name.trim().chars().map(keep).take(LONGEST_NAME).collect();
    // Leading dots hide a folder or leave it; Windows drops trailing ones and keeps some names for devices.
    let name = name.trim_matches('.');
    let stem = name.split('.').next().unwrap_or_default().to_ascii_uppercase();
    let device = ["CON", "PRN", "AUX", "NUL"].contains(&stem.as_str())
        || (stem.len() == 4 && (stem.starts_with("COM") || stem.starts_with("LPT")));
    match name {
        "" => "run".to_owned(),
        name if device => format!("_{name}"),
        name => name.to_owned(),
    }
}
