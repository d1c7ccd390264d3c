//! What the tests of the command line share: an empty working directory, the program run in it, and its files read back.
#![allow(dead_code)] // Each test file uses its own part.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use lagrange_gpu::data::idx::{encode_images, encode_labels};
use safetensors::SafeTensors;
use serde_json::Value;
use tempfile::TempDir;

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_lagrange-gpu");

/// Longer than any run here takes on a busy machine: a hanging program is a failure, not a hanging test.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Overrides that make a built-in MNIST experiment a matter of a tenth of a second.
pub const TINY: [&str; 6] =
    ["--set", "training.epochs=1", "--set", "data.train-limit=300", "--set", "data.validation=50"];

/// An empty folder in which the program runs.
pub struct Place {
    dir: TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self { dir: TempDir::new().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file and gives its path back.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The program with these arguments, for those who want to start it themselves.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(args).current_dir(self.dir.path()).env_remove("RUST_LOG").stdin(Stdio::null());
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, args: &[&str]) -> Ran {
        let output = assert_cmd::Command::from_std(self.command(args)).timeout(PATIENCE).output();
        Ran::of(&output.unwrap())
    }

    /// `train` with run directories in `runs`; device, overrides and more in `args`.
    pub fn train(&self, config: &str, args: &[&str]) -> Ran {
        self.run(&[&["train", "--config", config, "--runs", "runs"], args].concat())
    }

    /// All run directories, in the order of their names.
    pub fn runs(&self) -> Vec<PathBuf> {
        let folders = |path: &Path| -> Vec<PathBuf> {
            let Ok(entries) = std::fs::read_dir(path) else { return Vec::new() };
            let mut all: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
            all.sort();
            all
        };
        folders(&self.path("runs")).iter().flat_map(|group| folders(group)).collect()
    }

    /// The one run directory.
    pub fn the_run(&self) -> PathBuf {
        let runs = self.runs();
        assert_eq!(runs.len(), 1, "one run directory: {runs:?}");
        runs[0].clone()
    }
}

/// How a run of the program ended.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    /// Asserts the exit code.
    #[track_caller]
    pub fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "\n--- stdout\n{}--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    /// Asserts that standard error holds all of these.
    #[track_caller]
    pub fn says<S: AsRef<str>>(self, words: &[S]) -> Self {
        for word in words.iter().map(AsRef::as_ref) {
            assert!(self.stderr.contains(word), "'{word}' is missing in:\n{}", self.stderr);
        }
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        self
    }

    /// The line of standard error that begins with this.
    #[track_caller]
    pub fn line(&self, start: &str) -> &str {
        let found = self.stderr.lines().find(|line| line.starts_with(start));
        found.unwrap_or_else(|| panic!("no line '{start}…' in:\n{}", self.stderr))
    }
}

/// The events in `metrics.jsonl`: every line parses.
pub fn events(run: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The events of one kind.
pub fn events_of(run: &Path, kind: &str) -> Vec<Value> {
    events(run).into_iter().filter(|e| e["event"] == kind).collect()
}

pub fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// One array of `parameters.safetensors`.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    pub name: String,
    pub shape: Vec<usize>,
    pub bits: Vec<u32>,
}

/// All arrays of `parameters.safetensors` in the order of their names, and the epoch in its header.
pub fn parameters(run: &Path) -> (Vec<Array>, usize) {
    let bytes = std::fs::read(run.join("parameters.safetensors")).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let epoch = header.metadata().as_ref().unwrap()["epoch"].parse().unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let mut arrays: Vec<Array> = file
        .iter()
        .map(|(name, view)| Array {
            name: name.to_owned(),
            shape: view.shape().to_vec(),
            bits: view.data().chunks_exact(4).map(|b| u32::from_le_bytes(b.try_into().unwrap())).collect(),
        })
        .collect();
    arrays.sort_by(|a, b| a.name.cmp(&b.name));
    (arrays, epoch)
}

/// The names of everything in a folder, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// An experiment of a few neurons on IDX files beside it: images of 2 × 2 pixels, two classes.
pub const MINI: &str = r#"
name = "mini"
seed = 1

[data]
source = "idx"
train-images = "train-images"
train-labels = "train-labels"
test-images = "test-images"
test-labels = "test-labels"
validation = 0

[network]
architecture = "layered-feedforward"
sizes = [4, 3, 2]
activation = "linear"
input = "clamped"
weights = { init = "normal", mean = 0.0, std = 0.3 }
biases = { init = "zeros" }

[dynamics]
integrator = "exact"
tau-ms = 10.0
dt-ms = 1.0
beta = 0.1

[plasticity]
rate-per-ms = 0.01

[training]
epochs = 2
batch = 4
steps-per-sample = 5
"#;

/// Ten training and six test images whose class is whether the left or the right half is bright.
pub struct MiniData {
    pub train_images: Vec<u8>,
    pub train_labels: Vec<u8>,
    pub test_images: Vec<u8>,
    pub test_labels: Vec<u8>,
}

impl MiniData {
    pub fn new() -> Self {
        let labels = |count: u8| -> Vec<u8> { (0..count).map(|i| i % 2).collect() };
        let images = |count: u8| -> Vec<u8> {
            let image =
                |i: u8| if i.is_multiple_of(2) { [250 - i, 20, 240, i] } else { [i, 230, 10, 250 - i] };
            (0..count).flat_map(image).collect()
        };
        Self {
            train_images: encode_images(2, 2, &images(10)).unwrap(),
            train_labels: encode_labels(&labels(10)).unwrap(),
            test_images: encode_images(2, 2, &images(6)).unwrap(),
            test_labels: encode_labels(&labels(6)).unwrap(),
        }
    }

    /// Writes the four files and the experiment, and gives the name of the latter.
    pub fn put(&self, place: &Place) -> &'static str {
        place.write("train-images", &self.train_images);
        place.write("train-labels", &self.train_labels);
        place.write("test-images", &self.test_images);
        place.write("test-labels", &self.test_labels);
        place.write("mini.toml", MINI);
        "mini.toml"
    }
}

/// A process, ended whatever happens to the test.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Asks until there is an answer.
pub fn wait_for<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        match ready() {
            Some(value) => return value,
            None => assert!(start.elapsed() < PATIENCE, "waited in vain for {what}"),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
