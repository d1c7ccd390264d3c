//! Filters and resampling against their closed forms.

#![allow(clippy::expect_used, clippy::panic)]

mod series_support;

use std::f64::consts::TAU;

use lagrange_gpu::data::series::{NOTCH_Q, SeriesConfig};
use series_support::{column, plain, prepared, recording};

const RATE: f64 = 1000.0;

/// Voltages of one channel that is `f(t)`, 20 s at 1000 Hz, after the filters of `config`.
fn filtered(config: &SeriesConfig, f: &dyn Fn(f64) -> f64) -> Vec<f64> {
    column(&prepared(vec![recording(RATE, 20.0, &[("A", f)])], config), 0)
}

/// Amplitude of the sine of frequency `hz` in the last 10 s, which are whole periods of it: the transient is over by then.
fn amplitude(values: &[f64], rate: f64, hz: f64) -> f64 {
    let from = values.len() - (10.0 * rate) as usize;
    let (mut re, mut im) = (0.0, 0.0);
    for (k, value) in values.iter().enumerate().skip(from) {
        let phase = TAU * hz * k as f64 / rate;
        (re, im) = (re + value * phase.cos(), im + value * phase.sin());
    }
    2.0 * re.hypot(im) / (values.len() - from) as f64
}

/// Frequency on the warped axis of the bilinear transform, over that of the corner.
fn warped(hz: f64, corner: f64) -> f64 {
    (TAU * hz / RATE / 2.0).tan() / (TAU * corner / RATE / 2.0).tan()
}

/// Single precision of the rows: 2⁻²⁴ of values up to 1, and sums over 10⁴ of them that average it out.
const SINGLE: f64 = 2e-7;

#[test]
fn the_high_pass_is_a_butterworth_filter() {
    for corner in [1.0, 40.0] {
        let config = SeriesConfig { high_pass_hz: Some(corner), ..plain() };
        for hz in [0.1, 0.5, 1.0, 3.0, 10.0, 40.0, 123.0, 400.0] {
            let got = amplitude(&filtered(&config, &|t| (TAU * hz * t).sin()), RATE, hz);
            let w2 = warped(hz, corner).powi(2);
            let expected = w2 / (1.0 + w2 * w2).sqrt();
            assert!((got - expected).abs() < SINGLE, "{hz} Hz over {corner} Hz: {got} for {expected}");
        }
    }
}

#[test]
fn the_notch_takes_out_its_frequency() {
    let config = SeriesConfig { notch_hz: vec![50.0], ..plain() };
    for hz in [1.0, 10.0, 45.0, 49.0, 49.5, 50.0, 50.5, 51.0, 60.0, 300.0] {
        let got = amplitude(&filtered(&config, &|t| (TAU * hz * t).sin()), RATE, hz);
        let w = warped(hz, 50.0);
        let gap = 1.0 - w * w;
        let expected = gap.abs() / gap.hypot(w / NOTCH_Q);
        assert!((got - expected).abs() < SINGLE, "{hz} Hz: {got} for {expected}");
    }
    // Several, in turn: the product.
    let config = SeriesConfig { notch_hz: vec![50.0, 100.0], high_pass_hz: Some(5.0), ..plain() };
    for hz in [50.0, 100.0] {
        assert!(amplitude(&filtered(&config, &|t| (TAU * hz * t).sin()), RATE, hz) < SINGLE, "{hz} Hz");
    }
}

/// The state at the start is that of the first value for ever: a constant stays one.
#[test]
fn filters_start_without_a_step() {
    let high_pass = SeriesConfig { high_pass_hz: Some(0.5), ..plain() };
    let rest = filtered(&high_pass, &|_| 1e4);
    assert!(rest.iter().all(|v| v.abs() < 1e-7), "rounding of 1e4 in f64, amplified by the slow pole");
    let notch = SeriesConfig { notch_hz: vec![50.0], ..plain() };
    let same = filtered(&notch, &|_| 1e4);
    assert!(same.iter().all(|v| (v - 1e4).abs() < 1e-7));
    // A step in the middle passes whole and decays; before it there is nothing: causal.
    let step = filtered(&high_pass, &|t| if t < 10.0 { 1e4 } else { 1e4 + 1.0 });
    assert!(step[..10_000].iter().all(|v| v.abs() < 1e-7));
    assert!((step[10_000] - 1.0).abs() < 0.01 && step[19_999].abs() < 1e-6);
}

/// Rows of a new rate are the sine at their own time, k / rate: no delay. Away from the ends, where half of the filter hangs over.
#[test]
fn resampling_keeps_the_clock() {
    for (from, to) in [(1000.0, 512.0), (999.412, 512.0), (2000.0, 512.0), (512.0, 500.0), (1000.0, 100.0)] {
        let config = SeriesConfig { resample_hz: Some(to), ..plain() };
        for part in [0.004, 0.05, 0.3] {
            let hz = part * to;
            let sine = |t: f64| (TAU * hz * t + 0.3).sin();
            let set = prepared(vec![recording(from, 8.0, &[("A", &sine), ("B", &sine)])], &config);
            let rows = column(&set, 1);
            assert_eq!(set.series[0].step_ms, 1000.0 / to);
            // The test part ends with the recording, the training part before the reach of the filter.
            assert!(rows.len() as f64 >= (8.0 * to).floor() && rows.len() as f64 <= (8.0 * to).ceil() + 1.0);
            // 1/500 of a sample of the file in time, and the ripple of the window.
            let bound = TAU * hz / from / 500.0 + 1e-5;
            for (k, row) in rows.iter().enumerate().take(rows.len() - 150).skip(150) {
                let expected = sine(k as f64 / to);
                assert!(
                    (row - expected).abs() < bound,
                    "{from} to {to}, {hz} Hz, row {k}: {row} for {expected}"
                );
            }
        }
    }
}

/// Frequencies above half the new rate would come back as lower ones.
#[test]
fn resampling_leaves_no_aliases() {
    for (from, to, hz) in
        [(1000.0, 512.0, 256.5), (1000.0, 512.0, 400.0), (2000.0, 100.0, 51.0), (2000.0, 100.0, 730.0)]
    {
        let config = SeriesConfig { resample_hz: Some(to), ..plain() };
        let set = prepared(vec![recording(from, 8.0, &[("A", &|t| (TAU * hz * t).sin())])], &config);
        let rows = column(&set, 0);
        let worst = rows[150..rows.len() - 150].iter().fold(0.0_f64, |m, v| m.max(v.abs()));
        assert!(worst < 1e-4, "{hz} Hz at {from} to {to}: {worst}");
    }
}

/// The signal was at its first value before the recording: no ringing at the start of a large offset.
#[test]
fn resampling_starts_and_ends_without_a_step() {
    let config = SeriesConfig { resample_hz: Some(512.0), ..plain() };
    let rows = filtered(&config, &|_| 1e4);
    assert!(rows.iter().all(|v| (v - 1e4).abs() < 1e-2), "1e-6 of the offset, at each of 1024 positions");
}
