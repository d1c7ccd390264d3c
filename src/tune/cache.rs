//! Choices of earlier processes, a small file each in the user's cache folder.
//!
//! Files are written in one step and read whole; one that is damaged, foreign or of another key is told and replaced. Nothing else depends on
//! them: the folder can be deleted at any time.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use serde::{Deserialize, Serialize};

use super::Key;
use crate::gpu::Profile;
use crate::sinks::atomic;

/// The environment variable that names the folder of caches.
pub const VARIABLE: &str = "LAGRANGE_CACHE_DIR";

/// What the files call their format.
const FORMAT: &str = "lagrange-gpu tiles 1";

/// Larger files are no choices.
const MOST_BYTES: u64 = 1 << 16;

/// A choice as its file has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    format: String,
    /// What it holds for.
    pub key: Key,
    /// Name of the tiles.
    pub tiles: String,
    /// What each profile took for the same work, seconds.
    pub seconds: Vec<(String, f64)>,
}

impl Entry {
    /// A choice and what it is based on.
    #[must_use]
    pub fn new(key: Key, profile: Profile, seconds: &[(Profile, f64)]) -> Self {
        let seconds = seconds.iter().map(|(profile, s)| (profile.name().to_owned(), *s)).collect();
        Self { format: FORMAT.into(), key, tiles: profile.name().into(), seconds }
    }

    /// The choice; `None` for a name that is no profile.
    #[must_use]
    pub fn profile(&self) -> Option<Profile> {
        Profile::named(&self.tiles)
    }
}

/// Why a cache cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// A file that is there.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// Its path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file with something else in it.
    #[error("{}: is no choice of tiles for this program and adapter ({reason})", path.display())]
    Foreign {
        /// Its path.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file that cannot be written.
    #[error("{}: cannot be written: {source}", path.display())]
    Write {
        /// Its path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A folder of choices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// In this folder, which is made when something is stored.
    #[must_use]
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// In the folder that [`VARIABLE`] names, else in the cache folder of the user: `$XDG_CACHE_HOME` or `~/.cache`, `~/Library/Caches`,
    /// `%LOCALAPPDATA%`, each with `lagrange-gpu/tiles`.
    #[must_use]
    pub fn of_user() -> Option<Self> {
        if let Some(folder) = std::env::var_os(VARIABLE).filter(|folder| !folder.is_empty()) {
            return Some(Self::in_folder(Path::new(&folder).join("tiles")));
        }
        let strategy = etcetera::base_strategy::choose_native_strategy().ok()?;
        Some(Self::in_folder(strategy.cache_dir().join("lagrange-gpu").join("tiles")))
    }

    /// Where the choice for a key lies.
    #[must_use]
    pub fn path(&self, key: &Key) -> PathBuf {
        self.folder.join(format!("{}.json", key.id()))
    }

    /// The choice for a key, if there is one.
    ///
    /// # Errors
    /// If there is a file that cannot be read, or with other content.
    pub fn load(&self, key: &Key) -> Result<Option<Entry>, CacheError> {
        let path = self.path(key);
        let text = match read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(|source| CacheError::Read { path: path.clone(), source })?,
        };
        let foreign = |reason: String| CacheError::Foreign { path: path.clone(), reason };
        let entry: Entry = serde_json::from_slice(&text).map_err(|e| foreign(e.to_string()))?;
        if entry.format != FORMAT {
            return Err(foreign(format!("its format is '{}', not '{FORMAT}'", entry.format)));
        }
        if entry.key != *key {
            return Err(foreign("it is for another adapter, driver, program or shape".into()));
        }
        if entry.profile().is_none() {
            return Err(foreign(format!("there are no tiles '{}'", entry.tiles)));
        }
        Ok(Some(entry))
    }

    /// Keeps a choice.
    ///
    /// # Errors
    /// If the folder cannot be made or written.
    pub fn store(&self, entry: &Entry) -> Result<(), CacheError> {
        let path = self.path(&entry.key);
        // Other processes may be writing the same choice.
        let own = path.with_extension(format!("{}.json", std::process::id()));
        let written = std::fs::create_dir_all(&self.folder)
            .and_then(|()| serde_json::to_vec_pretty(entry).map_err(io::Error::other))
            .and_then(|bytes| atomic::write(&own, &bytes))
            .and_then(|()| std::fs::rename(&own, &path));
        written.map_err(|source| CacheError::Write { path, source })
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(io::Error::other("it is too large"));
    }
    Ok(bytes)
}
