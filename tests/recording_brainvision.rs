//! BrainVision: files written byte by byte, with values that follow from the definition of the format.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod recording_support;

use std::path::Path;

use lagrange_gpu::data::recording::{Recording, Store, brainvision};
use proptest::prelude::*;
use recording_support::{exercise, open, whole};

/// A header of three channels.
const HEADER: &str = "Brain Vision Data Exchange Header File Version 1.0\n; a comment\n\n[Common Infos]\nCodepage=UTF-8\n\
    DataFile=x.eeg\nDataFormat=BINARY\nDataOrientation=MULTIPLEXED\nNumberOfChannels=3\nSamplingInterval=500\n\n\
    [Binary Infos]\nBinaryFormat=INT_16\n\n[Channel Infos]\nCh1=A,,0.5,µV\nCh2=B\\1b,REF,,\nCh3=C,,0.25,mV,more\n\n\
    [Comment]\nDataFormat=ASCII\n";

fn parts(header: &[u8], data: &[u8]) -> Result<Recording, String> {
    let store = |name: &str, bytes: &[u8]| Store::in_memory(Path::new(name), bytes.to_vec());
    brainvision::from_parts(store("x.vhdr", header), store("x.eeg", data)).map_err(|e| e.to_string())
}

fn with(from: &str, to: &str) -> String {
    assert!(HEADER.contains(from), "{from}");
    HEADER.replacen(from, to, 1)
}

/// Number of sample `t` of channel `c`.
fn number(c: usize, t: usize) -> i16 {
    (1000 * c + t) as i16 - 1500
}

/// Numbers of three channels as bytes, a sample or a channel at a time.
fn numbers(samples: usize, vectorized: bool, bytes: impl Fn(i16) -> Vec<u8>) -> Vec<u8> {
    let places: Vec<(usize, usize)> = if vectorized {
        (0..3).flat_map(|c| (0..samples).map(move |t| (c, t))).collect()
    } else {
        (0..samples).flat_map(|t| (0..3).map(move |c| (c, t))).collect()
    };
    places.into_iter().flat_map(|(c, t)| bytes(number(c, t))).collect()
}

#[test]
fn every_format_gives_the_same_values() {
    type Bytes = fn(i16) -> Vec<u8>;
    let formats: [(&str, Bytes); 5] = [
        ("BinaryFormat=INT_16", |n| n.to_le_bytes().to_vec()),
        ("BinaryFormat=INT_32", |n| i32::from(n).to_le_bytes().to_vec()),
        ("BinaryFormat=IEEE_FLOAT_32", |n| f32::from(n).to_le_bytes().to_vec()),
        ("BinaryFormat=int_16\nUseBigEndianOrder=YES", |n| n.to_be_bytes().to_vec()),
        ("BinaryFormat=IEEE_FLOAT_32\nUseBigEndianOrder=YES", |n| f32::from(n).to_be_bytes().to_vec()),
    ];
    // More samples than the reader takes at once.
    for (samples, vectorized) in [(7, false), (7, true), (30_000, false), (30_000, true)] {
        for (format, bytes) in formats {
            let header = with("BinaryFormat=INT_16", format);
            let order = if vectorized { "VECTORIZED" } else { "MULTIPLEXED" };
            let header = header.replace("MULTIPLEXED", order);
            let mut r = parts(header.as_bytes(), &numbers(samples, vectorized, bytes)).expect("sound");
            assert!(r.notices.is_empty(), "{:?}", r.notices);
            for (c, gain) in [0.5, 1.0, 0.25].into_iter().enumerate() {
                let want: Vec<f64> = (0..samples).map(|t| gain * f64::from(number(c, t))).collect();
                assert_eq!(whole(&mut r, c), want, "{format} {order}");
                let mut part = Vec::new();
                r.read(c, 3..samples as u64 - 2, &mut part).expect("samples");
                assert_eq!(part, want[3..samples - 2], "{format} {order}");
            }
            assert_eq!(r.channels[0].digital.is_some(), format.to_uppercase().contains("INT_16"));
        }
    }
}

#[test]
fn names_units_and_rates() {
    let data = numbers(4, false, |n| n.to_le_bytes().to_vec());
    let names = |r: &Recording| r.channels.iter().map(|c| c.name.clone()).collect::<Vec<_>>();
    let units = |r: &Recording| r.channels.iter().map(|c| c.unit.clone()).collect::<Vec<_>>();
    let plain = parts(HEADER.as_bytes(), &data).expect("sound");
    assert_eq!((names(&plain), plain.format), (vec!["A".into(), "B,b".into(), "C".into()], "BrainVision"));
    assert_eq!(units(&plain), ["µV", "µV", "mV"], "µV where none is given");
    assert_eq!((plain.channels[0].rate_hz, plain.channels[0].samples), (2000.0, 4));
    // 1.000588346 ms from sample to sample: the rate of a real file.
    let odd =
        parts(with("SamplingInterval=500", "SamplingInterval=1000.588346").as_bytes(), &data).expect("sound");
    assert_eq!(format!("{:.3}", odd.channels[0].rate_hz), "999.412");
    let windows = format!("\u{feff}{}", HEADER.replace('\n', "\r\n"));
    let windows = parts(windows.as_bytes(), &data).expect("byte order mark and CRLF");
    assert_eq!((names(&windows), units(&windows)), (names(&plain), units(&plain)));
    let latin: Vec<u8> = with("UTF-8", "ANSI").chars().map(|c| c as u8).collect();
    let latin = parts(&latin, &data).expect("Latin-1");
    assert_eq!((units(&latin), latin.notices.len()), (units(&plain), 0));
    let lying: Vec<u8> = HEADER.chars().map(|c| c as u8).collect();
    let lying = parts(&lying, &data).expect("Latin-1 that calls itself UTF-8");
    assert_eq!((lying.channels[0].microvolts(), lying.notices.len()), (Some(1.0), 1));
}

#[test]
fn files_are_found_by_any_of_the_three() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    let data = numbers(4, false, |n| n.to_le_bytes().to_vec());
    let markers = "Brain Vision Data Exchange Marker File, Version 1.0\n[Common Infos]\nDataFile=$b.eeg\n[Marker Infos]\n\
        Mk1=New Segment,,1,1,0,20131207082920000000\nMk2=Stimulus,S 1,2,1,0\nMk3=New Segment,,3,1,0\n";
    std::fs::write(at("run.vhdr"), with("DataFile=x.eeg", "DataFile=$b.eeg\nMarkerFile=$b.vmrk"))
        .expect("header");
    std::fs::write(at("run.eeg"), &data).expect("data");
    std::fs::write(at("run.vmrk"), markers).expect("markers");
    for name in ["run.vhdr", "run.eeg", "run.vmrk"] {
        let mut r = open(&at(name)).expect(name);
        assert_eq!((r.path.clone(), whole(&mut r, 0)[1]), (at(name), 0.5 * f64::from(number(0, 1))));
        assert!(
            r.notices[0]
                .contains("not continuous: 1 of the segments begin later, the first of these at sample 3")
        );
    }
    std::fs::write(at("run.vmrk"), "[Marker Infos]\nMk1=A,,1,1,0\nMk1=B,,1,1,0\n").expect("damaged markers");
    assert!(open(&at("run.vhdr")).expect("the samples").notices[0].contains("markers are left out"));
    // The header was renamed: its data still carry the name that it says; then all were, and it says the old one.
    std::fs::rename(at("run.vhdr"), at("new.vhdr")).expect("rename");
    std::fs::write(at("new.vhdr"), with("DataFile=x.eeg", "DataFile=C:\\data\\run.eeg")).expect("header");
    assert_eq!(open(&at("run.eeg")).expect("by the header that names it").channels.len(), 3);
    std::fs::rename(at("run.eeg"), at("new.eeg")).expect("rename");
    let r = open(&at("new.vhdr")).expect("renamed");
    assert!(r.notices[0].contains("run.eeg is not there") && r.notices[0].contains("new.eeg is taken"));
    std::fs::remove_file(at("new.eeg")).expect("remove");
    assert!(open(&at("new.vhdr")).expect_err("no data").contains("there is no data file"));
    std::fs::write(at("lone.eeg"), &data).expect("data");
    assert!(
        open(&at("lone.eeg"))
            .expect_err("no header")
            .contains("no BrainVision header (.vhdr) beside it names this file")
    );
    std::fs::write(at("text.vhdr"), "DataFile=x").expect("file");
    assert!(open(&at("text.vhdr")).expect_err("no header").contains("line 1: expected 'Brain Vision"));
}

#[test]
fn what_cannot_be_right_is_named() {
    let data = numbers(4, false, |n| n.to_le_bytes().to_vec());
    let cases = [
        (with("DataFormat=BINARY", "DataFormat=ASCII"), "line 7, DataFormat: data in ASCII are not read"),
        (with("DataFile=x.eeg\n", ""), "[common infos]: 'DataFile=' is missing"),
        (
            with("NumberOfChannels=3", "NumberOfChannels=0"),
            "line 9, NumberOfChannels: '0' is no number of channels",
        ),
        (with("NumberOfChannels=3", "NumberOfChannels=4000000000"), "[channel infos]: 'Ch4=' is missing"),
        (with("SamplingInterval=500", "SamplingInterval=0"), "line 10, SamplingInterval: '0' is no time"),
        (with("SamplingInterval=500", "SamplingInterval=-1"), "'-1' is no time"),
        (with("SamplingInterval=500", "SamplingInterval=1e-320"), "is no time"),
        (
            with("INT_16", "FLOAT_64"),
            "BinaryFormat: 'FLOAT_64' is not read; expected INT_16 or INT_32 or IEEE_FLOAT_32",
        ),
        (with("MULTIPLEXED", "DIAGONAL"), "DataOrientation: 'DIAGONAL' is not read"),
        (
            with("Ch1=A,,0.5,µV", "Ch1=A,,zero,µV"),
            "Ch1: resolution 'zero' of channel A is no number other than 0",
        ),
        (with("Ch1=A,,0.5,µV", "Ch1=A,,0,µV"), "resolution '0' of channel A"),
        (with("Ch3=", "Ch2="), "line 18: line 17 says 'B\\1b,REF,,' for the same key"),
        (
            with("MULTIPLEXED", "VECTORIZED\nDataPoints=3"),
            "the header says DataPoints=3: vectors of channels cannot be found",
        ),
        (
            with("[Comment]", "[More]")
                .replace("DataFormat=ASCII", "")
                .replace("NumberOfChannels=3", "NumberOfChannels=3\nDataPoints=x"),
            "'x' is no number of samples",
        ),
    ];
    for (header, words) in cases {
        let error = parts(header.as_bytes(), &data).err().unwrap_or_else(|| panic!("no error: {words}"));
        assert!(error.starts_with("x.") && error.contains(words), "{error}\n  lacks: {words}");
    }
    assert!(parts(HEADER.as_bytes(), &data[..5]).expect_err("short").contains("there is no sample"));
    let cut = parts(with("MULTIPLEXED", "VECTORIZED").as_bytes(), &data[..23]).expect_err("cut off");
    assert!(cut.contains("3 samples of 3 channels of 2 bytes and 5 bytes more"), "{cut}");
    let cut = parts(with("NumberOfChannels=3", "NumberOfChannels=3\nDataPoints=4").as_bytes(), &data[..23])
        .expect("the rest");
    assert_eq!(cut.channels[0].samples, 3);
    assert!(
        cut.notices[0].contains("cut off") && cut.notices[1].contains("DataPoints=4, the data file has 3")
    );
}

proptest! {
    /// Wherever the files are cut off and whatever bytes are hit: an error or values.
    #[test]
    fn damage_never_panics(
        cuts in [0_usize..500, 0_usize..40],
        hits in proptest::collection::vec((0_usize..500, any::<u8>()), 0..8),
        vectorized: bool,
    ) {
        let header = if vectorized { with("MULTIPLEXED", "VECTORIZED") } else { HEADER.to_owned() };
        let mut header = header.into_bytes();
        for (at, byte) in hits {
            let n = header.len();
            header[at % n] = if byte < 128 { b"0123456789-+.e\n,=["[byte as usize % 18] } else { byte };
        }
        if cuts[0] % 3 == 0 {
            header.truncate(cuts[0]);
        }
        let mut data = numbers(5, vectorized, |n| n.to_le_bytes().to_vec());
        data.truncate(data.len().saturating_sub(cuts[1]));
        if let Ok(mut recording) = parts(&header, &data) {
            exercise(&mut recording);
        }
    }
}
