//! The head of a NumPy array in a file, and the numbers behind it.
//!
//! Format: `\x93NUMPY`, two bytes of version, the length of the text that follows (16 bits in version 1, 32 after), and a Python
//! dictionary with `descr`, `fortran_order` and `shape`, padded with blanks (NumPy enhancement proposal 1).

use std::io::{Error, ErrorKind, Read, Result};

/// Text of a head that is read at most; NumPy writes 54 to a few hundred bytes for arrays of numbers or strings.
const MOST: usize = 1 << 16;
/// Bytes of a head at most, with what stands before its text.
pub const MOST_HEAD: usize = MOST + 12;
/// Axes of an array that are read at most: NumPy's own limit.
const AXES: usize = 64;

/// What a number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// IEEE floating point.
    Float,
    /// Signed integer, two's complement.
    Int,
    /// Unsigned integer.
    Uint,
    /// 0 is false, all else is true.
    Bool,
}

/// How numbers stand in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element {
    /// What they are.
    pub kind: Kind,
    /// Bytes of each: 1, 2, 4 or 8.
    pub width: usize,
    /// Most significant byte first.
    pub big: bool,
}

impl Element {
    /// Numbers of this kind and width, where they are read here.
    #[must_use]
    pub fn new(kind: Kind, width: usize, big: bool) -> Option<Self> {
        let known = match kind {
            Kind::Float => matches!(width, 4 | 8),
            Kind::Int | Kind::Uint => matches!(width, 1 | 2 | 4 | 8),
            Kind::Bool => width == 1,
        };
        known.then_some(Self { kind, width, big })
    }

    /// NumPy's name of the type: `uint8`, `float32`.
    #[must_use]
    pub fn name(self) -> String {
        let kind = match self.kind {
            Kind::Float => "float",
            Kind::Int => "int",
            Kind::Uint => "uint",
            Kind::Bool => return "bool".into(),
        };
        format!("{kind}{}", 8 * self.width)
    }

    /// From NumPy's word for it (`<f4`, `>i2`, `|b1`, …).
    #[must_use]
    pub fn of_numpy(descr: &str) -> Option<Self> {
        let mut letters = descr.chars();
        let (order, kind) = (letters.next()?, letters.next()?);
        let big = match order {
            '>' => true,
            '=' => cfg!(target_endian = "big"),
            '<' | '|' => false,
            _ => return None,
        };
        let kind = match kind {
            'f' => Kind::Float,
            'i' => Kind::Int,
            'u' => Kind::Uint,
            'b' => Kind::Bool,
            _ => return None,
        };
        Self::new(kind, letters.as_str().parse().ok()?, big)
    }

    /// One number from its bytes; missing ones count as 0.
    #[must_use]
    pub fn number(self, bytes: &[u8]) -> f64 {
        let mut word = [0_u8; 8];
        for (i, &b) in bytes.iter().take(self.width).enumerate() {
            word[if self.big { self.width - 1 - i } else { i }] = b;
        }
        let word = u64::from_le_bytes(word);
        let unused = 64 - 8 * self.width as u32;
        match (self.kind, self.width) {
            (Kind::Float, 4) => f64::from(f32::from_bits(word as u32)),
            (Kind::Float, _) => f64::from_bits(word),
            (Kind::Int, _) => ((word << unused) as i64 >> unused) as f64,
            (Kind::Uint, _) => word as f64,
            (Kind::Bool, _) => f64::from(u8::from(word != 0)),
        }
    }

    /// Appends the numbers that begin every `stride` bytes; `stride` is at least the width.
    pub fn extend(self, bytes: &[u8], stride: usize, out: &mut Vec<f64>) {
        let stride = stride.max(self.width);
        // The widths that recordings use, each as a loop that the compiler can unroll.
        macro_rules! each {
            ($type:ty, $from:ident) => {
                out.extend(bytes.chunks(stride).filter_map(|b| {
                    b.first_chunk().map(|&b: &[u8; size_of::<$type>()]| f64::from(<$type>::$from(b)))
                }))
            };
        }
        match (self.kind, self.width, self.big) {
            (Kind::Float, 4, false) => each!(f32, from_le_bytes),
            (Kind::Float, 4, true) => each!(f32, from_be_bytes),
            (Kind::Float, 8, false) => each!(f64, from_le_bytes),
            (Kind::Float, 8, true) => each!(f64, from_be_bytes),
            (Kind::Int, 2, false) => each!(i16, from_le_bytes),
            (Kind::Int, 2, true) => each!(i16, from_be_bytes),
            _ => {
                let whole = bytes.chunks(stride).filter(|b| b.len() >= self.width);
                out.extend(whole.map(|b| self.number(b)));
            }
        }
    }
}

/// The head of an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NpyHead {
    /// NumPy's word for the elements: `<f8`, `<U5`; the text of the list where they have fields.
    pub descr: String,
    /// The first axis varies fastest.
    pub fortran: bool,
    /// Length of each axis; empty for a single number.
    pub shape: Vec<u64>,
    /// Bytes from the start of the array to its first element.
    pub length: u64,
}

impl NpyHead {
    /// Reads the head; the reader then stands at the first element.
    ///
    /// # Errors
    /// If this is no NumPy array, or one of a version that is not known, or the reader fails.
    pub fn read(reader: &mut impl Read) -> Result<Self> {
        let mut start = [0_u8; 8];
        reader.read_exact(&mut start).map_err(|e| ended(e, "the first 8 bytes"))?;
        if &start[..6] != b"\x93NUMPY" {
            return Err(wrong("does not begin with \\x93NUMPY: no NumPy array"));
        }
        let (before, size) = match start[6..] {
            [1, 0] => {
                let mut length = [0_u8; 2];
                reader.read_exact(&mut length).map_err(|e| ended(e, "its length"))?;
                (10, usize::from(u16::from_le_bytes(length)))
            }
            [2 | 3, 0] => {
                let mut length = [0_u8; 4];
                reader.read_exact(&mut length).map_err(|e| ended(e, "its length"))?;
                (12, u32::from_le_bytes(length) as usize)
            }
            [major, minor] => {
                return Err(wrong(format!("version {major}.{minor} of the format is not known")));
            }
            _ => return Err(wrong("no version")),
        };
        if size > MOST {
            return Err(wrong(format!("the head claims {size} bytes; at most {MOST} are read")));
        }
        let mut text = vec![0; size];
        reader.read_exact(&mut text).map_err(|e| ended(e, format!("the {size} bytes that it claims")))?;
        let text = std::str::from_utf8(&text).map_err(|_| wrong("the head is no text"))?;
        let mut literal = Literal { text, at: 0 };
        literal.head(before + size as u64)
    }

    /// How its numbers stand in the file; `None` if they are none, or 16-bit, complex or longer ones.
    #[must_use]
    pub fn element(&self) -> Option<Element> {
        Element::of_numpy(&self.descr)
    }

    /// Number of elements; `None` beyond what 64 bits count.
    #[must_use]
    pub fn count(&self) -> Option<u64> {
        self.shape.iter().try_fold(1_u64, |product, &n| product.checked_mul(n))
    }
}

fn wrong(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidData, what.into())
}

fn ended(error: Error, what: impl std::fmt::Display) -> Error {
    if error.kind() == ErrorKind::UnexpectedEof {
        wrong(format!("the head ends before {what}"))
    } else {
        error
    }
}

/// A Python literal that is being read.
struct Literal<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Literal<'a> {
    fn head(&mut self, length: u64) -> Result<NpyHead> {
        let (mut descr, mut fortran, mut shape) = (None, None, None);
        self.expect('{')?;
        while !self.take('}') {
            let key = self.string()?;
            self.expect(':')?;
            match key {
                "descr" if self.peek() == Some('[') => descr = Some(self.brackets()?),
                "descr" => descr = Some(self.string()?),
                "fortran_order" => fortran = Some(self.boolean()?),
                "shape" => shape = Some(self.tuple()?),
                _ => return Err(wrong(format!("the head has an unknown key '{}'", short(key)))),
            }
            if !self.take(',') && self.peek() != Some('}') {
                return Err(self.unexpected("',' or '}'"));
            }
        }
        if !self.rest().is_empty() {
            return Err(self.unexpected("the end"));
        }
        match (descr, fortran, shape) {
            (Some(descr), Some(fortran), Some(shape)) => {
                Ok(NpyHead { descr: descr.to_owned(), fortran, shape, length })
            }
            _ => Err(wrong("the head lacks 'descr', 'fortran_order' or 'shape'")),
        }
    }

    /// What is left, without blanks before it.
    fn rest(&mut self) -> &'a str {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let trimmed = rest.trim_start();
        self.at += rest.len() - trimmed.len();
        trimmed
    }

    fn peek(&mut self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take(&mut self, c: char) -> bool {
        let there = self.peek() == Some(c);
        self.at += if there { c.len_utf8() } else { 0 };
        there
    }

    fn expect(&mut self, c: char) -> Result<()> {
        if self.take(c) { Ok(()) } else { Err(self.unexpected(&format!("'{c}'"))) }
    }

    fn unexpected(&mut self, wanted: &str) -> Error {
        let rest = short(self.rest()).to_owned();
        wrong(format!("byte {} of the head: expected {wanted}, found '{rest}'", self.at))
    }

    /// A string without escapes: NumPy writes none in names of plain types.
    fn string(&mut self) -> Result<&'a str> {
        let quote = self.peek().filter(|c| matches!(c, '\'' | '"'));
        let inner = quote.and_then(|quote| {
            let inner = &self.rest()[1..];
            inner.find(quote).map(|end| &inner[..end])
        });
        let inner = inner.ok_or_else(|| self.unexpected("a text in quotes"))?;
        self.at += inner.len() + 2;
        Ok(inner)
    }

    /// The text of a list, as it stands.
    fn brackets(&mut self) -> Result<&'a str> {
        let rest = self.rest();
        let mut depth = 0_i32;
        for (i, c) in rest.char_indices() {
            depth += i32::from(c == '[') - i32::from(c == ']');
            if depth == 0 {
                self.at += i + 1;
                return Ok(&rest[..=i]);
            }
        }
        Err(self.unexpected("a list that ends"))
    }

    fn boolean(&mut self) -> Result<bool> {
        let rest = self.rest();
        for (word, value) in [("True", true), ("False", false)] {
            if rest.starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.unexpected("True or False"))
    }

    fn tuple(&mut self) -> Result<Vec<u64>> {
        let mut shape = Vec::new();
        self.expect('(')?;
        while !self.take(')') {
            let rest = self.rest();
            let digits = &rest[..rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())];
            let Ok(n) = digits.parse() else { return Err(self.unexpected("the length of an axis")) };
            self.at += digits.len();
            // Python 2 wrote long integers with a letter.
            self.take('L');
            shape.push(n);
            if shape.len() > AXES {
                return Err(wrong(format!("more than {AXES} axes")));
            }
            if !self.take(',') && self.peek() != Some(')') {
                return Err(self.unexpected("',' or ')'"));
            }
        }
        Ok(shape)
    }
}

/// The start of a text, for messages.
fn short(text: &str) -> &str {
    text.char_indices().nth(24).map_or(text, |(end, _)| &text[..end])
}
