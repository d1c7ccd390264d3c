//! NumPy arrays as recordings: files written byte by byte after the format's definition, and files that NumPy wrote.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod table_support;

use std::path::Path;

use lagrange_gpu::data::recording::{Hints, Recording, RecordingError, Store, numpy, open, open_with};
use table_support::{all, assert_rule, assert_says, file, names, value, words};

const AT_512: Hints = Hints { rate_hz: Some(512.0) };

/// An array as NumPy's enhancement proposal 1 defines it.
fn npy(descr: &str, fortran: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let text = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}");
    let padded = format!("{text:<117}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((padded.len() as u16).to_le_bytes());
    bytes.extend(padded.as_bytes());
    bytes.extend(data);
    bytes
}

fn from(bytes: Vec<u8>, hints: &Hints) -> Result<Recording, RecordingError> {
    numpy::npy(Store::in_memory(Path::new("a.npy"), bytes), None, hints)
}

fn with_sidecar(bytes: Vec<u8>, json: &str) -> Result<Recording, RecordingError> {
    let sidecar = Store::in_memory(Path::new("a.json"), json.as_bytes().to_vec());
    numpy::npy(Store::in_memory(Path::new("a.npy"), bytes), Some(sidecar), &Hints::default())
}

/// The rule of the support module as bytes, samples outside or channels outside.
fn bytes_of(encode: &dyn Fn(f64) -> Vec<u8>, fortran: bool) -> Vec<u8> {
    if fortran {
        (0..4).flat_map(|c| (0..50).flat_map(move |t| encode(value(c, t)))).collect()
    } else {
        (0..50).flat_map(|t| (0..4).flat_map(move |c| encode(value(c, t)))).collect()
    }
}

#[test]
fn every_number_type_and_order() {
    type Encode = fn(f64) -> Vec<u8>;
    let types: [(&str, Encode); 12] = [
        ("<f4", |v| (v as f32).to_le_bytes().to_vec()),
        (">f4", |v| (v as f32).to_be_bytes().to_vec()),
        ("<f8", |v| v.to_le_bytes().to_vec()),
        (">f8", |v| v.to_be_bytes().to_vec()),
        ("|i1", |v| (v as i8).to_le_bytes().to_vec()),
        ("<i2", |v| (v as i16).to_le_bytes().to_vec()),
        (">i2", |v| (v as i16).to_be_bytes().to_vec()),
        ("<i4", |v| (v as i32).to_le_bytes().to_vec()),
        (">i4", |v| (v as i32).to_be_bytes().to_vec()),
        ("<i8", |v| (v as i64).to_le_bytes().to_vec()),
        (">i8", |v| (v as i64).to_be_bytes().to_vec()),
        ("=f8", |v| v.to_ne_bytes().to_vec()),
    ];
    for (descr, encode) in types {
        for (fortran, word) in [(false, "False"), (true, "True")] {
            let array = npy(descr, word, "(50, 4)", &bytes_of(&encode, fortran));
            let mut recording = from(array, &AT_512).unwrap_or_else(|e| panic!("{descr}: {e}"));
            assert_rule(&mut recording, 1.0, 0.0, 0.0);
            assert_eq!(recording.channels[0].digital.is_some(), descr.ends_with("i2"));
            assert_eq!(names(&recording), ["ch1", "ch2", "ch3", "ch4"]);
        }
    }
    let unsigned = npy("<u2", "False", "(2,)", &[0xff, 0xff, 1, 0]);
    assert_eq!(all(&mut from(unsigned, &AT_512).expect("u2"), 0), [65535.0, 1.0]);
    let truth = npy("|b1", "False", "(3L,)", &[0, 1, 2]);
    assert_eq!(all(&mut from(truth, &AT_512).expect("b1"), 0), [0.0, 1.0, 1.0]);
}

#[test]
fn later_versions_of_the_head() {
    for (version, text) in [
        (2_u8, "{'shape': (2, 1), 'fortran_order': False, 'descr': '<f4'}"),
        (3, "{\"descr\": \"<f4\", \"fortran_order\": False, \"shape\": (2, 1)}\n"),
    ] {
        let mut bytes = b"\x93NUMPY".to_vec();
        bytes.extend([version, 0]);
        bytes.extend((text.len() as u32).to_le_bytes());
        bytes.extend(text.as_bytes());
        bytes.extend([1.5_f32, -2.0].map(f32::to_le_bytes).concat());
        assert_eq!(all(&mut from(bytes, &AT_512).unwrap_or_else(|e| panic!("{e}")), 0), [1.5, -2.0]);
    }
}

#[test]
fn the_rate_comes_from_the_file_beside_it_or_from_the_user() {
    let array = || npy("<f4", "False", "(50, 4)", &bytes_of(&|v| (v as f32).to_le_bytes().to_vec(), false));
    assert_says(&words(from(array(), &Hints::default())), &["a.npy", "rate_hz", "JSON", "data.rate-hz"]);
    let json = r#"{"rate_hz": 512, "channels": ["A", " B ", "", "D"], "unit": "mV"}"#;
    let mut recording = with_sidecar(array(), json).expect("sidecar");
    assert_rule(&mut recording, 1.0, 0.0, 0.0);
    assert_eq!(names(&recording), ["A", "B", "ch3", "D"]);
    assert_eq!(recording.channels[3].microvolts(), Some(1e3));
    let bom = "\u{feff}{\"SamplingFrequency\": 512.0, \"units\": [\"V\", \"V\", \"V\", \"uV\"]}";
    let recording = with_sidecar(array(), bom).expect("sidecar with a BOM");
    assert_eq!(recording.channels[3].unit, "uV");
    for (json, say) in [
        ("{\"rate_hz\": 0}", vec!["a.json: rate_hz", "above 0"]),
        ("{\"rate_hz\": \"512\"}", vec!["rate_hz", "number"]),
        ("{\"rate_hz\": 512, \"channels\": [\"A\"]}", vec!["1 names for 4 channels"]),
        ("{\"rate_hz\": 512, \"channels\": [1, 2, 3, 4]}", vec!["channels", "texts"]),
        ("{\"rate_hz\": 512, \"units\": [\"V\", \"V\"]}", vec!["2 units for 4 channels"]),
        ("{\"rate_hz\": 512\n, oops}", vec!["a.json: line 2"]),
        ("[512]", vec!["object"]),
    ] {
        assert_says(&words(with_sidecar(array(), json)), &say);
    }
}

#[test]
fn on_disk_the_json_of_the_same_name_is_found() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("trace.npy");
    std::fs::write(
        &path,
        npy("<f4", "True", "(50, 4)", &bytes_of(&|v| (v as f32).to_le_bytes().to_vec(), true)),
    )
    .expect("written");
    assert_says(&words(open(&path)), &["trace.npy", "rate_hz"]);
    assert_rule(&mut open_with(&path, &AT_512).expect("hint"), 1.0, 0.0, 0.0);
    std::fs::write(dir.path().join("trace.json"), "{\"fs\": 1000}").expect("written");
    assert_eq!(open(&path).expect("sidecar").channels[0].rate_hz, 1000.0);
    let both = open_with(&path, &AT_512).expect("hint goes first");
    assert_eq!(both.channels[0].rate_hz, 512.0);
    assert!(both.notices.iter().any(|n| n.contains("1000 Hz") && n.contains("512 Hz")), "{:?}", both.notices);
    assert_says(&words(open_with(&path, &Hints { rate_hz: Some(-1.0) })), &["-1 Hz", "above 0"]);
}

#[test]
fn channels_in_rows_are_known_by_their_names() {
    let array = npy("<f4", "True", "(4, 50)", &bytes_of(&|v| (v as f32).to_le_bytes().to_vec(), false));
    let json = r#"{"rate_hz": 512, "channels": ["A", "B", "C", "D"]}"#;
    let mut recording = with_sidecar(array.clone(), json).expect("rows");
    assert!(recording.notices[0].contains("each row is taken as a channel"));
    assert_rule(&mut recording, 1.0, 0.0, 0.0);
    let recording = from(array, &AT_512).expect("as it stands");
    assert_eq!((recording.channels.len(), recording.channels[0].samples), (50, 4));
    assert!(recording.notices[0].contains("transpose"));
}

#[test]
fn damage_is_named() {
    let good = npy("<f8", "False", "(50, 4)", &[0; 1600]);
    let mut short = good.clone();
    short.pop();
    let mut version = good.clone();
    version[6] = 9;
    let mut long = good.clone();
    long[6] = 2;
    for (bytes, say) in [
        (short, vec!["a.npy: byte 128", "50 samples of 4 channels", "ends at byte 1727"]),
        (version, vec!["head", "version 9.0"]),
        (long, vec!["head", "at most 65536"]),
        (good[..100].to_vec(), vec!["head ends before the 118 bytes"]),
        (good[..5].to_vec(), vec!["first 8 bytes"]),
        (npy("<c16", "False", "(50, 4)", &[0; 1600]), vec!["'<c16'", "float32"]),
        (npy("<f2", "False", "(50, 4)", &[0; 1600]), vec!["'<f2'"]),
        (npy("<f8", "False", "(2, 3, 4)", &[0; 192]), vec!["[2, 3, 4]", "[samples, channels]"]),
        (npy("<f8", "False", "()", &[0; 8]), vec!["[samples, channels]"]),
        (npy("<f8", "False", "(0, 4)", &[]), vec!["4 channels with 0 samples"]),
        (npy("<f8", "False", "(4294967296, 4294967296)", &[0; 8]), vec!["ends at byte 136"]),
        (npy("<f8", "False", "(99999999999999999999,)", &[]), vec!["length of an axis"]),
        (npy("<f8", "Maybe", "(1,)", &[]), vec!["True or False"]),
        (npy("<f8", "False", "(-1,)", &[]), vec!["length of an axis"]),
        (npy("<f8'}#", "False", "(1,)", &[]), vec!["expected the end"]),
    ] {
        assert_says(&words(from(bytes, &AT_512)), &say);
    }
}

#[test]
fn archives_that_numpy_wrote() {
    let mut stored = open(&file("stored.npz")).unwrap_or_else(|e| panic!("{e}"));
    assert_rule(&mut stored, 1.0, 0.0, 0.0);
    assert_eq!(names(&stored), ["A1", "A2", "B1", "µ4"]);
    assert_eq!(
        (stored.channels[2].unit.as_str(), stored.channels[2].digital.map(|d| d.gain)),
        ("uV", Some(1.0))
    );
    let mut deflated = open(&file("deflated.npz")).unwrap_or_else(|e| panic!("{e}"));
    assert_rule(&mut deflated, 1.0, 0.0, 0.0);
    assert_eq!(names(&deflated), ["A1", "A2", "B1", "µ4"]);
    let mut big = open_with(&file("big_endian.npy"), &AT_512).unwrap_or_else(|e| panic!("{e}"));
    assert_rule(&mut big, 1.0, 0.0, 0.0);
}

/// Names of arrays, and their bytes.
type Arrays<'a> = &'a [(&'a str, Vec<u8>)];

/// An archive of arrays, deflated or not.
fn zip(arrays: Arrays, method: npyz::zip::CompressionMethod) -> Vec<u8> {
    use std::io::Write;
    let mut zip = npyz::zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in arrays {
        let options = npyz::zip::write::FileOptions::default().compression_method(method);
        zip.start_file(format!("{name}.npy"), options).expect("a name");
        zip.write_all(bytes).expect("written");
    }
    zip.finish().expect("finished").into_inner()
}

#[test]
fn archives_tell_what_they_lack() {
    use npyz::zip::CompressionMethod::{Deflated, Stored};
    let from = |arrays: Arrays, method| {
        numpy::npz(Store::in_memory(Path::new("a.npz"), zip(arrays, method)), &Hints::default())
    };
    let matrix = || npy("<f4", "False", "(3, 2)", &[0; 24]);
    let rate = || npy("<f8", "False", "()", &512_f64.to_le_bytes());
    for method in [Stored, Deflated] {
        let recording =
            from(&[("anything", matrix()), ("rate", rate())], method).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!((recording.channels.len(), recording.channels[1].samples), (2, 3));
        let cases: [(Arrays, Vec<&str>); 6] = [
            (
                &[("a", matrix()), ("b", matrix()), ("rate", rate())],
                vec!["Name it 'data'", "a [3, 2] <f4", "b [3, 2] <f4"],
            ),
            (&[("data", matrix())], vec!["'rate'", "data.rate-hz"]),
            (&[("data", matrix()), ("rate", matrix())], vec!["array 'rate'", "one number"]),
            (
                &[("data", matrix()), ("rate", rate()), ("channels", matrix())],
                vec!["array 'channels'", "texts"],
            ),
            (&[("data", npy("<f4", "False", "(3, 3)", &[0; 24])), ("rate", rate())], vec![]),
            (
                &[("data", npy("<f4", "False", "(4000000000, 4000000000)", &[0; 24])), ("rate", rate())],
                vec![],
            ),
        ];
        for (arrays, say) in cases {
            assert_says(&words(from(arrays, method)), &say);
        }
    }
    let cut = from(&[("data", npy("<f4", "False", "(3, 3)", &[0; 24])), ("rate", rate())], Stored);
    assert_says(&words(cut), &["array 'data'", "24 bytes are there", "[3, 3]"]);
    let cut = from(&[("data", npy("<f4", "False", "(3, 3)", &[0; 24])), ("rate", rate())], Deflated);
    assert_says(&words(cut), &["array 'data'", "fewer bytes than the 36 of shape [3, 3]"]);
    let lies = npy("<f4", "False", "(4000000000, 4)", &[0; 24]);
    assert_says(
        &words(from(&[("data", lies), ("rate", rate())], Deflated)),
        &["cannot hold", "64000000000 bytes"],
    );
    let mut bytes = zip(&[("data", npy("<f4", "False", "(3, 2)", &[7; 24])), ("rate", rate())], Stored);
    bytes.truncate(bytes.len() - 30);
    let broken = numpy::npz(Store::in_memory(Path::new("a.npz"), bytes), &Hints::default());
    assert_says(&words(broken), &["a.npz", "archive", "damaged"]);
}
