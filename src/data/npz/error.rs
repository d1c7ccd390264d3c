//! What can be wrong with an `.npz` file.

use std::path::PathBuf;

/// Why a file or an array in it cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum NpzError {
    /// The file cannot be opened.
    #[error("{path}: cannot be opened: {source}", path = path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Not a zip archive, or a damaged one.
    #[error("{path}: is not an .npz file (a zip archive of arrays), or is damaged: {source}", path = path.display())]
    NotZip {
        /// The file.
        path: PathBuf,
        /// What the archive reader says.
        source: std::io::Error,
    },
    /// No such array.
    #[error("{path}: holds no array '{name}'; it has: {have}", path = path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// The array.
        name: String,
        /// What there is.
        have: String,
    },
    /// Another shape than the one that is needed.
    #[error("{path}: array '{name}' has shape {got:?}, expected {want}", path = path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// The array.
        name: String,
        /// Shape that is needed, `?` for any length.
        want: String,
        /// Shape in the file.
        got: Vec<usize>,
    },
    /// Elements that are no real numbers.
    #[error(
        "{path}: array '{name}' has elements of type {dtype}, which are not read as numbers; save it as float64 or float32",
        path = path.display()
    )]
    Dtype {
        /// The file.
        path: PathBuf,
        /// The array.
        name: String,
        /// Type in the file, as NumPy writes it.
        dtype: String,
    },
    /// Fewer bytes than the shape needs.
    #[error("{path}: array '{name}' of shape {shape:?} is cut off after {got} bytes", path = path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// The array.
        name: String,
        /// Shape in the file.
        shape: Vec<u64>,
        /// Bytes of data found.
        got: usize,
    },
    /// Damaged, or no array at all.
    #[error("{path}: array '{name}' cannot be read: {source}", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The array.
        name: String,
        /// What the reader says.
        source: std::io::Error,
    },
    /// The file cannot be written.
    #[error("{path}: cannot be written: {source}", path = path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}
