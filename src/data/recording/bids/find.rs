//! Finds data files in a folder, and the sidecars of a data file.

use std::path::{Path, PathBuf};

use crate::data::recording::RecordingError;

/// Folders below the one that is given: subject, session, type, and some to spare.
const DEPTH: usize = 6;
/// Files that are looked at before a folder is taken for something else.
const ENTRIES: usize = 200_000;
/// Data files that an error lists.
const LISTED: usize = 20;
/// Ends of data files that are read here, and of those of BIDS that are not.
const READ: [&str; 4] = ["edf", "bdf", "vhdr", "nwb"];
const UNREAD: [&str; 3] = ["set", "mefd", "fif"];
/// Folders of a data set that hold no raw recordings.
const LEFT_OUT: [&str; 4] = ["derivatives", "sourcedata", "code", "stimuli"];

/// The name of a data file in BIDS: `sub-01_ses-02_task-rest_run-01_ieeg.edf`.
pub(super) struct Name {
    /// `sub-01`, `ses-02`, …
    entities: Vec<String>,
    /// `ieeg` or `eeg`.
    pub(super) suffix: String,
}

impl Name {
    /// The parts of a name of BIDS.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let stem = path.file_stem()?.to_str()?;
        let mut parts: Vec<String> = stem.split('_').map(str::to_owned).collect();
        let suffix = parts.pop().filter(|suffix| suffix == "ieeg" || suffix == "eeg")?;
        let all = !parts.is_empty() && parts.iter().all(|part| part.contains('-'));
        all.then_some(Self { entities: parts, suffix })
    }

    /// The sidecar that is nearest: in the first of the folders that has one, the one with the most entities, all of them those of the data file.
    pub(super) fn sidecar(&self, folders: &[PathBuf], end: &str) -> Option<PathBuf> {
        folders.iter().find_map(|folder| {
            let mut fitting: Vec<(usize, PathBuf)> = std::fs::read_dir(folder)
                .ok()?
                .take(ENTRIES)
                .filter_map(|entry| {
                    let path = entry.ok()?.path();
                    let before = path.file_name()?.to_str()?.strip_suffix(end)?.to_owned();
                    // `_channels.tsv` behind entities, or `channels.tsv` alone.
                    let entities: Vec<&str> = match before.strip_suffix('_') {
                        Some(before) => before.split('_').collect(),
                        None if before.is_empty() => Vec::new(),
                        None => return None,
                    };
                    let ours = entities.iter().all(|e| self.entities.iter().any(|own| own == e));
                    (ours && path.is_file()).then_some((entities.len(), path))
                })
                .collect();
            fitting.sort();
            fitting.pop().map(|(_, path)| path)
        })
    }
}

/// Folders whose sidecars a data file inherits, the nearest first: its own, and those above it up to the root of the data set.
pub(super) fn folders(path: &Path) -> Vec<PathBuf> {
    let own = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let full = own.canonicalize().unwrap_or_else(|_| own.to_path_buf());
    let above: Vec<PathBuf> = full.ancestors().take(DEPTH).map(Path::to_path_buf).collect();
    // Without a root, folders above are somebody else's.
    let root = above.iter().position(|folder| folder.join("dataset_description.json").is_file());
    let mut folders: Vec<PathBuf> = above.into_iter().take(root.unwrap_or(0) + 1).collect();
    if let Some(first) = folders.first_mut() {
        *first = own.to_path_buf();
    }
    folders
}

/// The one data file in a folder or below it.
pub(in crate::data::recording) fn data_file(folder: &Path) -> Result<PathBuf, RecordingError> {
    let error = |what: String| RecordingError::Format {
        path: folder.to_path_buf(),
        place: "folder".to_owned(),
        what,
    };
    let (mut data, mut others, mut unread) = (Vec::new(), Vec::new(), Vec::new());
    let mut seen = 0;
    let mut folders = vec![(folder.to_path_buf(), 0)];
    while let Some((next, depth)) = folders.pop() {
        let io = |error| RecordingError::Io { path: next.clone(), error };
        for entry in std::fs::read_dir(&next).map_err(io)? {
            let path = entry.map_err(io)?.path();
            seen += 1;
            if seen > ENTRIES {
                return Err(error(format!("more than {ENTRIES} files; open a recording by its path")));
            }
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let end = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
            let bids = Name::of(&path).is_some();
            if bids && UNREAD.contains(&end.as_str()) {
                unread.push(path);
            } else if path.is_dir() {
                if depth < DEPTH && !name.starts_with('.') && !LEFT_OUT.contains(&name.as_str()) {
                    folders.push((path, depth + 1));
                }
            } else if READ.contains(&end.as_str()) && path.is_file() {
                if bids { data.push(path) } else { others.push(path) }
            }
        }
    }
    let list = |mut paths: Vec<PathBuf>| {
        paths.sort();
        let more = if paths.len() > LISTED { ", …" } else { "" };
        let names: Vec<String> = paths.iter().take(LISTED).map(|p| p.display().to_string()).collect();
        format!("{}{more}", names.join(", "))
    };
    match (data.len(), unread.len(), others.len()) {
        (1, ..) => Ok(data.remove(0)),
        (0, 0, 0) => {
            Err(error("no recording (*_ieeg.edf, *_ieeg.vhdr, *_ieeg.nwb, …) in it or below it".to_owned()))
        }
        (0, 0, _) => Err(error(format!(
            "no recording with a name of BIDS (*_ieeg.…); open one of the others by its path: {}",
            list(others)
        ))),
        (0, ..) => Err(error(format!("its recordings are in formats that are not read: {}", list(unread)))),
        (n, ..) => Err(error(format!("holds {n} recordings; open one of them by its path: {}", list(data)))),
    }
}
