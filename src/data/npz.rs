//! Arrays in `.npz` files (zip archives of NumPy arrays): read into `f64`, written as `f64` or `f32`.
//!
//! Integers, booleans and floats of any width NumPy writes (but 16-bit floats) are read, little- or big-endian, C or Fortran
//! order, stored or compressed. What a file claims is checked against the bytes that it holds before memory is
//! taken for it.

mod error;

pub use error::NpzError;

use std::fs::File;
use std::io::{BufReader, BufWriter, Read};
use std::path::{Path, PathBuf};

use npyz::WriterBuilder;
use npyz::npz::{NpzArchive, NpzWriter, file_name_from_array_name};

use super::npy::{Element, Kind, NpyHead};
use crate::sinks::atomic;

/// An array of numbers, row-major.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Array {
    /// Length of each axis; empty for a single number.
    pub shape: Vec<usize>,
    /// Elements in C order.
    pub data: Vec<f64>,
}

/// An `.npz` file that is open for reading.
pub struct NpzFile {
    path: PathBuf,
    names: Vec<String>,
    archive: NpzArchive<BufReader<File>>,
}

impl NpzFile {
    /// Opens a file and lists its arrays.
    ///
    /// # Errors
    /// If it does not exist or is no zip archive.
    pub fn open(path: &Path) -> Result<Self, NpzError> {
        let file = File::open(path).map_err(|source| NpzError::Open { path: path.into(), source })?;
        let archive = NpzArchive::new(BufReader::new(file))
            .map_err(|source| NpzError::NotZip { path: path.into(), source })?;
        let mut names: Vec<String> = archive.array_names().map(str::to_owned).collect();
        names.sort();
        Ok(Self { path: path.into(), names, archive })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Names of the arrays, sorted.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether there is an array of this name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.names.iter().any(|n| n == name)
    }

    /// Reads an array.
    ///
    /// # Errors
    /// If there is none of this name, or it is damaged, or holds no numbers.
    pub fn read(&mut self, name: &str) -> Result<Array, NpzError> {
        self.read_typed(name).map(|(array, _)| array)
    }

    /// Reads an array and tells whether its elements are floating-point numbers in the file.
    ///
    /// # Errors
    /// As [`NpzFile::read`].
    pub fn read_typed(&mut self, name: &str) -> Result<(Array, bool), NpzError> {
        self.read_element(name).map(|(array, element)| (array, element.kind == Kind::Float))
    }

    /// Reads an array and tells how its elements stand in the file.
    ///
    /// # Errors
    /// As [`NpzFile::read`].
    pub fn read_element(&mut self, name: &str) -> Result<(Array, Element), NpzError> {
        let path = self.path.clone();
        let damaged = |source| NpzError::Damaged { path: path.clone(), name: name.into(), source };
        if !self.contains(name) {
            let have = self.names.join(", ");
            return Err(NpzError::Missing { path, name: name.into(), have });
        }
        let entry = self.archive.zip_archive().by_name(&file_name_from_array_name(name));
        let entry = entry.map_err(|source| damaged(std::io::Error::other(source)))?;
        // Deflated data grow at most so much.
        let most = entry.compressed_size().saturating_mul(1032).saturating_add(1032);
        numbers(entry, most, &path, name)
    }

    /// Tells how the elements of an array stand in the file, by its head alone.
    ///
    /// # Errors
    /// As [`NpzFile::read`].
    pub fn element(&mut self, name: &str) -> Result<Element, NpzError> {
        let path = self.path.clone();
        let damaged = |source| NpzError::Damaged { path: path.clone(), name: name.into(), source };
        if !self.contains(name) {
            let have = self.names.join(", ");
            return Err(NpzError::Missing { path, name: name.into(), have });
        }
        let entry = self.archive.zip_archive().by_name(&file_name_from_array_name(name));
        let entry = entry.map_err(|source| damaged(std::io::Error::other(source)))?;
        head(entry, &path, name).map(|(_, element)| element)
    }

    /// Reads an array whose shape is known, `None` standing for any length.
    ///
    /// # Errors
    /// As [`NpzFile::read`], and if the shape is another.
    pub fn read_shaped(&mut self, name: &str, want: &[Option<usize>]) -> Result<Array, NpzError> {
        let array = self.read(name)?;
        let fits = |(want, got): (&Option<usize>, &usize)| want.is_none_or(|w| w == *got);
        if array.shape.len() == want.len() && want.iter().zip(&array.shape).all(fits) {
            return Ok(array);
        }
        let words: Vec<String> =
            want.iter().map(|w| w.map_or_else(|| "?".to_owned(), |n| n.to_string())).collect();
        Err(NpzError::Shape {
            path: self.path.clone(),
            name: name.into(),
            want: format!("[{}]", words.join(", ")),
            got: array.shape,
        })
    }
}

/// Reads an `.npy` file (one NumPy array), and tells whether its elements are floating-point numbers there.
///
/// # Errors
/// If it does not exist, is damaged, or holds no numbers.
pub fn read_npy(path: &Path) -> Result<(Array, bool), NpzError> {
    read_npy_element(path).map(|(array, element)| (array, element.kind == Kind::Float))
}

/// Reads an `.npy` file and tells how its elements stand there.
///
/// # Errors
/// As [`read_npy`].
pub fn read_npy_element(path: &Path) -> Result<(Array, Element), NpzError> {
    let file = File::open(path).map_err(|source| NpzError::Open { path: path.into(), source })?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let most = file.metadata().map_or(u64::MAX, |about| about.len());
    numbers(BufReader::new(file), most, path, &name)
}

/// Tells how the elements of an `.npy` file stand there, by its head alone.
///
/// # Errors
/// As [`read_npy`].
pub fn npy_element(path: &Path) -> Result<Element, NpzError> {
    let file = File::open(path).map_err(|source| NpzError::Open { path: path.into(), source })?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    head(BufReader::new(file), path, &name).map(|(_, element)| element)
}

/// The head of an array.
fn head(mut entry: impl Read, path: &Path, name: &str) -> Result<(NpyHead, Element), NpzError> {
    let damaged = |source| NpzError::Damaged { path: path.into(), name: name.into(), source };
    let head = NpyHead::read(&mut entry).map_err(damaged)?;
    let element = head.element().ok_or_else(|| NpzError::Dtype {
        path: path.into(),
        name: name.into(),
        dtype: format!("'{}'", head.descr),
    })?;
    Ok((head, element))
}

/// The numbers of an array that is read from its head on.
fn numbers(mut entry: impl Read, most: u64, path: &Path, name: &str) -> Result<(Array, Element), NpzError> {
    let damaged = |source| NpzError::Damaged { path: path.into(), name: name.into(), source };
    let (head, element) = head(&mut entry, path, name)?;
    let short =
        |got| NpzError::Truncated { path: path.into(), name: name.into(), shape: head.shape.clone(), got };
    let shape: Option<Vec<usize>> = head.shape.iter().map(|&n| usize::try_from(n).ok()).collect();
    let bytes = shape
        .as_ref()
        .and_then(|shape| shape.iter().try_fold(element.width, |product, &n| product.checked_mul(n)));
    let (Some(shape), Some(bytes)) = (shape, bytes) else { return Err(short(0)) };
    let mut raw = Vec::new();
    // The capacity grows with what is there, not with what the head claims.
    entry.take(most.min(bytes as u64)).read_to_end(&mut raw).map_err(damaged)?;
    if raw.len() < bytes {
        return Err(short(raw.len()));
    }
    let mut data = Vec::new();
    data.try_reserve_exact(bytes / element.width).map_err(|error| damaged(std::io::Error::other(error)))?;
    element.extend(&raw, element.width, &mut data);
    let data = if head.fortran { to_c_order(&shape, &data) } else { data };
    Ok((Array { shape, data }, element))
}

/// Elements of a Fortran-ordered array in C order.
fn to_c_order(shape: &[usize], data: &[f64]) -> Vec<f64> {
    let strides: Vec<usize> = shape
        .iter()
        .scan(1, |next, &n| {
            let stride = *next;
            *next *= n;
            Some(stride)
        })
        .collect();
    let mut index = vec![0; shape.len()];
    let mut out = Vec::with_capacity(data.len());
    for _ in 0..data.len() {
        out.push(data[index.iter().zip(&strides).map(|(i, s)| i * s).sum::<usize>()]);
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            if index[axis] < shape[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
    out
}

/// An array to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry<'a> {
    /// Name in the file.
    pub name: String,
    /// Length of each axis.
    pub shape: Vec<usize>,
    /// Elements in C order.
    pub data: &'a [f64],
    /// Written as float32 in place of float64.
    pub single: bool,
}

/// Writes an `.npz` file, whole or not at all.
///
/// # Errors
/// If the directory cannot be written, or a shape does not match its elements.
pub fn write(path: &Path, entries: &[Entry]) -> Result<(), NpzError> {
    atomic::write_with(path, |file| write_to(file, entries))
        .map_err(|source| NpzError::Write { path: path.into(), source })
}

/// Weights hardly get smaller by compression, and the fastest level finds most of what there is in a fraction of the time. Arrays
/// over 4 GiB need the longer sizes of zip.
fn options(entry: &Entry) -> npyz::zip::write::FileOptions {
    let large = entry.data.len() as u64 * 8 >= 0xf000_0000;
    npyz::zip::write::FileOptions::default().compression_level(Some(1)).large_file(large)
}

fn write_to(file: &mut BufWriter<File>, entries: &[Entry]) -> std::io::Result<()> {
    let mut npz = NpzWriter::new(file);
    for e in entries {
        if e.shape.iter().product::<usize>() != e.data.len() {
            let what = format!("array '{}' has {} elements for shape {:?}", e.name, e.data.len(), e.shape);
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, what));
        }
        let shape: Vec<u64> = e.shape.iter().map(|&n| n as u64).collect();
        if e.single {
            let array = npz.array::<f32>(&e.name, options(e))?;
            let mut array = array.default_dtype().shape(&shape).begin_nd()?;
            array.extend(e.data.iter().map(|&v| v as f32))?;
            array.finish()?;
        } else {
            let array = npz.array::<f64>(&e.name, options(e))?;
            let mut array = array.default_dtype().shape(&shape).begin_nd()?;
            array.extend(e.data.iter().copied())?;
            array.finish()?;
        }
    }
    npz.zip_writer().finish()?;
    Ok(())
}
