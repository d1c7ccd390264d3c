//! Channels, references, scales, parts, storage: what becomes of a recording.

#![allow(clippy::expect_used, clippy::panic)]

mod series_support;

use lagrange_gpu::data::recording::Channel;
use lagrange_gpu::data::series::{
    Channels, Files, Format, Options, Reference, Scale, SeriesConfig, Span, load, prepare,
};
use proptest::prelude::*;
use series_support::{channel, column, digital, from_parts, noise, plain, prepared, recording, try_prepare};

fn names(set: &lagrange_gpu::data::series::SeriesSet) -> Vec<&str> {
    set.series[0].names.iter().map(String::as_str).collect()
}

#[test]
fn halves_by_default() {
    let set = prepared(vec![recording(100.0, 10.0, &[("A", &|t| t), ("B", &|t| -2.0 * t)])], &plain());
    assert_eq!((names(&set), set.inputs, set.targets()), (vec!["A", "B"], 0, 2));
    assert_eq!((set.series[0].step_ms, set.series[0].rows, set.series[0].format), (10.0, 1000, Format::F32));
    assert_eq!(set.train, [Span { series: 0, rows: 0..500 }]);
    assert_eq!(set.test, [Span { series: 0, rows: 500..1000 }]);
    assert!(set.validation.is_empty());
    assert_eq!(set.unit, "µV");
    assert!(
        set.description.contains("a.edf (memory): 2 channels at 100 Hz; 5.00 s training"),
        "{}",
        set.description
    );
    let b = column(&set, 1);
    assert!((0..1000).all(|k| (b[k] + 0.02 * k as f64).abs() < 1e-6), "single precision of values up to 20");
}

#[test]
fn parts_in_seconds() {
    let config = SeriesConfig {
        train_s: Some([1.0, 3.0]),
        validation_s: Some([3.0, 4.5]),
        test_s: Some([6.0, f64::INFINITY]),
        step_ms: Some(2.0),
        ..plain()
    };
    let set = prepared(vec![recording(512.0, 10.0, &[("A", &|t| t)])], &config);
    assert_eq!(set.train[0].rows, 512..1536);
    assert_eq!(set.validation[0].rows, 1536..2304);
    assert_eq!((set.test[0].rows.clone(), set.series[0].step_ms), (3072..5120, 2.0));
    // Nothing behind the last part is kept.
    let config = SeriesConfig { train_s: Some([0.0, 1.0]), test_s: Some([1.0, 2.0]), ..plain() };
    assert_eq!(prepared(vec![recording(512.0, 10.0, &[("A", &|t| t)])], &config).series[0].rows, 1024);
    // A training part that is not given ends where the next one begins, a test part goes on to the end.
    let config = SeriesConfig { validation_s: Some([2.0, 3.0]), ..plain() };
    let set = prepared(vec![recording(512.0, 10.0, &[("A", &|t| t)])], &config);
    assert_eq!((set.train[0].rows.clone(), set.test[0].rows.clone()), (0..1024, 1536..5120));
}

#[test]
fn scales() {
    let f = |t: f64| 100.0 + 20.0 * (t * 7.0).sin();
    let make =
        |scale| prepared(vec![recording(100.0, 10.0, &[("A", &f)])], &SeriesConfig { scale, ..plain() });
    let (raw, divided) = (column(&make(Scale::None), 0), column(&make(Scale::DivideBy(200.0)), 0));
    assert!(raw.iter().zip(&divided).all(|(a, b)| (a / 200.0 - b).abs() < 1e-7));
    assert_eq!(make(Scale::DivideBy(200.0)).unit, "µV × 200");
    let z = column(&make(Scale::ZScore), 0);
    let (train, count) = (&z[..500], 500.0);
    let mean = train.iter().sum::<f64>() / count;
    let variance = train.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count;
    assert!(mean.abs() < 1e-6 && (variance - 1.0).abs() < 1e-6, "single precision: {mean} {variance}");
    // The unit of the file: 1 mV is 1000 µV.
    let (mut c, samples) =
        (channel("A", 100.0, 1000), (0..1000).map(|i| f64::from(i % 7)).collect::<Vec<_>>());
    c.unit = "mV".into();
    let set = prepared(vec![from_parts("a", vec![(c.clone(), samples.clone())])], &plain());
    assert!((column(&set, 0)[3] - 3000.0).abs() < 1e-3);
    // A unit that the file does not tell.
    c.unit.clear();
    let config = SeriesConfig { unit: Some("V".into()), scale: Scale::DivideBy(1e6), ..plain() };
    let set = prepared(vec![from_parts("a", vec![(c, samples)])], &config);
    assert!((column(&set, 0)[3] - 3.0).abs() < 1e-6);
}

/// 16-bit integers stay what they are; gain and offset hold all the rest.
#[test]
fn integers_are_kept() {
    let a: Vec<i16> = (0..2000).map(|i| (noise(i, 1) * 32767.0) as i16).collect();
    let b: Vec<i16> = (0..2000).map(|i| (noise(i, 2) * 300.0) as i16).collect();
    let make =
        || from_parts("a", vec![digital("A", 100.0, 0.1, -3.7, &a), digital("B", 100.0, 0.3051, 12.0, &b)]);
    for scale in [Scale::None, Scale::DivideBy(200.0), Scale::ZScore] {
        let set = prepared(vec![make()], &SeriesConfig { scale, ..plain() });
        let series = &set.series[0];
        assert_eq!(series.format, Format::I16);
        let mut bytes = Vec::new();
        series.read(0..2000, &mut bytes).expect("rows");
        let expected: Vec<u8> =
            a.iter().zip(&b).flat_map(|(a, b)| [a.to_le_bytes(), b.to_le_bytes()].concat()).collect();
        assert_eq!(bytes, expected);
    }
    let set = prepared(vec![make()], &plain());
    assert!(column(&set, 0).iter().zip(&a).all(|(v, d)| (v - (0.1 * f64::from(*d) - 3.7)).abs() < 1e-9));
    // Anything that is not affine needs another precision, and so does a file that is not what it says.
    let filtered = SeriesConfig { high_pass_hz: Some(1.0), ..plain() };
    assert_eq!(prepared(vec![make()], &filtered).series[0].format, Format::F32);
    let (channel, mut samples) = digital("A", 100.0, 0.1, 0.0, &a);
    samples[1234] += 0.04;
    let set = prepared(vec![from_parts("a", vec![(channel, samples)])], &plain());
    assert_eq!(set.series[0].format, Format::F32);
    // Recordings with different gains have no common integers.
    let other =
        || from_parts("b", vec![digital("A", 100.0, 0.2, 0.0, &a), digital("B", 100.0, 0.3051, 12.0, &b)]);
    let set = prepared(vec![make(), other()], &plain());
    assert_eq!((set.series.len(), set.series[1].format), (2, Format::F32));
    assert_eq!(set.train, [Span { series: 0, rows: 0..1000 }, Span { series: 1, rows: 0..1000 }]);
    assert_eq!(set.series[0].gain, set.series[1].gain);
}

/// A large offset of an amplifier costs no digits in single precision.
#[test]
fn offsets_cost_no_digits() {
    let config = SeriesConfig { scale: Scale::ZScore, ..plain() };
    let f = |t: f64| 2e5 + 10.0 * (t * 7.0).sin();
    let z = column(&prepared(vec![recording(100.0, 10.0, &[("A", &f)])], &config), 0);
    let (plain, sd) = (|t: f64| (t * 7.0).sin(), 0.5_f64.sqrt());
    // Two values and their difference: the mean of the training part drops out, the sd of a sine is √½ of its amplitude (to 1 % here).
    let (a, b) = (z[40] - z[10], (plain(0.4) - plain(0.1)) / sd);
    assert!((a / b - 1.0).abs() < 0.01, "{a} {b}");
    let smooth = (1..999).all(|k| (z[k + 1] - 2.0 * z[k] + z[k - 1] + 0.0049 * z[k]).abs() < 1e-3);
    assert!(smooth, "no steps of 2e5·2⁻²⁴");
}

#[test]
fn which_channels() {
    let one = |name: &str, kind: &str, bad: bool| {
        let c = Channel { kind: kind.into(), bad, ..channel(name, 100.0, 1000) };
        (c, (0..1000).map(|i| noise(i, name.len())).collect::<Vec<_>>())
    };
    let make = || {
        let all = [
            ("EKG", "ECG", false),
            ("A1", "SEEG", false),
            ("A2", "SEEG", true),
            ("G1", "ECOG", false),
            ("A3", "SEEG", false),
        ];
        from_parts("a", all.map(|(name, kind, bad)| one(name, kind, bad)).to_vec())
    };
    let of = |channels: Channels, drop_bad: bool| {
        let set = prepared(vec![make()], &SeriesConfig { channels, drop_bad, ..plain() });
        set.series[0].names.clone()
    };
    assert_eq!(of(Channels::Default { first: None }, true), ["A1", "G1", "A3"]);
    assert_eq!(of(Channels::Default { first: Some(2) }, false), ["A1", "A2"]);
    let seeg = |first| Channels::Types { types: vec!["seeg".into()], first };
    assert_eq!(of(seeg(None), true), ["A1", "A3"]);
    assert_eq!(of(seeg(Some(1)), true), ["A1"]);
    let named = Channels::Names(vec!["G1".into(), "A2".into()]);
    assert_eq!(of(named.clone(), true), ["G1", "A2"]);
    let (_, notices) = try_prepare(vec![make()], &SeriesConfig { channels: named, ..plain() });
    assert!(notices[0].contains("'A2' is marked as bad, but named"), "{notices:?}");
    // Files that tell no types: all channels.
    assert_eq!(names(&prepared(vec![recording(10.0, 9.0, &[("X", &|t| t)])], &plain())), ["X"]);
}

#[test]
fn inputs_come_first() {
    let all: [(&str, &dyn Fn(f64) -> f64); 3] = [("A", &|t| t), ("B", &|t| t * t), ("C", &|t| -t)];
    let make = || vec![recording(100.0, 10.0, &all)];
    let config = SeriesConfig { inputs: vec!["C".into(), "A".into()], ..plain() };
    let set = prepared(make(), &config);
    assert_eq!((names(&set), set.inputs, set.targets()), (vec!["C", "A", "B"], 2, 1));
    assert!((column(&set, 0)[100] + 1.0).abs() < 1e-6);
    // One that is not among the chosen channels is taken without their reference.
    let channels = Channels::Names(vec!["A".into(), "B".into()]);
    let reference = Reference::CommonAverage;
    let config = SeriesConfig { inputs: vec!["C".into()], channels, reference, ..plain() };
    let set = prepared(make(), &config);
    assert_eq!(names(&set), ["C", "A", "B"]);
    assert!((column(&set, 0)[200] + 2.0).abs() < 1e-6);
    assert!((column(&set, 1)[200] - (2.0 - 4.0) / 2.0).abs() < 1e-6);
}

#[test]
fn references() {
    let all: [(&str, &dyn Fn(f64) -> f64); 6] = [
        ("B2", &|t| 2.0 * t),
        ("A1", &|t| t),
        ("A3", &|t| 5.0 * t),
        ("A2", &|t| 3.0 * t),
        ("A5", &|t| t * t),
        ("B1", &|t| 7.0 - t),
    ];
    let make = || vec![recording(100.0, 10.0, &all)];
    let set = prepared(make(), &SeriesConfig { reference: Reference::CommonAverage, ..plain() });
    for row in set.series[0].values(0..1000).expect("rows").chunks(6) {
        assert!(row.iter().sum::<f64>().abs() < 1e-4, "six values up to 100 in single precision: {row:?}");
    }
    let (set, notices) = try_prepare(make(), &SeriesConfig { reference: Reference::Bipolar, ..plain() });
    let set = set.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(names(&set), ["B1-B2", "A1-A2", "A2-A3"]);
    let row = set.series[0].values(200..201).expect("a row");
    for (value, expected) in row.iter().zip([7.0 - 3.0 * 2.0, -2.0 * 2.0, -2.0 * 2.0]) {
        assert!((value - expected).abs() < 1e-5, "{value} for {expected}");
    }
    assert!(notices[0].contains("left out: A5"), "{notices:?}");
}

/// A busy recording: five channels at 1000 Hz, whose samples from `from` on are others where `other`.
fn busy(seconds: f64, from: f64, other: bool) -> lagrange_gpu::data::recording::Recording {
    let samples = (seconds * 1000.0) as usize;
    let one = |c: usize| {
        let value = |i: usize| {
            let seed = if other && i as f64 >= from * 1000.0 { c + 50 } else { c };
            300.0 * noise(i, seed) + 40.0 * c as f64
        };
        (channel(&format!("A{c}"), 1000.0, samples), (0..samples).map(value).collect())
    };
    from_parts("a", (0..5).map(one).collect())
}

fn bytes(set: &lagrange_gpu::data::series::SeriesSet, rows: std::ops::Range<usize>) -> Vec<u8> {
    let mut bytes = Vec::new();
    set.series[0].read(rows, &mut bytes).expect("rows");
    bytes
}

/// Other samples in the test part: not a bit of the training rows, nor of their scale, is another.
#[test]
fn nothing_leaks_from_the_test_part() {
    for reference in [Reference::None, Reference::CommonAverage, Reference::Bipolar] {
        for resample_hz in [None, Some(512.0), Some(100.0)] {
            for train_s in [None, Some([0.5, 3.0])] {
                let config = SeriesConfig {
                    reference,
                    resample_hz,
                    high_pass_hz: Some(0.5),
                    notch_hz: vec![50.0],
                    scale: Scale::ZScore,
                    train_s,
                    test_s: Some([3.0, 6.0]),
                    ..plain()
                };
                let (one, other) = (
                    prepared(vec![busy(6.0, 3.0, false)], &config),
                    prepared(vec![busy(6.0, 3.0, true)], &config),
                );
                assert_eq!(one.train, other.train);
                let (train, test) = (one.train[0].rows.clone(), one.test[0].rows.clone());
                assert_eq!(bytes(&one, 0..train.end), bytes(&other, 0..train.end), "{config:?}");
                assert_eq!(
                    (&one.series[0].gain, &one.series[0].offset),
                    (&other.series[0].gain, &other.series[0].offset)
                );
                assert_ne!(bytes(&one, test.clone()), bytes(&other, test));
                // The price: less than 0.7 s at 100 Hz, nothing without resampling.
                let rate = resample_hz.unwrap_or(1000.0);
                let lost = 3.0 * rate - train.end as f64;
                assert!(
                    if resample_hz.is_none() { lost == 0.0 } else { lost > 0.0 && lost <= 67.0 },
                    "{lost}"
                );
            }
        }
    }
}

/// Rows in a temporary file are those that memory would hold.
#[test]
fn large_recordings_go_to_a_file() {
    let config = SeriesConfig { high_pass_hz: Some(1.0), scale: Scale::ZScore, ..plain() };
    let memory = prepared(vec![busy(4.0, 0.0, false)], &config);
    let spooled = SeriesConfig { memory_limit_mb: 0.0, ..config };
    let file = prepared(vec![busy(4.0, 0.0, false)], &spooled);
    assert!(format!("{:?}", file.series[0]).contains("File"));
    assert_eq!(bytes(&memory, 0..4000), bytes(&file, 0..4000));
    assert_eq!(bytes(&memory, 17..18), bytes(&file, 17..18));
    let mut ignore = |_: String| {};
    let folder = Some(std::path::Path::new("/no/such/folder"));
    let options = Options { folder, ..Options::new(&mut ignore) };
    let error = prepare(vec![busy(4.0, 0.0, false)], &spooled, options).expect_err("no folder").to_string();
    assert!(error.contains("/no/such/folder") && error.contains("memory-limit-mb"), "{error}");
}

#[test]
fn the_embedded_recording() {
    let config = SeriesConfig { scale: Scale::ZScore, ..SeriesConfig::of(Files::Embedded) };
    let mut ignore = |_: String| {};
    let set = load(&config, Options::new(&mut ignore)).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((set.targets(), set.series[0].rows, set.series[0].format), (50, 2560, Format::I16));
    assert_eq!((set.train[0].rows.clone(), set.test[0].rows.clone()), (0..1280, 1280..2560));
    assert_eq!(set.series[0].step_ms, 1000.0 / 512.0);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 24, ..ProptestConfig::default() })]

    /// However a file is read, its rows and their scale are the same, bit for bit.
    #[test]
    fn chunks_do_not_matter(
        chunk in 1..5000_u64,
        resample in prop_oneof![Just(None), Just(Some(512.0)), Just(Some(333.3)), Just(Some(50.0))],
        high_pass in any::<bool>(),
        notch in any::<bool>(),
        bipolar in any::<bool>(),
    ) {
        let config = SeriesConfig {
            resample_hz: resample,
            high_pass_hz: high_pass.then_some(0.7),
            notch_hz: if notch { vec![50.0, 100.0] } else { Vec::new() },
            reference: if bipolar { Reference::Bipolar } else { Reference::CommonAverage },
            scale: Scale::ZScore,
            train_s: Some([0.2, 1.9]),
            test_s: Some([2.0, 3.9]),
            ..plain()
        };
        let mut ignore = |_: String| {};
        let whole = prepare(vec![busy(5.0, 0.0, false)], &config, Options::new(&mut ignore));
        let options = Options { chunk, ..Options::new(&mut ignore) };
        let parts = prepare(vec![busy(5.0, 0.0, false)], &config, options);
        let (whole, parts) = (whole.expect("a set"), parts.expect("a set"));
        let rows = whole.series[0].rows;
        prop_assert_eq!(bytes(&whole, 0..rows), bytes(&parts, 0..rows));
        prop_assert_eq!(&whole.series[0].gain, &parts.series[0].gain);
        prop_assert_eq!(&whole.series[0].offset, &parts.series[0].offset);
    }
}
