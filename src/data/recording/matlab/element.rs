//! Data elements of a MATLAB file: a tag with type and size, then numbers, or elements again.

use std::io::Read;

use flate2::read::ZlibDecoder;

use super::super::numpy::RATIO;
use super::SMALL;
use crate::data::npy::{Element, Kind};
use crate::data::recording::stream::part;
use crate::data::recording::{RecordingError, Store};

/// Types of elements that hold others.
pub(super) const MATRIX: u32 = 14;
const COMPRESSED: u32 = 15;
/// Class of objects that only MATLAB reads.
const OPAQUE: u8 = 17;
/// Bytes at the start of a variable that hold its class, axes and name: 63 letters and 64 axes at most fit.
const HEAD: u64 = 1024;
/// What stands before the bytes of an element.
#[derive(Clone, Copy, Debug)]
pub struct Tag {
    pub kind: u32,
    /// Where its bytes begin, and how many there are.
    pub at: u64,
    pub size: u64,
    /// Where the next element begins.
    pub next: u64,
}

impl Tag {
    /// The tag at a byte; its element lies within the store.
    pub fn read(store: &mut Store, at: u64, big: bool) -> Result<Self, RecordingError> {
        let mut bytes = [0_u8; 8];
        let beyond = |store: &Store, what: String| Err(store.error(format!("byte {at}"), what));
        if at.checked_add(8).is_none_or(|end| end > store.len()) {
            return beyond(
                store,
                format!("an element is expected here, but the file ends at byte {}", store.len()),
            );
        }
        store.read_at(at, &mut bytes)?;
        let [a, b, c, d, rest @ ..] = bytes;
        let word = |bytes| if big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
        let (first, second) = (word([a, b, c, d]), word(rest));
        // Up to four bytes stand within the tag itself.
        let (kind, size, start) = match first >> 16 {
            0 => (first, second, at + 8),
            short @ 1..=4 => (first & 0xffff, short, at + 4),
            other => {
                return beyond(store, format!("an element of {other} bytes where at most 4 are possible"));
            }
        };
        let size = u64::from(size);
        let end = start + size;
        if end > store.len() {
            return beyond(
                store,
                format!("an element of {size} bytes, but the file ends at byte {}", store.len()),
            );
        }
        // Compressed elements are the only ones without padding.
        let next = match (start - at, kind) {
            (4, _) => at + 8,
            (_, COMPRESSED) => end,
            _ => end.next_multiple_of(8),
        };
        Ok(Self { kind, at: start, size, next })
    }
}

/// What a variable holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Cell,
    Text,
    /// Numbers, with the name of their class.
    Numeric(&'static str),
    Other(&'static str),
}

impl Class {
    fn of(number: u8) -> Self {
        match number {
            1 => Self::Cell,
            2 => Self::Other("struct"),
            3 => Self::Other("object"),
            4 => Self::Text,
            5 => Self::Other("sparse"),
            6 => Self::Numeric("double"),
            7 => Self::Numeric("single"),
            8 => Self::Numeric("int8"),
            9 => Self::Numeric("uint8"),
            10 => Self::Numeric("int16"),
            11 => Self::Numeric("uint16"),
            12 => Self::Numeric("int32"),
            13 => Self::Numeric("uint32"),
            14 => Self::Numeric("int64"),
            15 => Self::Numeric("uint64"),
            _ => Self::Other("of an unknown class"),
        }
    }
}

/// A variable, without its numbers.
#[derive(Clone, Debug)]
pub struct Matrix {
    pub name: String,
    pub class: Class,
    pub rows: u64,
    pub columns: u64,
    pub axes: usize,
    pub complex: bool,
    pub(super) big: bool,
    /// Where its elements stand, in the file or in what is compressed there.
    tag: Tag,
    packed: Option<Tag>,
    /// Where the elements behind class, axes and name begin.
    pub(super) body: u64,
}

/// Numbers of one type, one behind the other.
#[derive(Clone, Copy, Debug)]
pub struct Numbers {
    pub at: u64,
    pub size: u64,
    pub element: Element,
}

impl Matrix {
    /// The head of a variable; `None` for elements that are none.
    pub fn read(store: &mut Store, tag: &Tag, big: bool) -> Result<Option<Self>, RecordingError> {
        match tag.kind {
            MATRIX => Self::head(store, tag, None, big),
            COMPRESSED => {
                let bytes = inflate(store, tag, HEAD)?;
                let mut inner = Store::in_memory(store.path(), bytes);
                let start = word(&mut inner, 0, big)?;
                if start != MATRIX {
                    return Ok(None);
                }
                // Only the start is there, so that its own tag cannot be read as one that ends.
                let size = u64::from(word(&mut inner, 4, big)?);
                let whole = Tag { kind: start, at: 8, size, next: size.saturating_add(8) };
                let within = |error| at_variable(store, tag, error);
                Self::head(&mut inner, &whole, Some(*tag), big).map_err(within)
            }
            _ => Ok(None),
        }
    }

    pub(super) fn head(
        store: &mut Store,
        tag: &Tag,
        packed: Option<Tag>,
        big: bool,
    ) -> Result<Option<Self>, RecordingError> {
        let flags = Tag::read(store, tag.at, big)?;
        if flags.size < 4 {
            return Err(store.error(format!("byte {}", tag.at), "a variable without a class"));
        }
        let flag = word(store, flags.at, big)?;
        // Opaque objects (string, table, datetime) have neither axes nor a name here, and no numbers.
        if flag as u8 == OPAQUE {
            return Ok(None);
        }
        let axes = Tag::read(store, flags.next, big)?;
        let many = axes.size / 4;
        if !(2..=64).contains(&many) {
            let what = format!("a variable with {many} axes; 2 to 64 are possible");
            return Err(store.error(format!("byte {}", flags.next), what));
        }
        let rows = word(store, axes.at, big)?;
        let columns = word(store, axes.at + 4, big)?;
        let name = Tag::read(store, axes.next, big)?;
        let mut letters = vec![0; name.size.min(256) as usize];
        store.read_at(name.at, &mut letters)?;
        Ok(Some(Self {
            name: String::from_utf8_lossy(&letters).trim_end_matches('\0').to_owned(),
            class: Class::of(flag as u8),
            rows: rows.into(),
            columns: columns.into(),
            axes: many as usize,
            complex: flag & 0x800 != 0,
            big,
            tag: *tag,
            packed,
            body: name.next,
        }))
    }

    /// Name, shape and class, for people.
    pub fn about(&self) -> String {
        let (Class::Numeric(class) | Class::Other(class)) = self.class else {
            let class = if self.class == Class::Cell { "cell" } else { "char" };
            return format!("{} {}×{} {class}", self.name, self.rows, self.columns);
        };
        let more = if self.axes > 2 { "×…" } else { "" };
        format!("{} {}×{}{more} {class}", self.name, self.rows, self.columns)
    }

    /// What its places count in, where that is not the file: what is compressed there.
    pub(super) fn unpacked(&self, store: &mut Store, most: u64) -> Result<Option<Store>, RecordingError> {
        let Some(packed) = &self.packed else { return Ok(None) };
        let wrong = |store: &Store, what: String| Err(store.error(format!("variable '{}'", self.name), what));
        let need = self.tag.size.saturating_add(8);
        if need > packed.size.saturating_mul(RATIO) {
            return wrong(
                store,
                format!("claims {need} bytes, which {} compressed ones cannot hold", packed.size),
            );
        }
        if need > most {
            let help = "save it with '-v6' (not compressed), and it is read in pieces";
            let what = format!("{need} bytes are too many to be held in memory (at most {most}); {help}");
            return wrong(store, what);
        }
        let bytes = inflate(store, packed, need)?;
        if (bytes.len() as u64) < need {
            return wrong(store, format!("claims {need} bytes, but only {} are there", bytes.len()));
        }
        Ok(Some(Store::in_memory(store.path(), bytes)))
    }

    /// Its numbers (the real part), and what their place counts in, where that is not the file.
    pub fn numbers(&self, file: &mut Store, most: u64) -> Result<(Option<Store>, Numbers), RecordingError> {
        let mut own = self.unpacked(file, most)?;
        let tag = Tag::read(own.as_mut().unwrap_or(file), self.body, self.big)?;
        match of_numbers(tag.kind, self.big) {
            Some(element) => Ok((own, Numbers { at: tag.at, size: tag.size, element })),
            None => {
                let what = format!("its elements are of type {}, which is no number", tag.kind);
                Err(file.error(format!("variable '{}'", self.name), what))
            }
        }
    }

    /// The first of its numbers.
    pub fn single(&self, file: &mut Store) -> Result<f64, RecordingError> {
        let (mut own, numbers) = self.numbers(file, SMALL)?;
        let mut bytes = [0; 8];
        let width = numbers.element.width;
        if numbers.size < width as u64 {
            return Err(file.error(format!("variable '{}'", self.name), "it is empty"));
        }
        own.as_mut().unwrap_or(file).read_at(numbers.at, &mut bytes[..width])?;
        Ok(numbers.element.number(&bytes))
    }
}

/// A number of 32 bits.
fn word(store: &mut Store, at: u64, big: bool) -> Result<u32, RecordingError> {
    let mut bytes = [0; 4];
    if at.checked_add(4).is_none_or(|end| end > store.len()) {
        let what = format!("a number is expected here, but the file ends at byte {}", store.len());
        return Err(store.error(format!("byte {at}"), what));
    }
    store.read_at(at, &mut bytes)?;
    Ok(if big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
}

/// The first bytes, at most `most`, of what is compressed in an element.
fn inflate(store: &mut Store, tag: &Tag, most: u64) -> Result<Vec<u8>, RecordingError> {
    let mut out = Vec::new();
    let packed = part(store, tag.at, tag.size);
    let done = ZlibDecoder::new(packed).take(most).read_to_end(&mut out);
    match done {
        Ok(_) => Ok(out),
        Err(e) => Err(store.error(format!("byte {}", tag.at), format!("compressed bytes are damaged: {e}"))),
    }
}

/// An error within compressed bytes, placed where these begin in the file.
fn at_variable(store: &Store, tag: &Tag, error: RecordingError) -> RecordingError {
    match error {
        RecordingError::Format { place, what, .. } => {
            store.error(format!("byte {}, uncompressed {place}", tag.at), what)
        }
        other => other,
    }
}

/// How numbers of a type stand in the file.
fn of_numbers(kind: u32, big: bool) -> Option<Element> {
    let (kind, width) = match kind {
        1 => (Kind::Int, 1),
        2 => (Kind::Uint, 1),
        3 => (Kind::Int, 2),
        4 => (Kind::Uint, 2),
        5 => (Kind::Int, 4),
        6 => (Kind::Uint, 4),
        7 => (Kind::Float, 4),
        9 => (Kind::Float, 8),
        12 => (Kind::Int, 8),
        13 => (Kind::Uint, 8),
        _ => return None,
    };
    Element::new(kind, width, big)
}
