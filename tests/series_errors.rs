//! Recordings that do not become series: each error names the file, the channel and the place.

#![allow(clippy::expect_used, clippy::panic)]

mod series_support;

use lagrange_gpu::data::recording::Recording;
use lagrange_gpu::data::series::{Channels, Options, Reference, Scale, SeriesConfig, prepare};
use series_support::{channel, from_parts, noise, plain, recording, try_prepare};

/// Four channels of noise, 10 s at 100 Hz.
fn good() -> Recording {
    let one =
        |(i, name): (usize, &str)| (channel(name, 100.0, 1000), (0..1000).map(|k| noise(k, i)).collect());
    from_parts("folder/a.edf", ["L'1", "L'2", "R1", "EKG"].into_iter().enumerate().map(one).collect())
}

/// The same, with a change to channel 1 and its samples.
fn changed(change: impl Fn(&mut lagrange_gpu::data::recording::Channel, &mut Vec<f64>)) -> Recording {
    let mut all: Vec<_> = (0..3)
        .map(|i| (channel(&format!("A{i}"), 100.0, 1000), (0..1000).map(|k| noise(k, i)).collect()))
        .collect();
    let (channel, samples) = &mut all[1];
    change(channel, samples);
    from_parts("b.edf", all)
}

#[track_caller]
fn refuses(recordings: Vec<Recording>, config: &SeriesConfig, says: &[&str]) {
    match try_prepare(recordings, config).0 {
        Ok(_) => panic!("accepted"),
        Err(error) => {
            let shown = error.to_string();
            for part in says {
                assert!(shown.contains(part), "expected '{part}' in\n{shown}");
            }
        }
    }
}

fn named(names: &[&str]) -> SeriesConfig {
    SeriesConfig { channels: Channels::Names(names.iter().map(|n| (*n).into()).collect()), ..plain() }
}

#[test]
fn names_that_are_not_there() {
    let says =
        ["folder/a.edf: there is no channel 'L1'", "did you mean 'L'1'?", "channels: L'1, L'2, R1, EKG"];
    refuses(vec![good()], &named(&["L1"]), &says);
    let config = SeriesConfig { inputs: vec!["EKG2".into()], ..plain() };
    refuses(vec![good()], &config, &["there is no channel 'EKG2'", "did you mean 'EKG'?"]);
    let two = changed(|c, _| c.name = "A0".into());
    refuses(vec![two], &named(&["A0"]), &["b.edf: there are two channels 'A0'"]);
    // Under a bipolar reference the pairs are names, too.
    let config = SeriesConfig { inputs: vec!["L'1-L2".into()], reference: Reference::Bipolar, ..plain() };
    refuses(vec![good()], &config, &["did you mean 'L'1-L'2'?"]);
}

#[test]
fn no_channel_left() {
    let types = Channels::Types { types: vec!["SEEG".into()], first: None };
    let says =
        ["folder/a.edf: no channel of type SEEG is left", "the file has 4 channels, it tells no types"];
    refuses(vec![good()], &SeriesConfig { channels: types, ..plain() }, &says);
    let first = Channels::Default { first: Some(5) };
    refuses(vec![good()], &SeriesConfig { channels: first, ..plain() }, &["first = 5, but there are only 4"]);
    let config = SeriesConfig { inputs: vec!["R1".into()], ..named(&["R1"]) };
    refuses(vec![good()], &config, &["all channels are inputs"]);
    let config = SeriesConfig { reference: Reference::Bipolar, ..named(&["L'1", "R1"]) };
    refuses(vec![good()], &config, &["no two of the 2 channels are neighbours", "bipolar"]);
    refuses(vec![], &plain(), &["there is no recording"]);
}

#[test]
fn rates_and_units_that_differ() {
    let rate = || changed(|c, _| c.rate_hz = 200.0);
    refuses(vec![rate()], &plain(), &["b.edf: channel 'A1': 200 Hz, but channel 'A0' has 100 Hz"]);
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        refuses(vec![changed(|c, _| c.rate_hz = bad)], &plain(), &["channel 'A1': a rate of", "rate-hz"]);
    }
    let unit = || changed(|c, _| c.unit = "mmHg".into());
    let divided = SeriesConfig { scale: Scale::DivideBy(200.0), ..plain() };
    refuses(vec![unit()], &divided, &["channel 'A1': unit 'mmHg', but divide-by is in µV", "unit = \"µV\""]);
    refuses(vec![changed(|c, _| c.unit.clear())], &divided, &["channel 'A1': no unit, but divide-by"]);
    refuses(vec![unit()], &plain(), &["channel 'A1': unit 'mmHg', but channel 'A0' has unit 'µV'"]);
    let average = SeriesConfig { scale: Scale::ZScore, reference: Reference::CommonAverage, ..plain() };
    refuses(vec![unit()], &average, &["channel 'A1': unit 'mmHg'"]);
    // A z-score of a channel of its own has no unit.
    let z = SeriesConfig { scale: Scale::ZScore, ..plain() };
    assert!(try_prepare(vec![unit()], &z).0.is_ok());
}

#[test]
fn samples_that_are_no_numbers() {
    for bad in [f64::NAN, f64::INFINITY, 1e300] {
        let nan = changed(|_, samples| samples[345] = bad);
        refuses(
            vec![nan],
            &plain(),
            &["b.edf: channel 'A1': sample 345 (3.450 s) is", "leave the channel out"],
        );
        // Behind the last part nobody looks.
        let config = SeriesConfig { train_s: Some([0.0, 2.0]), test_s: Some([2.0, 3.0]), ..plain() };
        assert!(try_prepare(vec![changed(|_, samples| samples[345] = bad)], &config).0.is_ok());
        // Nor at a channel that is not chosen.
        assert!(try_prepare(vec![changed(|_, samples| samples[5] = bad)], &named(&["A0", "A2"])).0.is_ok());
    }
}

#[test]
fn flat_channels() {
    let flat = || changed(|_, samples| samples[..600].fill(3.0));
    let z = SeriesConfig { scale: Scale::ZScore, ..plain() };
    refuses(vec![flat()], &z, &["b.edf: channel 'A1': is flat in the training part"]);
    let filtered = SeriesConfig { high_pass_hz: Some(1.0), reference: Reference::CommonAverage, ..z.clone() };
    refuses(vec![flat()], &filtered, &["channel 'A1': is flat"]);
    let (set, notices) = try_prepare(vec![flat()], &plain());
    assert!(
        set.is_ok() && notices.iter().any(|n| n.contains("'A1' is flat in the training part")),
        "{notices:?}"
    );
    // Two contacts of the same voltage: each has a spread, their difference has none.
    let same =
        |name: &str| (channel(name, 100.0, 1000), (0..1000).map(|k| noise(k, 1)).collect::<Vec<f64>>());
    let both = from_parts("c", vec![same("A1"), same("A2")]);
    let config = SeriesConfig { reference: Reference::Bipolar, ..z };
    refuses(vec![both], &config, &["channel 'A1-A2': has an sd of 0"]);
}

#[test]
fn parts_that_do_not_fit() {
    let config = |train_s, test_s| SeriesConfig { train_s, test_s, ..plain() };
    let long = config(Some([0.0, 8.0]), Some([8.0, 16.0]));
    refuses(vec![good()], &long, &["a.edf: test-s = [8, 16]: the recording is 10 s long"]);
    let late = config(Some([0.0, 8.0]), Some([12.0, f64::INFINITY]));
    refuses(vec![good()], &late, &["test-s = [12, ", "the recording is 10 s long"]);
    refuses(
        vec![good()],
        &config(Some([0.0, 10.0]), None),
        &["test-s = [10, 10]", "the recording is 10 s long"],
    );
    refuses(vec![good()], &config(None, Some([0.0, 5.0])), &["train-s = [0, 0]", "no sample is in it"]);
    refuses(
        vec![good()],
        &config(Some([0.001, 0.002]), None),
        &["train-s = [0.001, 0.002]: no sample is in it"],
    );
    refuses(
        vec![good()],
        &config(Some([0.0, 5.0]), Some([4.0, 6.0])),
        &["test-s = [4, 6]: overlaps train-s = [0, 5]"],
    );
    let resampled = SeriesConfig {
        resample_hz: Some(50.0),
        train_s: Some([3.5, 4.0]),
        test_s: Some([4.0, 9.0]),
        ..plain()
    };
    refuses(vec![good()], &resampled, &["train-s = [3.5, 4]: shorter than the"]);
    refuses(vec![recording(100.0, 0.0, &[("A", &|t| t)])], &plain(), &["the recording is 0 s long"]);
}

#[test]
fn filters_that_do_not_fit_the_rate() {
    let high_pass = |hz| SeriesConfig { high_pass_hz: Some(hz), ..plain() };
    for hz in [50.0, 80.0] {
        let says = format!("a.edf: high-pass-hz = {hz} Hz: not below half the rate of the file, 50 Hz");
        refuses(vec![good()], &high_pass(hz), &[&says]);
    }
    refuses(vec![good()], &high_pass(1e-20), &["too low for a filter at 100 Hz"]);
    let notch = SeriesConfig { notch_hz: vec![10.0, 50.0], ..plain() };
    refuses(vec![good()], &notch, &["notch-hz = 50 Hz: not below half the rate"]);
    let resample = |hz| SeriesConfig { resample_hz: Some(hz), ..plain() };
    refuses(vec![good()], &resample(101.0), &["resample-hz = 101 Hz: above the rate of the file, 100 Hz"]);
    refuses(vec![good()], &resample(1e-9), &["resample-hz = 0.000000001 Hz: less than a thousandth"]);
}

#[test]
fn recordings_that_do_not_go_together() {
    refuses(
        vec![good(), changed(|_, _| {})],
        &plain(),
        &["b.edf: there is no channel 'L'1', which folder/a.edf has"],
    );
    let names = |config: &[&str]| {
        let all = config.iter().map(|n| (channel(n, 100.0, 1000), (0..1000).map(|k| noise(k, 1)).collect()));
        from_parts("c", all.collect())
    };
    refuses(vec![names(&["A", "B"]), names(&["A", "B", "C"])], &plain(), &["c: its channel 'C' is not in c"]);
    refuses(vec![names(&["A", "B"]), names(&["B", "A"])], &plain(), &["another order"]);
    // Named, the order of the file does not matter.
    assert!(try_prepare(vec![names(&["A", "B"]), names(&["B", "A"])], &named(&["A", "B"])).0.is_ok());
    let slow = recording(50.0, 10.0, &[("A", &|t| t), ("B", &|t| t * t)]);
    refuses(vec![names(&["A", "B"]), slow], &plain(), &["a.edf: 50 Hz, but c has 100 Hz"]);
}

#[test]
fn networks_that_do_not_fit() {
    let mut ignore = |_: String| {};
    let options = Options { outputs: Some(56), ..Options::new(&mut ignore) };
    let error = prepare(vec![good()], &plain(), options).expect_err("4 channels").to_string();
    let says = "folder/a.edf: 4 channels are to be learned, but the output population has 56 neurons";
    assert!(error.contains(says), "{error}");
}
