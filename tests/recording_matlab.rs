//! MATLAB files as recordings: files written byte by byte after the format's definition, and files that SciPy wrote.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod table_support;

use std::io::Write;
use std::path::Path;

use lagrange_gpu::data::recording::{Hints, Recording, RecordingError, Store, matlab, open, open_with};
use table_support::{all, assert_rule, assert_says, file, names, value, words};

const AT_512: Hints = Hints { rate_hz: Some(512.0) };

/// Writes the elements of "MAT-File Format" (MathWorks), in either order of bytes.
#[derive(Clone, Copy)]
struct Mat {
    big: bool,
}

impl Mat {
    fn word(self, n: u32) -> Vec<u8> {
        if self.big { n.to_be_bytes().to_vec() } else { n.to_le_bytes().to_vec() }
    }

    fn double(self, v: f64) -> Vec<u8> {
        if self.big { v.to_be_bytes().to_vec() } else { v.to_le_bytes().to_vec() }
    }

    fn short(self, v: i16) -> Vec<u8> {
        if self.big { v.to_be_bytes().to_vec() } else { v.to_le_bytes().to_vec() }
    }

    /// Type, size, bytes, padding to eight bytes; up to four bytes stand within the tag.
    fn element(self, kind: u32, bytes: &[u8]) -> Vec<u8> {
        let mut out = if (1..=4).contains(&bytes.len()) {
            [self.word((bytes.len() as u32) << 16 | kind), bytes.to_vec()].concat()
        } else {
            [self.word(kind), self.word(bytes.len() as u32), bytes.to_vec()].concat()
        };
        out.resize(out.len().next_multiple_of(8), 0);
        out
    }

    fn variable(self, name: &str, class: u32, axes: &[u32], rest: &[u8]) -> Vec<u8> {
        let flags = self.element(6, &[self.word(class), self.word(0)].concat());
        let axes = self.element(5, &axes.iter().flat_map(|&n| self.word(n)).collect::<Vec<u8>>());
        let name = self.element(1, name.as_bytes());
        self.element(14, &[flags, axes, name, rest.to_vec()].concat())
    }

    fn number(self, name: &str, v: f64) -> Vec<u8> {
        self.variable(name, 6, &[1, 1], &self.element(9, &self.double(v)))
    }

    fn text(self, name: &str, text: &str) -> Vec<u8> {
        let letters: Vec<u8> = text.encode_utf16().flat_map(|n| self.short(n as i16)).collect();
        self.variable(name, 4, &[1, text.chars().count() as u32], &self.element(4, &letters))
    }

    fn cell(self, name: &str, texts: &[&str]) -> Vec<u8> {
        let cells: Vec<u8> = texts.iter().flat_map(|text| self.text("", text)).collect();
        self.variable(name, 1, &[1, texts.len() as u32], &cells)
    }

    /// The rule as [samples, channels] (or the other way round) of class double, stored as 16-bit integers, as MATLAB does for whole numbers.
    fn samples(self, name: &str, transposed: bool) -> Vec<u8> {
        let at = |c, t| self.short(value(c, t) as i16);
        let (axes, data): (_, Vec<u8>) = if transposed {
            ([4, 50], (0..50).flat_map(|t| (0..4).flat_map(move |c| at(c, t))).collect())
        } else {
            ([50, 4], (0..4).flat_map(|c| (0..50).flat_map(move |t| at(c, t))).collect())
        };
        self.variable(name, 6, &axes, &self.element(3, &data))
    }

    fn file(self, variables: &[Vec<u8>]) -> Vec<u8> {
        let mut out = format!("{:<116}", "MATLAB 5.0 MAT-file").into_bytes();
        out.extend([0; 8]);
        out.extend(if self.big { *b"\x01\0MI" } else { *b"\0\x01IM" });
        out.extend(variables.concat());
        out
    }

    fn packed(self, variable: &[u8]) -> Vec<u8> {
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        zlib.write_all(variable).unwrap();
        let bytes = zlib.finish().unwrap();
        [self.word(15), self.word(bytes.len() as u32), bytes].concat()
    }
}

const LITTLE: Mat = Mat { big: false };

fn from(bytes: Vec<u8>, hints: &Hints) -> Result<Recording, RecordingError> {
    matlab::open(Store::in_memory(Path::new("a.mat"), bytes), hints)
}

#[test]
fn both_orders_of_bytes_and_axes_packed_or_not() {
    let labels = ["A1", "A 2", "µ", "B'"];
    for big in [false, true] {
        let mat = Mat { big };
        for transposed in [false, true] {
            for packed in [false, true] {
                let all = [
                    mat.number("fs", 512.0),
                    mat.samples("EEG", transposed),
                    mat.cell("labels", &labels),
                    mat.text("unit", "uV"),
                ];
                let all = if packed { all.map(|v| mat.packed(&v)) } else { all };
                let mut recording = from(mat.file(&all), &Hints::default()).unwrap_or_else(|e| panic!("{e}"));
                assert_rule(&mut recording, 1.0, 0.0, 0.0);
                assert_eq!(names(&recording), labels);
                assert_eq!((recording.channels[3].microvolts(), recording.format), (Some(1.0), "MATLAB"));
            }
        }
    }
}

#[test]
fn files_that_scipy_wrote() {
    let mut plain = open(&file("plain.mat")).unwrap_or_else(|e| panic!("{e}"));
    assert_rule(&mut plain, 1.0, 0.0, 0.0);
    assert_eq!(names(&plain), ["A1", "A2", "B1", "µ4"]);
    let mut packed = open(&file("compressed.mat")).unwrap_or_else(|e| panic!("{e}"));
    assert_rule(&mut packed, 1.0, 0.0, 0.0);
    assert_eq!(names(&packed), ["A1", "A2", "B1", "C4"]);
    assert!(packed.channels[0].digital.is_some());
    assert_says(&words(open_with(&file("version4.mat"), &AT_512)), &["version4.mat", "version 4", "-v7"]);
}

#[test]
fn which_matrix_and_what_rate() {
    let times = LITTLE.variable("t", 6, &[1, 50], &LITTLE.element(9, &[0; 400]));
    let beside = from(LITTLE.file(&[times, LITTLE.samples("recording", true)]), &AT_512)
        .unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((names(&beside), beside.notices.len()), (vec!["ch1", "ch2", "ch3", "ch4"], 1));
    assert!(beside.notices[0].contains("columns"), "{:?}", beside.notices);
    let wide = LITTLE.variable(
        "x",
        14,
        &[2, 1],
        &LITTLE.element(12, &[[0xff; 8], [1, 0, 0, 0, 0, 0, 0, 0]].concat()),
    );
    assert_eq!(all(&mut from(LITTLE.file(&[wide]), &AT_512).unwrap(), 0), [-1.0, 1.0]);
    let two = LITTLE.file(&[LITTLE.samples("a", true), LITTLE.samples("b", true)]);
    assert_says(&words(from(two, &AT_512)), &["a.mat", "Name it 'data'", "a 4×50 double", "b 4×50 double"]);
    let none = LITTLE.file(&[LITTLE.samples("a", true)]);
    assert_says(&words(from(none, &Hints::default())), &["'fs', 'srate' or 'rate'", "data.rate-hz"]);
    let odd = LITTLE.file(&[LITTLE.samples("a", true), LITTLE.text("fs", "512")]);
    assert_says(&words(from(odd, &Hints::default())), &["variable 'fs'", "one number", "1×3 char"]);
    let few = LITTLE.file(&[LITTLE.samples("a", true), LITTLE.cell("channels", &["A", "B"])]);
    assert_says(&words(from(few, &AT_512)), &["variable 'channels'", "2 names for 4 channels"]);
    let deep = LITTLE.variable("data", 6, &[2, 2, 2], &LITTLE.element(9, &[0; 64]));
    assert_says(&words(from(LITTLE.file(&[deep]), &AT_512)), &["'data' has 3 axes"]);
    let structure = LITTLE.variable("EEG", 2, &[1, 1], &[]);
    assert_says(&words(from(LITTLE.file(&[structure]), &AT_512)), &["EEG 1×1 struct"]);
}

#[test]
fn damage_is_named() {
    let good = LITTLE.file(&[LITTLE.samples("a", true)]);
    let cut = good[..good.len() - 9].to_vec();
    let lies = LITTLE.file(&[LITTLE.variable("a", 6, &[1 << 31, 1 << 31], &LITTLE.element(9, &[0; 16]))]);
    let short = LITTLE.file(&[LITTLE.variable("a", 6, &[50, 3], &LITTLE.element(9, &[0; 16]))]);
    let text = LITTLE.file(&[LITTLE.variable("a", 6, &[5, 3], &LITTLE.element(17, &[0; 30]))]);
    let claim = {
        let mut samples = LITTLE.samples("a", true);
        samples[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
        LITTLE.file(&[LITTLE.packed(&samples)])
    };
    let mut noise = LITTLE.packed(&LITTLE.samples("a", true));
    noise[12..20].fill(0xaa);
    let mut version = good.clone();
    version[124..128].copy_from_slice(b"\0\x02IM");
    for (bytes, say) in [
        (cut, vec!["a.mat: byte 128", "the file ends at byte"]),
        (lies, vec!["variable 'a'", "do not fit into 16 bytes"]),
        (short, vec!["50 × 3 numbers do not fit into 16 bytes"]),
        (text, vec!["variable 'a'", "type 17"]),
        (claim, vec!["variable 'a'", "cannot hold"]),
        (LITTLE.file(&[noise]), vec!["byte 136", "damaged"]),
        (version, vec!["7.3", "-v7"]),
        (good[..60].to_vec(), vec!["byte 124", "no MATLAB file"]),
        (LITTLE.file(&[]), vec!["which matrix"]),
    ] {
        assert_says(&words(from(bytes, &AT_512)), &say);
    }
}
