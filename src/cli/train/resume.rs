//! `--resume`: which run goes on, and from which checkpoint.

use std::fmt::Write;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::checkpoint::{CheckpointError, Cut, Folder, Found, Identity, Lock, cut, differing_keys, load};
use crate::cli::{Failure, say};
use crate::config::{Experiment, Overrides, Source};
use crate::sinks::RunDir;
use crate::train::Event;

/// Where a run starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Resume {
    /// At the beginning, in a new run directory.
    No,
    /// Where the latest unfinished run of the same experiment and seed is; at the beginning if there is none.
    Auto,
    /// Where the run in this directory is, or at this checkpoint in a run directory.
    Path(PathBuf),
}

impl Resume {
    /// Reads `auto` or a path.
    pub(super) fn parse(text: Option<&Path>) -> Self {
        match text {
            None => Self::No,
            Some(text) if text == "auto" => Self::Auto,
            Some(path) => Self::Path(path.to_path_buf()),
        }
    }
}

/// A run that goes on.
pub(super) struct Resumed {
    /// The run directory.
    pub dir: PathBuf,
    /// Where it goes on; `None` if it ended before its first checkpoint.
    pub from: Option<Found>,
}

/// The run directory that `path` names: itself, or the one that holds this checkpoint.
pub(super) fn run_directory(path: &Path) -> Result<PathBuf, Failure> {
    let wrong = |what: &str| {
        let shown = path.display();
        Failure::usage(anyhow::anyhow!(
            "--resume {shown}: {what}; give a run directory, a checkpoint in its folder 'checkpoints', or auto"
        ))
    };
    let dir = if path.is_dir() {
        path.to_path_buf()
    } else if path.is_file() {
        let full = path.canonicalize().map_err(|error| wrong(&error.to_string()))?;
        let run = full.parent().and_then(Path::parent).map(Path::to_path_buf);
        run.ok_or_else(|| wrong("it is in no run directory"))?
    } else {
        return Err(wrong("there is no such file or folder"));
    };
    if dir.join("config.toml").is_file() { Ok(dir) } else { Err(wrong("there is no config.toml of a run")) }
}

/// The run that `resume` means, checked to be the one of `e`. `None` for a new one.
pub(super) fn find(e: &Experiment, identity: &Identity, resume: &Resume) -> Result<Option<Resumed>, Failure> {
    let folder = |dir: PathBuf| -> Result<Option<Resumed>, Failure> {
        let from =
            Folder::of(&dir).newest(identity, &e.network).map_err(|refused| none_is_sound(&refused))?;
        Ok(Some(Resumed { dir, from }))
    };
    match resume {
        Resume::No => Ok(None),
        Resume::Auto => match unfinished(e) {
            None => {
                let (name, runs) = (&e.name, e.run.directory.display());
                say(&format!("no unfinished run of {name} with seed {} in {runs}: a new one starts", e.seed));
                Ok(None)
            }
            Some(dir) => {
                same_config(e, &dir)?;
                folder(dir)
            }
        },
        Resume::Path(path) => {
            let dir = run_directory(path)?;
            if RunDir::is_done(&dir) {
                let shown = dir.display();
                return Err(Failure::usage(anyhow::anyhow!(
                    "the run {shown} is complete: there is nothing to resume"
                )));
            }
            same_config(e, &dir)?;
            if path.is_dir() {
                return folder(dir);
            }
            let checkpoint = load(path, identity, &e.network).map_err(Failure::run)?;
            let from = Some(Found { path: path.clone(), checkpoint, refused: Vec::new() });
            Ok(Some(Resumed { dir, from }))
        }
    }
}

/// The latest run directory of the experiment and its seed, if that run did not end.
fn unfinished(e: &Experiment) -> Option<PathBuf> {
    let runs = RunDir::runs(&e.run.directory, &e.name, e.seed);
    // Without a config the run ended before it began.
    runs.into_iter().rev().find(|run| !RunDir::is_done(run) && run.join("config.toml").is_file())
}

/// Refuses to go on with another configuration.
fn same_config(e: &Experiment, dir: &Path) -> Result<(), Failure> {
    let source = Source::File(dir.join("config.toml"));
    let there = Experiment::load(&source, &Overrides::default()).map_err(Failure::usage)?;
    let mut differ = String::new();
    for (key, theirs, ours) in differing_keys(&there, e) {
        // Writing to a string does not fail.
        let _ = write!(differ, "\n  {key} is {theirs} there, {ours} here");
    }
    if differ.is_empty() {
        return Ok(());
    }
    Err(Failure::usage(anyhow::anyhow!(
        "the unfinished run {} has another configuration; finish it with `lagrange-gpu train --resume {}`, or start a new run \
         without --resume:{differ}",
        dir.display(),
        shell(dir)
    )))
}

fn none_is_sound(refused: &[CheckpointError]) -> Failure {
    let reasons: String = refused.iter().map(|error| format!("\n  {error}")).collect();
    Failure::run(anyhow::anyhow!(
        "no checkpoint of the run can be used; start a new run without --resume:{reasons}"
    ))
}

impl Resumed {
    /// Where the events of the run are to be cut.
    pub(super) fn cut(&self) -> Result<Cut, Failure> {
        let Some(from) = &self.from else { return Ok(Cut::nothing()) };
        let path = self.dir.join("metrics.jsonl");
        match File::open(&path).and_then(|file| cut(BufReader::new(file), &from.checkpoint.state)) {
            Ok(cut) => Ok(cut),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok(Cut { complete: false, ..Cut::nothing() })
            }
            Err(error) => Err(Failure::run(anyhow::anyhow!("cannot read {}: {error}", path.display()))),
        }
    }
}

/// Takes the run for this process. A folder that cannot be written is no reason to stop: each save will say so.
pub(super) fn lock(dir: &Path) -> Result<Option<Lock>, Failure> {
    match Folder::of(dir).lock() {
        Ok(lock) => Ok(lock),
        Err(CheckpointError::Write { source, .. }) if source.kind() == io::ErrorKind::WouldBlock => {
            let shown = dir.display();
            Err(Failure::run(anyhow::anyhow!(
                "another process works on the run {shown}; wait for it or stop it"
            )))
        }
        Err(error) => {
            log::debug!("{error}");
            Ok(None)
        }
    }
}

/// What a user should know before the run goes on.
pub(super) fn warnings(found: &Found, identity: &Identity, complete: bool) -> Vec<Event> {
    let (state, then) = (&found.checkpoint.state, &found.checkpoint.identity);
    let warn =
        |kind: &str, message: String| Event::Warning { epoch: state.epoch, kind: kind.into(), message };
    let mut all: Vec<Event> = found
        .refused
        .iter()
        .map(|error| warn("checkpoint", format!("{error}; {} is used instead", found.path.display())))
        .collect();
    if !complete {
        let what = "metrics.jsonl does not reach up to the checkpoint; the events in between are lost";
        all.push(warn("metrics", what.to_owned()));
    }
    // Neither the processor nor checkpoints of before know tiles.
    let told = !then.tiles.is_empty() && !identity.tiles.is_empty();
    let tiles = if told { &then.tiles } else { &identity.tiles };
    for (what, then, now) in [
        ("device was", &then.device, &identity.device),
        ("tiles were", tiles, &identity.tiles),
        ("version was", &then.version, &identity.version),
    ] {
        if then != now {
            let message =
                format!("the {what} '{then}' and now '{now}': the last bits of the results may differ");
            all.push(warn("resume", message));
        }
    }
    all
}

/// A line of `resumes.jsonl`.
#[derive(Serialize)]
pub(super) struct Note {
    pub resumed: String,
    pub checkpoint: Option<String>,
    pub epoch: usize,
    pub mini_batches: usize,
    pub device: String,
    pub tiles: String,
    pub version: String,
    pub command_line: Vec<String>,
}

/// A path as a word of a shell command.
pub(super) fn shell(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+=:,@%".contains(c) || (cfg!(windows) && c == '\\');
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
