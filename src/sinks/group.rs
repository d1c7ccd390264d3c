//! The folder of several runs that differ by their seed alone, `DIR/<name>/<utc>-seeds/`: `config.toml`, `seeds.json`, `seeds.md`. The
//! runs have run directories of their own beside it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{RunDir, RunDirError, SeedResult, SeedTable, atomic};
use crate::completion::{Method, Table};

/// What stands for the seed in the name of the folder.
const SUFFIX: &str = "seeds";

/// The folder of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    path: PathBuf,
}

impl Group {
    /// Makes `base/<name>/<utc>-seeds` with the configuration of the group.
    ///
    /// # Errors
    /// [`RunDirError`].
    pub fn create(base: &Path, name: &str, toml: &str, started: SystemTime) -> Result<Self, RunDirError> {
        let dir = RunDir::create(base, name, SUFFIX, started)?;
        let group = Self { path: dir.path().to_path_buf() };
        group.write_config(toml)?;
        Ok(group)
    }

    /// The group in the folder `path`, if there is one.
    #[must_use]
    pub fn open(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let named = name.split('-').nth(1) == Some(SUFFIX);
        (named && path.join("config.toml").is_file()).then(|| Self { path: path.to_path_buf() })
    }

    /// The groups of `name` in `base`, the latest last.
    #[must_use]
    pub fn all(base: &Path, name: &str) -> Vec<Self> {
        let Ok(entries) = fs::read_dir(RunDir::folder(base, name)) else { return Vec::new() };
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.sort_unstable();
        paths.iter().filter_map(|path| Self::open(path)).collect()
    }

    /// Writes `config.toml`: the experiment with all its seeds.
    ///
    /// # Errors
    /// [`RunDirError::Write`].
    pub fn write_config(&self, toml: &str) -> Result<(), RunDirError> {
        RunDir::open(&self.path, SystemTime::now()).write_config(toml)
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a run directory is not older than the group: their names begin with the time.
    #[must_use]
    pub fn may_have_run(&self, run: &Path) -> bool {
        let time = |path: &Path| path.file_name()?.to_str()?.split('-').next().map(str::to_owned);
        time(run) >= time(&self.path)
    }

    /// `seeds.json` as an earlier process left it, if it can be read.
    #[must_use]
    pub fn table(&self) -> Option<SeedTable> {
        serde_json::from_slice(&fs::read(self.path.join("seeds.json")).ok()?).ok()
    }

    /// Writes `seeds.json` and `seeds.md`.
    ///
    /// # Errors
    /// [`RunDirError::Write`].
    pub fn write(&self, table: &SeedTable) -> Result<(), RunDirError> {
        let wrong = |path: &Path, source| RunDirError::Write { path: path.to_path_buf(), source };
        let path = self.path.join("seeds.json");
        let mut text = serde_json::to_vec_pretty(table).map_err(|error| wrong(&path, error.into()))?;
        text.push(b'\n');
        atomic::write(&path, &text).map_err(|source| wrong(&path, source))?;
        let path = self.path.join("seeds.md");
        atomic::write(&path, table.markdown().as_bytes()).map_err(|source| wrong(&path, source))
    }
}

/// What the complete run in `dir` came to, from its `test.json`, of recordings `completion.json`, and the last of its metrics.
///
/// # Errors
/// If one of the two cannot be read or says something else; the message names the file.
pub fn result_of(dir: &Path) -> io::Result<SeedResult> {
    let read = |name: &str| {
        let path = dir.join(name);
        let text = fs::read_to_string(&path);
        text.map_err(|error| io::Error::new(error.kind(), format!("cannot read {}: {error}", path.display())))
    };
    let odd = |name: &str| {
        let shown = dir.join(name);
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("{} is not that of a complete run", shown.display()),
        )
    };
    let metrics = read("metrics.jsonl")?;
    let last: Option<serde_json::Value> = metrics.lines().last().and_then(|l| serde_json::from_str(l).ok());
    let seconds = last.and_then(|event| event["elapsed_s"].as_f64()).ok_or_else(|| odd("metrics.jsonl"))?;
    let directory = dir.display().to_string();
    if dir.join("completion.json").is_file() {
        let odd = || odd("completion.json");
        let table: Table = serde_json::from_str(&read("completion.json")?).map_err(|_| odd())?;
        let network = table.summaries().into_iter().find(|s| s.method == Method::Network).ok_or_else(odd)?;
        return Ok(SeedResult {
            directory,
            accuracy: network.r2,
            loss: network.cost,
            samples: table.samples as usize,
            seconds,
        });
    }
    let score: serde_json::Value = serde_json::from_str(&read("test.json")?).map_err(|_| odd("test.json"))?;
    let number = |key: &str| score[key].as_f64().ok_or_else(|| odd("test.json"));
    // Samples with targets have an R² in its place, which is not defined where all targets are the same.
    let accuracy = if score["rmse"].is_number() { score["r2"].as_f64() } else { Some(number("accuracy")?) };
    Ok(SeedResult {
        directory,
        accuracy,
        loss: number("loss")?,
        samples: score["samples"].as_u64().ok_or_else(|| odd("test.json"))? as usize,
        seconds,
    })
}
