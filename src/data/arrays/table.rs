//! Arrays as tables of samples.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::ArrayError;
use crate::data::Encoding;
use crate::data::npy::{Element, Kind};
use crate::data::npz::{Array, NpzError, NpzFile, npy_element, read_npy_element};

/// Samples of an array, `[samples, width]` row-major; all finite.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Where it came from.
    pub path: PathBuf,
    /// Shape in the file; the axes after the first are flattened.
    pub shape: Vec<usize>,
    /// Values of a sample.
    pub width: usize,
    /// The values as they stand in the file.
    pub data: Vec<f64>,
    /// They are bytes (uint8) there.
    pub bytes: bool,
}

/// What an array is for: the word for its values and for one of them, and the names that it has in an archive.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub what: &'static str,
    pub each: &'static str,
    pub test: bool,
}

impl Part {
    /// Names in an archive, the best first: `test_inputs`, `inputs`.
    fn names(self) -> Vec<String> {
        let own = if self.test { "test" } else { "train" };
        let (with, bare) = (format!("{own}_{}", self.what), self.what.to_owned());
        if self.test { vec![with, bare] } else { vec![bare, with] }
    }
}

/// Whether this is an archive with an array of that name.
pub(super) fn archive_has(path: &Path, part: Part) -> Result<bool, ArrayError> {
    Ok(is_archive(path)? && {
        let file = NpzFile::open(path)?;
        part.names().iter().any(|name| file.contains(name))
    })
}

/// Checks that test samples are not the training samples once more: another file, or another array of an archive.
pub(super) fn other(train: &Path, test: &Path, what: &'static str) -> Result<(), ArrayError> {
    let same = match (train.canonicalize(), test.canonicalize()) {
        (Ok(train), Ok(test)) => train == test,
        _ => train == test,
    };
    if !same || is_archive(test)? && NpzFile::open(test)?.contains(&format!("test_{what}")) {
        return Ok(());
    }
    Err(ArrayError::Same { path: test.into(), what })
}

fn is_archive(path: &Path) -> Result<bool, ArrayError> {
    let open = |source| ArrayError::Numpy(NpzError::Open { path: path.into(), source });
    let mut magic = Vec::new();
    std::fs::File::open(path).map_err(open)?.take(2).read_to_end(&mut magic).map_err(open)?;
    Ok(magic == b"PK")
}

/// Reads an array from a `.npy`, or from a `.npz` by its name there or as the only one.
fn read(path: &Path, part: Part) -> Result<(Array, Element), ArrayError> {
    if !is_archive(path)? {
        return Ok(read_npy_element(path)?);
    }
    let (mut file, name) = found(path, part)?;
    Ok(file.read_element(&name)?)
}

/// How the numbers of an array stand in its file, by the head alone.
pub(super) fn element(path: &Path, part: Part) -> Result<Element, ArrayError> {
    if !is_archive(path)? {
        return Ok(npy_element(path)?);
    }
    let (mut file, name) = found(path, part)?;
    Ok(file.element(&name)?)
}

/// Whether numbers that stand so are bytes of brightness.
pub(super) fn is_bytes(element: Element) -> bool {
    element.kind == Kind::Uint && element.width == 1
}

/// An archive, and the name of the array in it that is meant.
fn found(path: &Path, part: Part) -> Result<(NpzFile, String), ArrayError> {
    let file = NpzFile::open(path)?;
    let names = part.names();
    let found = names.iter().find(|name| file.contains(name)).cloned();
    let only = || if let [one] = file.names() { Some(one.clone()) } else { None };
    let Some(name) = found.or_else(only) else {
        let have = file.names().join(", ");
        return Err(ArrayError::WhichArray { path: path.into(), what: part.what, names, have });
    };
    Ok((file, name))
}

impl Table {
    /// Reads samples: `[samples, …]`, or `[samples]` of one value each.
    pub(super) fn open(path: &Path, part: Part) -> Result<Self, ArrayError> {
        let (Array { shape, data }, element) = read(path, part)?;
        let width = shape.iter().skip(1).product::<usize>();
        if shape.is_empty() || data.is_empty() {
            let want = format!("[samples] or [samples, {}s…], none of them 0", part.each);
            return Err(ArrayError::Shape { path: path.into(), what: part.what, found: shape, want });
        }
        if u32::try_from(shape[0]).is_err() {
            return Err(ArrayError::Samples { path: path.into(), samples: shape[0] });
        }
        // In single precision, as the network takes them.
        if let Some(at) = data.iter().position(|&v| !(v as f32).is_finite()) {
            let (sample, feature, value) = (at / width, at % width, data[at]);
            let (path, what) = (path.to_path_buf(), part.each);
            return Err(ArrayError::Value { path, sample, what, feature, value });
        }
        let bytes = is_bytes(element);
        Ok(Self { path: path.into(), shape, width, data, bytes })
    }

    /// Number of samples.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.shape[0]
    }

    /// Checks that a sample has a value for each of the `neurons` of a population.
    pub(super) fn check(
        &self,
        what: &'static str,
        population: &'static str,
        neurons: usize,
    ) -> Result<(), ArrayError> {
        if self.width == neurons {
            return Ok(());
        }
        let (path, found, width) = (self.path.clone(), self.shape.clone(), self.width);
        Err(ArrayError::Width { path, what, found, width, population, neurons })
    }

    /// Bytes as voltages of brightness; all other numbers as they are.
    pub(super) fn decode(&mut self, encoding: Encoding) {
        if self.bytes {
            let table = encoding.pixel_table();
            self.data.iter_mut().for_each(|v| *v = table[usize::from(*v as u8)]);
        }
    }

    /// A sample.
    pub(super) fn row(&self, i: usize) -> &[f64] {
        &self.data[i * self.width..(i + 1) * self.width]
    }
}

/// Reads classes: `[samples]` or `[samples, 1]` whole numbers below `n_out`, 256 at most.
pub(super) fn labels(path: &Path, part: Part, n_out: usize) -> Result<Vec<u8>, ArrayError> {
    let table = Table::open(path, part)?;
    if table.width != 1 {
        let want = "[samples]: one class each".to_owned();
        return Err(ArrayError::Shape { path: path.into(), what: part.what, found: table.shape, want });
    }
    let last = n_out.clamp(1, 256) - 1;
    let class = |v: f64| (v.fract() == 0.0 && (0.0..=last as f64).contains(&v)).then_some(v as u8);
    let all = table.data.iter().enumerate();
    all.map(|(sample, &value)| {
        class(value).ok_or_else(|| ArrayError::Label { path: path.into(), sample, value, last })
    })
    .collect()
}
