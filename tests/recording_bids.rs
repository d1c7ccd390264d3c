//! BIDS-iEEG: which recording a folder holds, and what sidecars say about it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod recording_support;

use std::path::{Path, PathBuf};

use recording_support::{HEAD, Head, Signal, edf, open, signal, whole, words};

/// A data set of one recording with three channels, in a folder of its own.
struct Set {
    folder: tempfile::TempDir,
}

impl Set {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let set = Self { folder };
        set.put("dataset_description.json", b"{}");
        set.put("sub-01/ieeg/sub-01_task-rest_ieeg.edf", &recording());
        set
    }
    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
    fn put(&self, name: &str, bytes: &[u8]) {
        std::fs::create_dir_all(self.at(name).parent().expect("folder")).expect("folder");
        std::fs::write(self.at(name), bytes).expect("file");
    }
    fn root(&self) -> &Path {
        self.folder.path()
    }
}

/// Channels A and B in µV, C without a unit, at 4 Hz.
fn recording() -> Vec<u8> {
    let signals = [signal("A", 4), signal("B", 4), Signal { unit: b"", ..signal("C", 4) }];
    edf(&Head { records: "1", ..HEAD }, &signals, &words(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]))
}

#[test]
fn a_table_tells_types_units_and_bad_channels() {
    let set = Set::new();
    set.put(
        "sub-01/ieeg/sub-01_task-rest_channels.tsv",
        "\u{feff}name\ttype\tunits\tsampling_frequency\tstatus\r\nC\tmisc\tmV\t4\tgood\r\nA\tSEEG\tuV\tn/a\tbad\r\n\
         B\tSEEG\tV\t8\tn/a\r\nD\tSEEG\tV\t8\tbad\r\n"
            .as_bytes(),
    );
    set.put("sub-01/ieeg/sub-01_task-rest_ieeg.json", b"\xef\xbb\xbf{\"SamplingFrequency\": 5}");
    for path in [set.root().to_path_buf(), set.at("sub-01/ieeg/sub-01_task-rest_ieeg.edf")] {
        let mut r = open(&path).expect("sound");
        assert_eq!((r.path.clone(), whole(&mut r, 1)), (path, vec![5.0, 6.0, 7.0, 8.0]));
        let about: Vec<(&str, &str, bool)> =
            r.channels.iter().map(|c| (c.kind.as_str(), c.unit.as_str(), c.bad)).collect();
        assert_eq!(about, [("SEEG", "uV", true), ("SEEG", "uV", false), ("MISC", "mV", false)]);
        let table = "sub-01_task-rest_channels.tsv";
        assert_eq!(
            r.notices,
            [
                format!(
                    "{table} says the rate is 8 Hz, the data file says 4 Hz, which is taken (1 channel: B)"
                ),
                format!("{table} says the unit is V, the data file says uV, which is taken (1 channel: B)"),
                format!("{table} names what the data file has not: 1 channel: D"),
                "sub-01_task-rest_ieeg.json says SamplingFrequency 5, the data file 4 Hz, which is taken"
                    .to_owned(),
            ]
        );
    }
}

#[test]
fn sidecars_are_inherited_within_the_set_and_the_nearest_wins() {
    let set = Set::new();
    let table = |kind: &str| format!("name\ttype\nA\t{kind}\nB\t{kind}\nC\t{kind}\n").into_bytes();
    let kind = |set: &Set| open(set.root()).expect("sound").channels[0].kind.clone();
    set.put("task-rest_channels.tsv", &table("ECOG"));
    assert_eq!(kind(&set), "ECOG");
    set.put("sub-01/sub-01_channels.tsv", &table("EEG"));
    assert_eq!(kind(&set), "EEG");
    set.put("sub-01/sub-01_task-rest_channels.tsv", &table("SEEG"));
    set.put("sub-01/sub-01_task-other_channels.tsv", &table("MISC"));
    assert_eq!(kind(&set), "SEEG");
    // Without the root of a data set, tables above belong to something else.
    std::fs::remove_file(set.at("dataset_description.json")).expect("remove");
    assert_eq!(kind(&set), "");
}

#[test]
fn damaged_tables_are_named_with_line() {
    let set = Set::new();
    let error = |table: &str| {
        set.put("sub-01/ieeg/sub-01_task-rest_channels.tsv", table.as_bytes());
        open(set.root()).expect_err(table)
    };
    let cases = [
        ("", "line 1: is empty"),
        ("label,type\nA,SEEG\n", "line 1: no column 'name' among 'label,type'"),
        ("name\ttype\nA\tSEEG\nB\n", "line 3: 1 cells separated by tabs; the first line has 2"),
        ("name\ttype\nA\tSEEG\nA\tECOG\n", "line 3: channel 'A' is in line 2 already"),
        ("name\tsampling_frequency\nA\t0\n", "line 2: sampling_frequency '0' of channel A is no rate"),
    ];
    for (table, words) in cases {
        let got = error(table);
        assert!(
            got.contains("sub-01_task-rest_channels.tsv") && got.contains(words),
            "{got}\n  lacks: {words}"
        );
    }
    set.put("sub-01/ieeg/sub-01_task-rest_channels.tsv", b"name\nA\n");
    set.put("sub-01/ieeg/sub-01_task-rest_ieeg.json", b"{,}");
    let r = open(set.root()).expect("usable");
    assert!(r.notices[0].contains("does not tell about 2 channels: B, C"), "{:?}", r.notices);
    assert!(r.notices[1].contains("is no JSON"), "{:?}", r.notices);
}

#[test]
fn a_folder_has_to_hold_one_recording() {
    let set = Set::new();
    set.put("derivatives/sub-01_task-rest_ieeg.edf", &recording());
    set.put("sub-02/notes.edf", &recording());
    assert_eq!(open(set.root()).expect("one").channels.len(), 3);
    set.put("sub-02/ieeg/sub-02_task-rest_ieeg.edf", &recording());
    let several = open(set.root()).expect_err("two");
    assert!(several.contains("holds 2 recordings; open one of them by its path"), "{several}");
    assert!(several.contains("sub-01_task-rest_ieeg.edf") && several.contains("sub-02_task-rest_ieeg.edf"));
    assert!(open(&set.at("sub-02")).is_ok());
    let other = tempfile::tempdir().expect("folder");
    assert!(open(other.path()).expect_err("empty").contains("no recording (*_ieeg.edf"));
    std::fs::write(other.path().join("x.edf"), recording()).expect("file");
    assert!(open(other.path()).expect_err("no name of BIDS").contains("open one of the others by its path"));
    std::fs::write(other.path().join("sub-1_ieeg.set"), b"").expect("file");
    assert!(open(other.path()).expect_err("not read").contains("formats that are not read"));
}

#[test]
fn content_wins_over_the_name_and_what_is_unknown_is_told() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("file");
        open(&path)
    };
    let named = at("x.csv", &recording()).expect("EDF by its content");
    assert!(named.notices[0].contains("named as tables, but holds EDF"), "{:?}", named.notices);
    assert!(at("x.dat", &recording()).expect("EDF").notices.is_empty());
    let unknown = at("x.dat", b"what is this").expect_err("unknown");
    assert!(unknown.contains("known are EDF, EDF+ and BDF (.edf") && unknown.contains("BrainVision (.vhdr"));
    assert!(at("empty.edf", b"").expect_err("empty").contains("0 bytes"));
    assert!(open(&folder.path().join("missing.edf")).expect_err("missing").contains("missing.edf"));
}
