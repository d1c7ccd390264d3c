//! Summaries against closed forms, and archives that hold what the recording did.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod recording_support;

use std::path::Path;

use lagrange_gpu::data::recording::{Part, Recording, Store, brainvision, edf as reader, embedded};
use recording_support::{HEAD, Head, Signal, edf, open, signal, whole, words};

/// Three channels of numbers in the given format, a sample at a time.
fn brainvision(format: &str, data: Vec<u8>) -> Recording {
    let header = format!(
        "Brain Vision Data Exchange Header File Version 1.0\n[Common Infos]\nDataFile=x.eeg\nDataFormat=BINARY\n\
         NumberOfChannels=3\nSamplingInterval=1000\n[Binary Infos]\nBinaryFormat={format}\n[Channel Infos]\n\
         Ch1=a,,,\nCh2=b,,0.5,mV\nCh3=c,,,\n"
    );
    let store = |bytes: Vec<u8>| Store::in_memory(Path::new("x"), bytes);
    brainvision::from_parts(store(header.into_bytes()), store(data)).expect("sound")
}

#[test]
fn moments_of_a_ramp_and_of_a_constant_over_many_stretches() {
    let n = 300_000_i32;
    let data = (0..n).flat_map(|t| [t, 7 - t, 5].into_iter().flat_map(i32::to_le_bytes)).collect();
    let mut recording = brainvision("INT_32", data);
    let [up, down, flat] = recording.summarize(0.1).expect("summary")[..] else { panic!("three channels") };
    let n = f64::from(n);
    // Of 0, 1, …, n − 1: mean (n − 1)/2 and population variance (n² − 1)/12. Sums of 3·10⁵ doubles err by less than 10⁻¹¹ of them.
    let (mean, sd) = ((n - 1.0) / 2.0, ((n * n - 1.0) / 12.0).sqrt());
    let near = |got: f64, want: f64| assert!((got / want - 1.0).abs() < 1e-11, "{got} {want}");
    near(up.mean, mean);
    near(up.sd, sd);
    near(down.mean, 0.5 * (7.0 - mean));
    near(down.sd, 0.5 * sd);
    assert_eq!((up.min, up.max, up.flat, up.nan, up.clipped), (0.0, n - 1.0, 0, 0, None));
    assert_eq!((down.min, down.max), (0.5 * (8.0 - n), 3.5));
    assert_eq!((flat.mean, flat.sd, flat.flat, flat.finite), (5.0, 0.0, 300_000, 300_000));
}

#[test]
fn flat_clipped_and_missing_samples_are_counted() {
    // Ten samples a second: runs of 0.3 s are three samples or more.
    let ends = ["-10", "10", "-100", "100"];
    let integers = [1, 1, 1, 2, 2, 100, 100, 100, 100, -100, 3, 101, 0, 4, 4, 4, 4, 4, 5, 6];
    let file = edf(&Head { records: "2", ..HEAD }, &[Signal { ends, ..signal("A", 10) }], &words(&integers));
    let mut recording = reader::open(Store::in_memory(Path::new("x.edf"), file)).expect("sound");
    let of = recording.summarize(0.3).expect("summary")[0];
    assert_eq!((of.flat, of.clipped, of.nan, of.finite), (3 + 4 + 5, Some(6), 0, 20));
    assert!((of.mean - integers.iter().map(|&d| f64::from(d) / 10.0).sum::<f64>() / 20.0).abs() < 1e-12);
    let (nan, inf) = (f32::NAN, f32::INFINITY);
    let rows = [[1.0, nan, nan], [3.0, 2.0, nan], [nan, -inf, nan], [inf, 4.0, nan]];
    let data = rows.iter().flatten().flat_map(|v: &f32| v.to_le_bytes()).collect();
    let mut recording = brainvision("IEEE_FLOAT_32", data);
    let all = recording.summarize(0.1).expect("summary");
    assert_eq!((all[0].nan, all[0].mean, all[0].sd, all[0].min, all[0].max), (2, 2.0, 1.0, 1.0, 3.0));
    assert_eq!((all[1].nan, all[1].mean), (2, 1.5), "resolution 0.5");
    assert_eq!((all[2].nan, all[2].finite), (4, 0));
    assert!(all[2].mean.is_nan() && all[2].min.is_nan());
}

#[test]
fn an_archive_holds_what_the_recording_did() {
    let folder = tempfile::tempdir().expect("folder");
    let mut source = embedded().expect("embedded");
    source.channels[2].bad = true;
    for integers in [true, false] {
        let out = folder.path().join("all.npz");
        let written = source.to_npz(&Part { integers, ..Part::default() }, &out).expect("written");
        assert_eq!((written.samples, written.channels, written.rate_hz), (2560, 50, 512.0));
        assert!(!folder.path().join("all.npz.part").exists());
        let mut back = open(&out).expect("read back");
        assert_eq!(back.channels.len(), 50);
        for c in 0..50 {
            let (want, got) = (whole(&mut source, c), whole(&mut back, c));
            // Integers come back exactly; float32 within its rounding.
            let near = |(a, b): (&f64, &f64)| if integers { a == b } else { *b == f64::from(*a as f32) };
            assert!(want.iter().zip(&got).all(near), "channel {c}");
            let (a, b) = (&source.channels[c], &back.channels[c]);
            assert_eq!(
                (&a.name, &a.unit, &a.kind, a.bad, a.rate_hz),
                (&b.name, &b.unit, &b.kind, b.bad, b.rate_hz)
            );
            assert_eq!(b.digital, a.digital.filter(|_| integers));
        }
    }
    let part = Part {
        channels: vec!["PHR8".to_owned(), "IAR1".to_owned()],
        from_s: Some(1.0),
        to_s: Some(1.25),
        integers: false,
    };
    let out = folder.path().join("part.npz");
    source.to_npz(&part, &out).expect("written");
    let mut back = open(&out).expect("read back");
    assert_eq!(back.channels.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["PHR8", "IAR1"]);
    let want: Vec<f64> = whole(&mut source, 0)[512..640].iter().map(|v| f64::from(*v as f32)).collect();
    assert_eq!(whole(&mut back, 1), want);
}

/// More samples than are held at once: the pieces follow each other without a seam.
#[test]
fn long_recordings_are_written_in_pieces() {
    let n = 400_000_i32;
    let data =
        (0..n).flat_map(|t| [t, -t, 2 * t].into_iter().flat_map(|v| (v as f32).to_le_bytes())).collect();
    let folder = tempfile::tempdir().expect("folder");
    let out = folder.path().join("x.npz");
    brainvision("IEEE_FLOAT_32", data).to_npz(&Part::default(), &out).expect("written");
    let mut back = open(&out).expect("read back");
    for (c, factor) in [1.0, -0.5, 2.0].into_iter().enumerate() {
        let values = whole(&mut back, c);
        assert_eq!(values.len(), n as usize);
        assert!(values.iter().zip(0..).all(|(v, t)| *v == factor * f64::from(t)), "channel {c}");
    }
}

#[test]
fn what_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().expect("folder");
    let mut source = embedded().expect("embedded");
    let mut refused = |part: Part, words: &str| {
        let error = source.to_npz(&part, &folder.path().join("x.npz")).expect_err(words).to_string();
        assert!(error.starts_with("embedded-ieeg: ") && error.contains(words), "{error}\n  lacks: {words}");
    };
    let times = |from_s, to_s| Part { from_s: Some(from_s), to_s: Some(to_s), ..Part::default() };
    refused(times(2.0, 2.0), "time: no samples from 2 to 2 s; there are 2560, from 0 to 5 s");
    refused(times(-1.0, 2.0), "no samples from -1 to 2 s");
    refused(times(0.0, 5.5), "no samples from 0 to 5.5 s");
    refused(times(f64::NAN, 1.0), "no samples from NaN to 1 s");
    refused(
        Part { channels: vec!["X".to_owned()], ..Part::default() },
        "channel 'X': there is no such channel",
    );
    let float = [1.0_f32, 2.0, 3.0].iter().flat_map(|v| v.to_le_bytes()).collect();
    let part = Part { integers: true, ..Part::default() };
    let out = folder.path().join("y.npz");
    let error = brainvision("IEEE_FLOAT_32", float).to_npz(&part, &out).expect_err("float");
    assert!(error.to_string().contains("a: the file does not hold 16-bit integers"), "{error}");
    let mixed = edf(&Head { records: "1", ..HEAD }, &[signal("A", 2), signal("B", 1)], &words(&[1, 2, 3]));
    let mut mixed = reader::open(Store::in_memory(Path::new("x.edf"), mixed)).expect("sound");
    let error = mixed.to_npz(&Part::default(), &out).expect_err("mixed");
    assert!(error.to_string().contains("A has 2 Hz, B has 1 Hz; choose channels of one rate"), "{error}");
    assert!(mixed.to_npz(&Part::default(), Path::new("")).is_err());
    assert!(!out.exists());
    let lone = Part { channels: vec!["B".to_owned()], ..Part::default() };
    let nowhere = folder.path().join("no/such/folder.npz");
    assert!(mixed.to_npz(&lone, &nowhere).expect_err("no folder").to_string().contains("folder.npz"));
}
