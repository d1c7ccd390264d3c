//! EDF, EDF+ and BDF: files written byte by byte, with values that follow from the definition of the format.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod recording_support;

use std::path::Path;

use lagrange_gpu::data::recording::{Recording, Store, edf as reader};
use proptest::prelude::*;
use recording_support::{HEAD, Head, Signal, edf, exercise, onset, opened, signal, whole, words};

fn read(bytes: &[u8]) -> Result<Recording, String> {
    reader::open(Store::in_memory(Path::new("x.edf"), bytes.to_vec())).map_err(|e| e.to_string())
}

/// Three records of half a second: channel A has four samples in each, B two.
fn mixed() -> Vec<u8> {
    let a = Signal { ends: ["-1000", "1000", "-2000", "2000"], ..signal("A", 4) };
    let b = Signal { ends: ["0", "10", "0", "100"], unit: b"mV", ..signal("ECG b", 2) };
    let mut records = Vec::new();
    for r in 0..3_i16 {
        records.extend(words(&[10 * r, 10 * r + 1, 10 * r + 2, 10 * r + 3]));
        records.extend(words(&[50 + r, -50 - r]));
    }
    edf(&Head { records: "3", seconds: "0.5", ..HEAD }, &[a, b], &records)
}

#[test]
fn channels_of_different_rates_and_scales() {
    let mut recording = opened("mixed.edf", &mixed()).expect("sound");
    assert_eq!(recording.format, "EDF");
    assert!(recording.notices.is_empty(), "{:?}", recording.notices);
    let [a, b] = &recording.channels[..] else { panic!("two channels") };
    assert_eq!((a.name.as_str(), a.unit.as_str(), a.rate_hz, a.samples), ("A", "uV", 8.0, 12));
    assert_eq!((b.name.as_str(), b.unit.as_str(), b.rate_hz, b.samples), ("ECG b", "mV", 4.0, 6));
    assert_eq!((a.kind.as_str(), b.kind.as_str()), ("", "ECG"));
    assert_eq!(a.digital.expect("16 bits").range, [-2000, 2000]);
    // Steps of 2000 µV / 4000 and of 10 mV / 100, exact in binary or to rounding.
    let half: Vec<f64> = (0..3).flat_map(|r| (0..4).map(move |i| f64::from(10 * r + i) / 2.0)).collect();
    assert_eq!(whole(&mut recording, 0), half);
    let tenth: Vec<f64> =
        (0..3).flat_map(|r| [5.0 + f64::from(r) / 10.0, -5.0 - f64::from(r) / 10.0]).collect();
    for (got, want) in whole(&mut recording, 1).iter().zip(&tenth) {
        assert!((got - want).abs() < 1e-12);
    }
    for from in 0..12 {
        for to in from..=12 {
            let mut part = Vec::new();
            recording.read(0, from..to, &mut part).expect("samples");
            assert_eq!(part, half[from as usize..to as usize]);
        }
    }
}

/// The record length and rate of a real file.
#[test]
fn records_and_rates_need_not_be_whole() {
    let head = Head { records: "2", seconds: "0.23814", ..HEAD };
    let integers: Vec<i16> = (0..476).collect();
    let mut recording = read(&edf(&head, &[signal("A", 238)], &words(&integers))).expect("sound");
    let a = &recording.channels[0];
    assert_eq!((format!("{:.3}", a.rate_hz), a.samples), ("999.412".to_owned(), 476));
    let values: Vec<f64> = (0..476).map(f64::from).collect();
    assert_eq!(whole(&mut recording, 0), values);
}

#[test]
fn annotations_are_no_channel_and_gaps_are_told() {
    let signals = [signal("A", 2), signal("EDF Annotations", 8)];
    let file = |kind: &'static str, onsets: [&str; 3]| {
        let mut records = Vec::new();
        for (r, at) in onsets.iter().enumerate() {
            records.extend(words(&[r as i16, -(r as i16)]));
            records.extend(onset(at, 16));
        }
        edf(&Head { reserved: kind, records: "3", ..HEAD }, &signals, &records)
    };
    let mut sound = read(&file("EDF+C", ["+0", "+1", "+2"])).expect("sound");
    assert_eq!((sound.format, sound.channels.len()), ("EDF+", 1));
    assert_eq!(sound.notices, ["1 channel of annotations is left out"]);
    assert_eq!(whole(&mut sound, 0), [0.0, 0.0, 1.0, -1.0, 2.0, -2.0]);
    let notices = |onsets| read(&file("EDF+D", onsets)).expect("usable").notices;
    assert_eq!(notices(["+5.25", "+6.25", "+7.25"]).len(), 1, "no gap is there");
    let gap = notices(["+0", "+1", "+4.5"]);
    assert!(gap[1].contains("1 gaps, 2.500000 s after 2.000000 s of samples (record 2)"), "{gap:?}");
    let silent = notices(["+0", "1", "+2"]);
    assert!(silent[1].contains("record 2 of 3 does not tell its time"), "{silent:?}");
    let alone = edf(&Head { reserved: "EDF+D", ..HEAD }, &signals[..1], &words(&[1, 2]));
    assert!(read(&alone).expect("usable").notices[0].contains("no channel tells their times"));
}

/// 24 bits: the ends of the range, and so many samples that numbers lie across the pieces that the reader reads at once.
#[test]
fn bdf_has_24_bits() {
    let ends = ["-8388608", "8388607", "-8388608", "8388607"];
    let signals = [Signal { ends, ..signal("A", 5) }, Signal { ends, ..signal("Status", 5) }];
    let bytes = |d: i32| d.to_le_bytes()[..3].to_vec();
    let of = |i: i32| if i % 2 == 0 { -8_388_608 + i } else { 8_388_607 - i };
    let records: Vec<u8> = (0..80_000)
        .flat_map(|r| {
            (0..5).flat_map(move |i| bytes(of(5 * r + i))).chain((0..5).flat_map(move |_| bytes(-r)))
        })
        .collect();
    let head = Head { version: b"\xffBIOSEMI", reserved: "24BIT", records: "80000", ..HEAD };
    let mut recording = opened("x.bdf", &edf(&head, &signals, &records)).expect("sound");
    assert_eq!((recording.format, recording.channels[1].kind.as_str()), ("BDF", "TRIG"));
    assert!(recording.channels[0].digital.is_none(), "no 16 bits");
    let values = whole(&mut recording, 0);
    assert_eq!(values.len(), 400_000);
    assert!(values.iter().zip(0..).all(|(v, i)| *v == f64::from(of(i))));
    assert!(whole(&mut recording, 1).iter().zip(0..).all(|(v, i)| *v == f64::from(-(i / 5))));
}

#[test]
fn oddities_are_told_and_the_rest_is_read() {
    let signals = [Signal { unit: b"\xb5V", ..signal("A", 2) }];
    let told = |head: Head, signals: &[Signal], bytes: &[u8], words: &str| {
        let recording = read(&edf(&head, signals, bytes)).expect(words);
        assert!(recording.notices.iter().any(|n| n.contains(words)), "{words}: {:?}", recording.notices);
        recording
    };
    let two = words(&[1, 2, 3, 4]);
    let recording = told(Head { records: "-1", ..HEAD }, &signals, &two, "the file holds 2, which are taken");
    assert_eq!((recording.channels[0].samples, recording.channels[0].microvolts()), (4, Some(1.0)));
    let short = told(
        Head { records: "9", ..HEAD },
        &signals,
        &two[..6],
        "says 9 records, the file holds 1 and 2 bytes",
    );
    assert_eq!(short.channels[0].samples, 2);
    told(HEAD, &signals, &two, "4 bytes after the 1 records");
    told(
        Head { header_bytes: Some("99999999"), ..HEAD },
        &signals,
        &two,
        "'99999999' bytes; 1 signals make 512",
    );
    let uncalibrated = [
        Signal { ends: ["5", "5", "-2", "2"], ..signal("A", 2) },
        Signal { ends: ["-1", "1", "7", "7"], ..signal("B", 2) },
        Signal { ends: ["-1,5", "1,5", "3", "-3"], ..signal("C", 2) },
    ];
    let all = words(&[1, 2, 3, 4, 2, -2]);
    let mut raw = told(HEAD, &uncalibrated, &all, "channel A: smallest and largest value are both 5");
    assert!(raw.notices.iter().any(|n| n.contains("channel B: smallest and largest integer are both 7")));
    assert!(
        raw.notices.iter().any(|n| n.contains("channel C: the smallest integer 3 is above the largest -3"))
    );
    assert_eq!((whole(&mut raw, 0), whole(&mut raw, 1)), (vec![1.0, 2.0], vec![3.0, 4.0]));
    assert!(raw.channels[0].unit.is_empty() && raw.channels[1].unit.is_empty());
    assert_eq!(
        (whole(&mut raw, 2), raw.channels[2].digital.expect("16 bits").range),
        (vec![-1.0, 1.0], [-3, 3])
    );
}

#[test]
fn what_cannot_be_right_is_named() {
    let sound = mixed();
    let with = |at: usize, text: &str| {
        let mut bytes = sound.clone();
        bytes[at..at + text.len()].copy_from_slice(text.as_bytes());
        bytes
    };
    // Fields of the two signals begin at 256: 2 × 16 bytes of labels, 2 × 80 of electrodes, 2 × 8 of each number.
    let cases = [
        (sound[..100].to_vec(), "100 bytes; an EDF header has at least 256"),
        (sound[..700].to_vec(), "700 bytes end within the header: 2 signals need 768"),
        (sound[..770].to_vec(), "no whole record: 2 bytes of records of 12 bytes"),
        (with(252, "0   "), "bytes 252 to 255: '0' is no number of signals"),
        (with(252, "-2  "), "'-2' is no number of signals"),
        (with(252, "9999"), "end within the header: 9999 signals need 2560000"),
        (with(244, "-1      "), "bytes 244 to 251: '-1' is no length of a record"),
        (with(244, "nan     "), "'nan' is no length of a record"),
        (with(244, "0       "), "records of 0 s: the rate of channel A is not known"),
        (with(236, "0       "), "bytes 236 to 243: '0' is no number of records"),
        (with(236, "-7      "), "'-7' is no number of records"),
        (with(464, "abc     "), "channel 1 (A), smallest value: 'abc' is no number"),
        (with(488, "inf     "), "channel 2 (ECG b), largest value: 'inf' is no number"),
        (with(496, "-99999  "), "channel 1 (A), smallest integer: -99999 is no integer of 16 bits"),
        (with(688, "0       "), "channel 1 (A), samples a record: '0' is no number of samples"),
        (with(688, "-4      "), "'-4' is no number of samples"),
        (with(688, "99999999"), "no whole record: 36 bytes of records of 200000002 bytes"),
    ];
    for (bytes, words) in cases {
        let error = read(&bytes).err().unwrap_or_else(|| panic!("no error: {words}"));
        assert!(error.starts_with("x.edf: ") && error.contains(words), "{error}\n  lacks: {words}");
    }
    let only = edf(
        &Head { seconds: "0", reserved: "EDF+C", ..HEAD },
        &[signal("EDF Annotations", 8)],
        &onset("+0", 16),
    );
    assert!(read(&only).expect_err("no signal").contains("annotations, but no signals"));
}

proptest! {
    /// Wherever a file is cut off and whatever bytes are hit: an error or values.
    #[test]
    fn damage_never_panics(cut in 0_usize..900, hits in proptest::collection::vec((0_usize..900, any::<u8>()), 0..8)) {
        let signals = [signal("A", 4), signal("EDF Annotations", 8), signal("B", 1)];
        let records: Vec<u8> = (0..4).flat_map(|r| [words(&[r; 4]), onset(&format!("+{r}"), 16), words(&[r])].concat()).collect();
        let mut bytes = edf(&Head { reserved: "EDF+D", records: "4", ..HEAD }, &signals, &records);
        // Half of the hits go to the numbers of the header.
        for (at, byte) in hits {
            let at = if at % 2 == 0 { at } else { 184 + at % 72 };
            let n = bytes.len();
            bytes[at % n] = if byte < 128 { b"0123456789-+. e"[byte as usize % 15] } else { byte };
        }
        bytes.truncate(bytes.len().saturating_sub(cut / 2 * usize::from(cut % 2 == 0)));
        if let Ok(mut recording) = read(&bytes) {
            exercise(&mut recording);
        }
    }
}
