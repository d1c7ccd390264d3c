//! Texts of a MATLAB file: cell arrays of them, and matrices of letters.

use super::SMALL;
use super::element::{Class, MATRIX, Matrix, Tag};
use crate::data::recording::{RecordingError, Store};

/// Names of a cell array at most.
const CELLS: u64 = 1 << 16;

impl Matrix {
    /// The texts of a cell array, or the rows of a character matrix; `None` for anything else.
    pub fn texts(&self, file: &mut Store) -> Result<Option<Vec<String>>, RecordingError> {
        if !matches!(self.class, Class::Cell | Class::Text) {
            return Ok(None);
        }
        let mut own = self.unpacked(file, SMALL)?;
        let store = own.as_mut().unwrap_or(file);
        if self.class == Class::Text {
            return self.rows_of_text(store);
        }
        let count = self.rows.saturating_mul(self.columns);
        if count > CELLS {
            let what = format!("{count} cells; at most {CELLS} are read as names");
            return Err(store.error(format!("variable '{}'", self.name), what));
        }
        let (mut texts, mut at) = (Vec::new(), self.body);
        for _ in 0..count {
            let tag = Tag::read(store, at, self.big)?;
            at = tag.next;
            let cell = if tag.kind == MATRIX { Self::head(store, &tag, None, self.big)? } else { None };
            let text = cell.filter(|cell| cell.class == Class::Text);
            let Some(rows) = text.map(|cell| cell.rows_of_text(store)).transpose()?.flatten() else {
                return Ok(None);
            };
            texts.push(rows.into_iter().next().unwrap_or_default());
        }
        Ok(Some(texts))
    }

    /// The rows of a character matrix; `None` if its letters are in no encoding that is known.
    fn rows_of_text(&self, store: &mut Store) -> Result<Option<Vec<String>>, RecordingError> {
        let count = self.rows.saturating_mul(self.columns);
        if count == 0 {
            return Ok(Some(vec![String::new()]));
        }
        let tag = Tag::read(store, self.body, self.big)?;
        if tag.size > SMALL {
            return Err(
                store.error(format!("variable '{}'", self.name), "a text that is too long for a name")
            );
        }
        let mut bytes = vec![0; tag.size as usize];
        store.read_at(tag.at, &mut bytes)?;
        let Some(letters) = letters(&bytes, tag.kind, self.big) else { return Ok(None) };
        // The letters of a column stand together.
        let rows = usize::try_from(self.rows).unwrap_or(usize::MAX).min(letters.len());
        if letters.len() as u64 != count && rows != 1 {
            return Ok(None);
        }
        let row =
            |r: usize| letters.iter().skip(r).step_by(rows.max(1)).collect::<String>().trim_end().to_owned();
        Ok(Some((0..rows).map(row).collect()))
    }
}

/// The letters of a text of a type.
fn letters(bytes: &[u8], kind: u32, big: bool) -> Option<Vec<char>> {
    let odd = char::REPLACEMENT_CHARACTER;
    match kind {
        1 | 2 => Some(bytes.iter().map(|&b| char::from(b)).collect()),
        16 => Some(String::from_utf8_lossy(bytes).chars().collect()),
        4 | 17 => {
            let pair = |b: &[u8; 2]| if big { u16::from_be_bytes(*b) } else { u16::from_le_bytes(*b) };
            let words = bytes.as_chunks::<2>().0.iter().map(pair);
            Some(char::decode_utf16(words).map(|c| c.unwrap_or(odd)).collect())
        }
        18 => {
            let four = |b: &[u8; 4]| if big { u32::from_be_bytes(*b) } else { u32::from_le_bytes(*b) };
            Some(bytes.as_chunks::<4>().0.iter().map(|b| char::from_u32(four(b)).unwrap_or(odd)).collect())
        }
        _ => None,
    }
}
