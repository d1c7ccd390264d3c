//! Where prepared rows go: memory, or a temporary file without a name.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::{Format, Series, SeriesError};

/// Bytes that go to the file at once.
const BUFFER: usize = 1 << 20;

/// Rows on their way.
pub(super) enum Sink {
    Memory(Vec<u8>),
    File { writer: BufWriter<File>, folder: PathBuf, needs: f64 },
}

impl Sink {
    /// For `bytes` bytes; a temporary file in `folder`, or that of the system, if `spool`.
    ///
    /// # Errors
    /// If the file cannot be made.
    pub fn new(bytes: usize, spool: bool, folder: Option<&Path>) -> Result<Self, SeriesError> {
        if !spool {
            return Ok(Self::Memory(Vec::with_capacity(bytes)));
        }
        let needs = (bytes as f64 / 1e6).ceil();
        let folder = folder.map_or_else(std::env::temp_dir, Path::to_path_buf);
        match tempfile::tempfile_in(&folder) {
            Ok(file) => Ok(Self::File { writer: BufWriter::with_capacity(BUFFER, file), folder, needs }),
            Err(error) => Err(SeriesError::Spool { folder, error, needs }),
        }
    }

    /// Takes bytes.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), SeriesError> {
        match self {
            Self::Memory(all) => all.extend_from_slice(bytes),
            Self::File { writer, folder, needs } => writer
                .write_all(bytes)
                .map_err(|error| SeriesError::Spool { folder: folder.clone(), error, needs: *needs })?,
        }
        Ok(())
    }

    /// The series of all that was written: `rows` rows.
    ///
    /// # Errors
    /// If the file cannot be written, or there are not so many rows.
    pub fn series(
        self,
        path: &Path,
        names: Vec<String>,
        step_ms: f64,
        (rows, format): (usize, Format),
        scale: (Vec<f64>, Vec<f64>),
    ) -> Result<Series, SeriesError> {
        match self {
            Self::Memory(bytes) => {
                Series::in_memory(names, step_ms, format, scale, bytes).map_err(|expected| {
                    let what = format!("{rows} rows were to become {expected} bytes");
                    SeriesError::Channels { path: path.to_path_buf(), what }
                })
            }
            Self::File { writer, folder, needs } => {
                let file = writer.into_inner().map_err(|error| SeriesError::Spool {
                    folder,
                    error: error.into_error(),
                    needs,
                })?;
                Ok(Series::in_file(names, step_ms, rows, format, scale, file))
            }
        }
    }
}
