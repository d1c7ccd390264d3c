//! Lines of a text file and the cells of a line.

use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder, Terminator};

use super::{RecordingError, Store, StoreReader};

/// Bytes of a line at most.
const LINE: u64 = 16 << 20;

/// Reads a file line by line. A line is never the rest of the one before: cells that hold ends of lines are no numbers.
#[derive(Debug)]
pub(super) struct Lines {
    reader: BufReader<StoreReader>,
    line: Vec<u8>,
    byte: u64,
    number: u64,
}

impl Lines {
    pub fn new(reader: StoreReader) -> Self {
        Self { reader: BufReader::with_capacity(1 << 16, reader), line: Vec::new(), byte: 0, number: 1 }
    }

    pub fn into_store(self) -> Store {
        self.reader.into_inner().into_inner()
    }

    /// Byte and number, from 1, of the line that [`Lines::next`] reads.
    pub fn at(&self) -> (u64, u64) {
        (self.byte, self.number)
    }

    pub fn wrong(&self, place: impl Into<String>, what: impl Into<String>) -> RecordingError {
        self.reader.get_ref().store().error(place, what)
    }

    fn failed(&self, error: std::io::Error) -> RecordingError {
        RecordingError::Io { path: self.reader.get_ref().store().path().to_path_buf(), error }
    }

    /// Goes to a place that [`Lines::at`] told.
    pub fn seek(&mut self, (byte, number): (u64, u64)) -> Result<(), RecordingError> {
        (self.byte, self.number) = (byte, number);
        self.reader.seek(SeekFrom::Start(byte)).map_err(|e| self.failed(e)).map(drop)
    }

    /// Skips the mark that some programs begin UTF-8 text with.
    pub fn skip_mark(&mut self) -> Result<(), RecordingError> {
        let mut start = Vec::new();
        self.reader.by_ref().take(3).read_to_end(&mut start).map_err(|e| self.failed(e))?;
        if start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff") {
            return Err(self.wrong("line 1", "the text is UTF-16; save it as UTF-8"));
        }
        self.seek((if start == b"\xef\xbb\xbf" { 3 } else { 0 }, 1))
    }

    /// Reads a line; false at the end of the file.
    pub fn next(&mut self) -> Result<bool, RecordingError> {
        self.line.clear();
        let read = self.reader.by_ref().take(LINE).read_until(b'\n', &mut self.line);
        let read = read.map_err(|e| self.failed(e))? as u64;
        if read == LINE && self.line.last() != Some(&b'\n') {
            let what = format!("is longer than {LINE} bytes; is this a table?");
            return Err(self.wrong(format!("line {}", self.number), what));
        }
        self.byte += read;
        self.number += 1;
        while let Some(b'\n' | b'\r') = self.line.last() {
            self.line.pop();
        }
        Ok(read > 0)
    }

    /// The line that was read, without its end.
    pub fn line(&self) -> &[u8] {
        &self.line
    }
}

/// The cells of a line.
#[derive(Debug)]
pub(super) struct Cells {
    reader: Reader,
    text: Vec<u8>,
    ends: Vec<usize>,
    count: usize,
}

impl Cells {
    pub fn new(delimiter: u8) -> Self {
        let reader = ReaderBuilder::new().delimiter(delimiter).terminator(Terminator::Any(b'\n')).build();
        Self { reader, text: Vec::new(), ends: Vec::new(), count: 0 }
    }

    /// Splits a line.
    pub fn split(&mut self, line: &[u8]) {
        self.reader.reset();
        // Without quotes the cells take no more room than the line, and there is one more cell than delimiters.
        self.text.resize(line.len() + 1, 0);
        self.ends.resize(line.len() + 2, 0);
        let (mut input, mut written, mut ends) = (line, 0, 0);
        loop {
            let (result, read, wrote, ended) =
                self.reader.read_record(input, &mut self.text[written..], &mut self.ends[ends..]);
            (input, written, ends) = (&input[read..], written + wrote, ends + ended);
            // Once more with an empty input: it tells the reader that the line is at its end.
            if result != ReadRecordResult::InputEmpty {
                break;
            }
        }
        self.count = ends;
    }

    pub fn len(&self) -> usize {
        self.count
    }

    /// A cell; empty beyond the last one.
    pub fn get(&self, i: usize) -> &[u8] {
        let start = if i == 0 { 0 } else { self.ends.get(i - 1).copied().unwrap_or_default() };
        let end = self.ends.get(i).copied().filter(|_| i < self.count).unwrap_or_default();
        self.text.get(start..end).unwrap_or_default()
    }
}
