//! The data directory: which folder it is, where in it the files of a set lie, and that they are the right ones.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use flate2::bufread::MultiGzDecoder;
use sha2::{Digest, Sha256};

use super::published::{Published, PublishedFile, PublishedSet};

/// The environment variable that names the data directory.
pub const VARIABLE: &str = "LAGRANGE_DATA_DIR";

/// Who named the data directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The option of the command line.
    Option,
    /// The environment.
    Environment,
    /// The experiment.
    Experiment,
    /// Nobody: it is the folder that the platform has for such files.
    Platform,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option => f.write_str("--data-dir"),
            Self::Environment => write!(f, "the environment variable {VARIABLE}"),
            Self::Experiment => f.write_str("`directory` in [data]"),
            Self::Platform => f.write_str("the data folder of this system"),
        }
    }
}

/// A folder with a folder for each set, or with the files of one set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataDir {
    /// Absolute path.
    pub path: PathBuf,
    /// Who named it.
    pub origin: Origin,
}

/// Why the files of a set cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SetError {
    /// The platform has no folder for data, and nobody named one.
    #[error("there is no data folder: name one with --data-dir, {VARIABLE} or `directory` in [data]")]
    NoFolder,
    /// A name that is no path.
    #[error("{origin}: '{path}' is no path of a folder: it has to be Unicode and not empty")]
    Path {
        /// Who named it.
        origin: Origin,
        /// The name.
        path: String,
    },
    /// Files of a set are not there.
    #[error("{0}")]
    Missing(Box<Missing>),
    /// A file is there and cannot be read.
    #[error("{}: cannot be read: {source}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Decompression failed.
    #[error("{}: corrupt or incomplete gzip ({cause}); delete it and fetch it again", file.display())]
    Gzip {
        /// The file.
        file: PathBuf,
        /// What the decoder said.
        cause: io::Error,
    },
    /// A file with other content.
    #[error("{0}")]
    Sum(Box<WrongSum>),
}

/// Files of a set that are not there. Displayed with what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The set.
    pub set: Published,
    /// The data directory.
    pub directory: DataDir,
    /// The folder that was searched last, or that has some of the files.
    pub folder: PathBuf,
    /// The files.
    pub files: Vec<PublishedFile>,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { set, directory, folder, files } = self;
        let (title, data_dir) = (set.title, directory.path.display());
        writeln!(
            f,
            "{title} is not there: {} of its 4 files are missing in '{}'",
            files.len(),
            folder.display()
        )?;
        writeln!(f, "  = searched: '{data_dir}' (from {}) and its folder '{}'", directory.origin, set.name)?;
        writeln!(f, "  = missing, each plain or with .gz (and the sha256 of its uncompressed content):")?;
        for file in files {
            writeln!(f, "      {:<23}  {}", file.name, file.sha256)?;
        }
        if cfg!(feature = "fetch") {
            write!(f, "  = fetch them with: lagrange-gpu data fetch {}", set.name)?;
            // The command finds the other folders by itself.
            if matches!(directory.origin, Origin::Option | Origin::Experiment) {
                write!(f, " --data-dir '{data_dir}'")?;
            }
        } else {
            write!(f, "  = they are at {}", set.mirrors.join(" and "))?;
        }
        write!(
            f,
            "\n  = or name the folder that has them with --data-dir, {VARIABLE} or `directory` in [data]"
        )
    }
}

/// A file whose content is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongSum {
    /// The file.
    pub file: PathBuf,
    /// What it should hold.
    pub wanted: PublishedFile,
    /// Bytes it holds, uncompressed.
    pub bytes: u64,
    /// Their SHA-256.
    pub sha256: String,
}

impl fmt::Display for WrongSum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, wanted, bytes, sha256 } = self;
        writeln!(f, "{}: not the published file", file.display())?;
        writeln!(f, "  = wanted sha256 {}, {} bytes (uncompressed)", wanted.sha256, wanted.bytes)?;
        write!(f, "  =  found sha256 {sha256}, {bytes} bytes")?;
        let known = PublishedSet::NAMES.iter().map(|(_, set)| set.about());
        match known.into_iter().find(|set| set.files.iter().any(|known| known.sha256 == sha256)) {
            Some(set) => write!(f, ": a file of {}; is it in the wrong folder?", set.title),
            None => write!(f, "\n  = delete it and fetch it again, or name another folder with --data-dir"),
        }
    }
}

impl DataDir {
    /// The data directory: the one of the option, or else of the environment, of the experiment, or of the platform.
    ///
    /// # Errors
    /// [`SetError::Path`] if what was named is no path, [`SetError::NoFolder`] if nothing was and the platform has none.
    pub fn choose(option: Option<&Path>, experiment: Option<&Path>) -> Result<Self, SetError> {
        let platform = || {
            let strategy = etcetera::base_strategy::choose_native_strategy().ok()?;
            Some(strategy.data_dir().join(env!("CARGO_PKG_NAME")))
        };
        Self::first(option, std::env::var_os(VARIABLE), experiment, platform)
    }

    /// As [`DataDir::choose`]; an empty environment variable counts as none.
    fn first(
        option: Option<&Path>,
        variable: Option<OsString>,
        experiment: Option<&Path>,
        platform: impl FnOnce() -> Option<PathBuf>,
    ) -> Result<Self, SetError> {
        let variable = variable.filter(|name| !name.is_empty()).map(PathBuf::from);
        let named = option
            .map(|path| (path.to_path_buf(), Origin::Option))
            .or_else(|| variable.map(|path| (path, Origin::Environment)))
            .or_else(|| experiment.map(|path| (path.to_path_buf(), Origin::Experiment)))
            .or_else(|| platform().map(|path| (path, Origin::Platform)));
        let (path, origin) = named.ok_or(SetError::NoFolder)?;
        // It is written to the config of the run, which is a text.
        match std::path::absolute(&path) {
            Ok(whole) if whole.to_str().is_some() => Ok(Self { path: whole, origin }),
            _ => Err(SetError::Path { origin, path: path.display().to_string() }),
        }
    }

    /// The folder of a set: the data directory itself if the whole set is there, or else the folder of its name in it.
    #[must_use]
    pub fn folder_of(&self, set: &Published) -> PathBuf {
        let located = self.locate(set).ok();
        let folder = located.as_ref().and_then(|[first, ..]| first.parent()).map(Path::to_path_buf);
        folder.unwrap_or_else(|| self.path.join(set.name))
    }

    /// The files of a set, in the folder of its name or in the data directory itself, plain or else with `.gz`.
    ///
    /// # Errors
    /// [`SetError::Missing`]: neither folder has all four.
    pub fn locate(&self, set: &Published) -> Result<[PathBuf; 4], SetError> {
        let folders = [self.path.join(set.name), self.path.clone()];
        let mut best: Option<Missing> = None;
        for folder in folders {
            let found = set.files.map(|file| find(&folder, file.name));
            if let [Some(a), Some(b), Some(c), Some(d)] = found {
                return Ok([a, b, c, d]);
            }
            let files: Vec<_> = set
                .files
                .into_iter()
                .zip(&found)
                .filter(|(_, f)| f.is_none())
                .map(|(file, _)| file)
                .collect();
            if best.as_ref().is_none_or(|best| files.len() < best.files.len()) {
                best = Some(Missing { set: *set, directory: self.clone(), folder, files });
            }
        }
        Err(best.map_or(SetError::NoFolder, |missing| SetError::Missing(Box::new(missing))))
    }
}

/// How files get to where they belong without a download.
#[must_use]
pub fn by_hand(folder: &Path, files: &[PublishedFile]) -> String {
    let mut text = format!(
        "  = by hand: put these files into '{}', plain or with .gz (and the sha256 of their uncompressed content):",
        folder.display()
    );
    for file in files {
        text.push_str(&format!("\n      {:<23}  {}", file.name, file.sha256));
    }
    text
}

/// A file in `folder`, plain or else with `.gz`.
#[must_use]
pub fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    [folder.join(name), folder.join(format!("{name}.gz"))].into_iter().find(|path| path.is_file())
}

/// The content of a file, uncompressed, if it is what it should be.
///
/// # Errors
/// If it cannot be read or has another sum.
pub(super) fn read(path: &Path, wanted: &PublishedFile) -> Result<Vec<u8>, SetError> {
    // The size is the program's own: the file has no say in how much memory is taken.
    let mut content = Vec::with_capacity(wanted.bytes as usize);
    check(path, wanted, |bytes| {
        if (content.len() + bytes.len()) as u64 <= wanted.bytes {
            content.extend_from_slice(bytes);
        }
    })?;
    Ok(content)
}

/// Checks that a file, plain or gzip, has the right content, and hands that over piece by piece.
///
/// # Errors
/// If it cannot be read or has another sum.
pub fn check(path: &Path, wanted: &PublishedFile, each: impl FnMut(&[u8])) -> Result<(), SetError> {
    let unread = |source| SetError::Read { file: path.to_path_buf(), source };
    let mut file = BufReader::with_capacity(1 << 16, File::open(path).map_err(unread)?);
    let gzip = file.fill_buf().map_err(unread)?.starts_with(&[0x1f, 0x8b]);
    let (bytes, sha256) = if gzip {
        let damaged = |cause| SetError::Gzip { file: path.to_path_buf(), cause };
        sum(MultiGzDecoder::new(file), each).map_err(damaged)?
    } else {
        sum(file, each).map_err(unread)?
    };
    if sha256 == wanted.sha256 {
        return Ok(());
    }
    let file = path.to_path_buf();
    Err(SetError::Sum(Box::new(WrongSum { file, wanted: *wanted, bytes, sha256 })))
}

/// Number of bytes and their SHA-256.
fn sum(mut reader: impl Read, mut each: impl FnMut(&[u8])) -> io::Result<(u64, String)> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut total = 0;
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => {
                hash.update(&buffer[..n]);
                each(&buffer[..n]);
                total += n as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok((total, hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_wins_then_environment_experiment_and_platform() {
        let [a, b, c, d] = ["/a", "/b", "/c", "/d"].map(Path::new);
        let variable = |path: &Path| Some(path.as_os_str().to_owned());
        let platform = || Some(d.to_path_buf());
        let first = |option, variable, experiment| {
            DataDir::first(option, variable, experiment, platform).map(|dir| (dir.path, dir.origin)).ok()
        };
        assert_eq!(first(Some(a), variable(b), Some(c)), Some((a.into(), Origin::Option)));
        assert_eq!(first(None, variable(b), Some(c)), Some((b.into(), Origin::Environment)));
        assert_eq!(first(None, Some(OsString::new()), Some(c)), Some((c.into(), Origin::Experiment)));
        assert_eq!(first(None, None, None), Some((d.into(), Origin::Platform)));
        assert!(matches!(DataDir::first(None, None, None, || None), Err(SetError::NoFolder)));
        let empty = DataDir::first(Some(Path::new("")), None, None, || None);
        assert!(matches!(empty, Err(SetError::Path { origin: Origin::Option, .. })));
    }

    #[test]
    fn a_file_of_another_set_is_recognised() {
        let [mnist, fashion] = PublishedSet::NAMES.map(|(_, set)| set.about().files[1]);
        let (bytes, sha256) = (mnist.bytes, mnist.sha256.to_owned());
        let text = WrongSum { file: PathBuf::from("labels"), wanted: fashion, bytes, sha256 }.to_string();
        assert!(text.contains("a file of MNIST") && text.contains(fashion.sha256), "{text}");
    }

    #[test]
    fn sums_are_those_of_the_standard() {
        // FIPS 180-4, the example of one block; and the empty message.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let none = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(sum(&b"abc"[..], |_| ()).ok(), Some((3, abc.to_owned())));
        assert_eq!(sum(&b""[..], |_| ()).ok(), Some((0, none.to_owned())));
    }
}
