//! The embedded recording against what is known of its source.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::path::Path;

use lagrange_gpu::data::recording::{Recording, embedded, open};

fn values(recording: &mut Recording, channel: usize) -> Vec<f64> {
    let mut out = Vec::new();
    let samples = recording.channels[channel].samples;
    recording.read(channel, 0..samples, &mut out).expect("samples");
    out
}

/// Mean and population standard deviation.
fn moments(values: &[f64]) -> [f64; 2] {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    [mean, (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt()]
}

#[test]
fn fifty_depth_contacts_of_five_seconds_at_512_hz() {
    let mut recording = embedded().expect("embedded");
    assert_eq!(recording.channels.len(), 50);
    assert!(recording.notices.is_empty(), "{:?}", recording.notices);
    for c in &recording.channels {
        assert_eq!(
            (c.rate_hz, c.samples, c.kind.as_str(), c.bad),
            (512.0, 2560, "SEEG", false),
            "{}",
            c.name
        );
        assert_eq!(c.microvolts(), Some(1.0), "{}", c.name);
        assert!(c.digital.is_some());
    }
    let names = [0, 6, 18, 49].map(|i| recording.channels[i].name.clone());
    assert_eq!(names, ["IAR1", "IPR1", "AL1", "PHR8"]);
    let summaries = recording.summarize(0.1).expect("summary");
    assert!(summaries.iter().all(|s| (s.clipped, s.nan, s.flat) == (Some(0), 0, 0)), "nothing suspicious");
    // Before rounding to 16 bits SciPy has these; rounding by at most half a step moves mean and deviation by at most as much.
    let [mean, sd] = moments(&values(&mut recording, 0));
    let step = recording.channels[0].digital.expect("16 bits").gain / 2.0;
    assert!((mean - -18.3872).abs() < step + 5e-5 && (sd - 125.0849).abs() < step + 5e-5, "{mean} {sd}");
    // The source at 2000 Hz, over the same 5 s: below 256 Hz lies all but a fraction of its variance.
    assert!((mean - -18.3746).abs() < 0.05 && (sd / 125.3381 - 1.0).abs() < 0.005);
}

#[test]
fn any_stretch_is_the_same_as_in_the_whole() {
    let mut recording = open(Path::new("embedded-ieeg")).expect("by its name");
    for channel in [0, 17, 49] {
        let whole = values(&mut recording, channel);
        for range in [0..1, 5..5, 100..2560, 2559..2560] {
            let mut part = Vec::new();
            recording.read(channel, range.clone(), &mut part).expect("samples");
            assert_eq!(part, whole[range.start as usize..range.end as usize]);
        }
    }
    let mut none = Vec::new();
    assert!(recording.read(50, 0..1, &mut none).is_err());
    assert!(recording.read(0, 0..2561, &mut none).is_err());
    assert!(none.is_empty());
}
