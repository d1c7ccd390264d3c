//! IDX files, the format of MNIST: images (magic 2051) and labels (magic 2049), plain or gzip.
//!
//! A file is a big-endian magic number (`00 00 08 d`: unsigned bytes in `d` dimensions), one big-endian `u32` a
//! dimension, and the bytes themselves. Gzip is recognised by its first two bytes, not by the name of the file.

use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

/// Magic number of images: unsigned bytes in three dimensions.
const IMAGES: u32 = 2051;
/// Magic number of labels: unsigned bytes in one dimension.
const LABELS: u32 = 2049;
/// Deflate cannot shrink data by more than this factor (258 bytes in two bits).
const DEFLATE_LIMIT: u64 = 1032;

/// Images of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    /// Number of images, at least 1.
    pub count: usize,
    /// Height of an image in pixels.
    pub rows: usize,
    /// Width of an image in pixels.
    pub cols: usize,
    /// `[count, rows, cols]` row-major, 0 to 255.
    pub pixels: Vec<u8>,
}

/// Why an IDX file cannot be used. Each message names the file.
#[derive(Debug, thiserror::Error)]
pub enum IdxError {
    /// There is no such file.
    #[error("{}: no such file; check the path, or use the embedded subset", file.display())]
    Missing {
        /// Path that was asked for.
        file: PathBuf,
    },
    /// A folder lacks one of the four MNIST files.
    #[error("{}: neither {name} nor {name}.gz is in this folder; it has to hold the four MNIST files", folder.display())]
    NotInFolder {
        /// Folder that was searched.
        folder: PathBuf,
        /// Official name of the file.
        name: &'static str,
    },
    /// The file is there and cannot be read.
    #[error("{}: cannot be read: {source}", file.display())]
    Read {
        /// Path that was asked for.
        file: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Decompression failed.
    #[error("{file}: corrupt or incomplete gzip ({cause}); fetch it again")]
    Gzip {
        /// Name of the file.
        file: String,
        /// What the decoder said.
        cause: std::io::Error,
    },
    /// Not the kind of file that was asked for.
    #[error("{file}: the magic number is {found}, expected {expected}{hint}")]
    Magic {
        /// Name of the file.
        file: String,
        /// 2051 for images, 2049 for labels.
        expected: u32,
        /// What the file begins with.
        found: u32,
        /// What may have happened.
        hint: &'static str,
    },
    /// The file ends too early.
    #[error("{file}: truncated: expected {expected} bytes (uncompressed), got {found}; fetch it again")]
    Truncated {
        /// Name of the file.
        file: String,
        /// Header and data, as the header announces them.
        expected: u64,
        /// What is there.
        found: u64,
    },
    /// The file goes on after its data.
    #[error("{file}: there are bytes after the {expected} (uncompressed) that its header announces")]
    Trailing {
        /// Name of the file.
        file: String,
        /// Header and data, as the header announces them.
        expected: u64,
    },
    /// The dimensions in the header cannot be true.
    #[error("{file}: its header announces {dims:?} items, more than this file can hold; it is damaged")]
    TooLarge {
        /// Name of the file.
        file: String,
        /// Dimensions in the header.
        dims: Vec<u32>,
    },
    /// A dimension is zero.
    #[error("{file}: no data: its header announces {dims:?} items")]
    Empty {
        /// Name of the file.
        file: String,
        /// Dimensions in the header.
        dims: Vec<u32>,
    },
}

/// Reads the images of `path`, plain or gzip.
///
/// # Errors
/// See [`IdxError`].
pub fn read_images(path: &Path) -> Result<Images, IdxError> {
    parse_images(&path.display().to_string(), &read(path)?)
}

/// Reads the labels of `path`, plain or gzip.
///
/// # Errors
/// See [`IdxError`].
pub fn read_labels(path: &Path) -> Result<Vec<u8>, IdxError> {
    parse_labels(&path.display().to_string(), &read(path)?)
}

/// Images from the bytes of a file, plain or gzip; `file` names it in errors.
///
/// # Errors
/// See [`IdxError`].
pub fn parse_images(file: &str, bytes: &[u8]) -> Result<Images, IdxError> {
    let ([count, rows, cols], pixels) = parse::<3>(file, bytes, IMAGES)?;
    Ok(Images { count: count as usize, rows: rows as usize, cols: cols as usize, pixels })
}

/// Labels from the bytes of a file, plain or gzip; `file` names it in errors.
///
/// # Errors
/// See [`IdxError`].
pub fn parse_labels(file: &str, bytes: &[u8]) -> Result<Vec<u8>, IdxError> {
    parse::<1>(file, bytes, LABELS).map(|(_, labels)| labels)
}

/// Bytes of an uncompressed IDX file with `pixels`, `[count, rows, cols]` row-major; `None` if the lengths do not fit.
#[must_use]
pub fn encode_images(rows: u32, cols: u32, pixels: &[u8]) -> Option<Vec<u8>> {
    let each =
        (rows as usize).checked_mul(cols as usize).filter(|&n| n > 0 && pixels.len().is_multiple_of(n))?;
    let count = u32::try_from(pixels.len() / each).ok()?;
    let header = [IMAGES, count, rows, cols].map(u32::to_be_bytes);
    Some([header.as_flattened(), pixels].concat())
}

/// Bytes of an uncompressed IDX file with `labels`; `None` if there are 2³² or more.
#[must_use]
pub fn encode_labels(labels: &[u8]) -> Option<Vec<u8>> {
    let header = [LABELS, u32::try_from(labels.len()).ok()?].map(u32::to_be_bytes);
    Some([header.as_flattened(), labels].concat())
}

/// The whole file as it lies on disk.
fn read(path: &Path) -> Result<Vec<u8>, IdxError> {
    let file = path.to_path_buf();
    std::fs::read(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => IdxError::Missing { file },
        _ => IdxError::Read { file, source },
    })
}

/// Dimensions and data of a file with `D` dimensions.
fn parse<const D: usize>(file: &str, bytes: &[u8], magic: u32) -> Result<([u32; D], Vec<u8>), IdxError> {
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let most = (bytes.len() as u64).saturating_mul(DEFLATE_LIMIT);
        decode(file, MultiGzDecoder::new(bytes), magic, most)
    } else {
        decode(file, bytes, magic, u64::MAX)
    }
}

/// As [`parse`], from a reader of the uncompressed bytes, which cannot be more than `most`.
fn decode<const D: usize>(
    file: &str,
    mut reader: impl Read,
    magic: u32,
    most: u64,
) -> Result<([u32; D], Vec<u8>), IdxError> {
    let name = || file.to_owned();
    let header_len = 4 + 4 * D as u64;
    let words = take(file, &mut reader, header_len)?;
    let word = |i: usize| -> Option<u32> { Some(u32::from_be_bytes(*words.get(4 * i..)?.first_chunk()?)) };
    if let Some(found) = word(0).filter(|&found| found != magic) {
        return Err(IdxError::Magic { file: name(), expected: magic, found, hint: hint(magic, found) });
    }
    if (words.len() as u64) < header_len {
        return Err(IdxError::Truncated { file: name(), expected: header_len, found: words.len() as u64 });
    }
    let dims: [u32; D] = std::array::from_fn(|i| word(i + 1).unwrap_or_default());
    if dims.contains(&0) {
        return Err(IdxError::Empty { file: name(), dims: dims.to_vec() });
    }
    // Memory is taken as bytes arrive, never by what the header says; this spares the decoder a hopeless start.
    let len = dims.iter().try_fold(1_u64, |n, &d| n.checked_mul(u64::from(d)));
    let Some(len) = len.filter(|&n| n <= most) else {
        return Err(IdxError::TooLarge { file: name(), dims: dims.to_vec() });
    };
    let data = take(file, &mut reader, len)?;
    let expected = header_len.saturating_add(len);
    if (data.len() as u64) < len {
        return Err(IdxError::Truncated { file: name(), expected, found: header_len + data.len() as u64 });
    }
    // Reading past the end also makes the decoder compare its checksum.
    if !take(file, &mut reader, 1)?.is_empty() {
        return Err(IdxError::Trailing { file: name(), expected });
    }
    Ok((dims, data))
}

/// At most `n` bytes; fewer at the end.
fn take(file: &str, reader: &mut impl Read, n: u64) -> Result<Vec<u8>, IdxError> {
    let mut bytes = Vec::new();
    match reader.take(n).read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        Err(cause) => Err(IdxError::Gzip { file: file.to_owned(), cause }),
    }
}

/// What a wrong magic number suggests.
fn hint(expected: u32, found: u32) -> &'static str {
    match (expected, found) {
        (IMAGES, LABELS) => ": these are labels; are images and labels swapped?",
        (LABELS, IMAGES) => ": these are images; are images and labels swapped?",
        (_, 0x0800..=0x0eff) => ": an IDX file of another type or number of dimensions",
        _ => ": not an IDX file",
    }
}
