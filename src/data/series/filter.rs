//! High-pass and notch filters: biquads that run forward in time, sample by sample.
//!
//! Causal on purpose: a filter that runs both ways would carry the future into the past, the test part into the training part. Its phase
//! is not linear. The state at the start is that of a signal that has been at its first value for ever: no step at the start.

use std::path::Path;

use biquad::{Biquad, Coefficients, DirectForm2Transposed, Q_BUTTERWORTH_F64, Type};

use super::SeriesError;

/// Frequency of a notch over its −3 dB width.
pub const NOTCH_Q: f64 = 30.0;

/// Corners lower than this part of the rate leave no digits: 1 − cos(2πf/rate) is 2·10⁻¹³ there.
const LOWEST: f64 = 1e-7;

/// A filter that has not seen a sample yet, or is running.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    coefficients: Coefficients<f64>,
    state: Option<DirectForm2Transposed<f64>>,
}

impl Filter {
    fn new(kind: Type<f64>, rate_hz: f64, hz: f64, q: f64) -> Option<Self> {
        let coefficients = Coefficients::from_normalized_params(kind, 2.0 * hz / rate_hz, q).ok()?;
        Some(Self { coefficients, state: None })
    }

    /// Filters samples in place, from where the last call ended.
    pub fn run(&mut self, samples: &mut [f64]) {
        let Some(first) = samples.first().copied() else { return };
        let c = self.coefficients;
        let state = self.state.get_or_insert_with(|| {
            let mut state = DirectForm2Transposed::new(c);
            // The fixed point of the recursion for a constant input: y = H(1)·x, s2 = b2·x − a2·y, s1 = s2 + b1·x − a1·y.
            let rest = first * (c.b0 + c.b1 + c.b2) / (1.0 + c.a1 + c.a2);
            state.s2 = c.b2 * first - c.a2 * rest;
            state.s1 = state.s2 + c.b1 * first - c.a1 * rest;
            state
        });
        for sample in samples {
            *sample = state.run(*sample);
        }
    }
}

/// The filters of one column, in the order in which they run.
///
/// # Errors
/// If a frequency does not go with the rate.
pub(super) fn filters(
    path: &Path,
    rate_hz: f64,
    high_pass_hz: Option<f64>,
    notch_hz: &[f64],
) -> Result<Vec<Filter>, SeriesError> {
    let all = high_pass_hz.map(|hz| ("high-pass-hz", hz, Type::HighPass, Q_BUTTERWORTH_F64)).into_iter();
    let all = all.chain(notch_hz.iter().map(|&hz| ("notch-hz", hz, Type::Notch, NOTCH_Q)));
    all.map(|(key, hz, kind, q)| {
        let wrong = |what: String| SeriesError::Frequency { path: path.to_path_buf(), key, hz, what };
        if hz >= rate_hz / 2.0 {
            let nyquist = rate_hz / 2.0;
            return Err(wrong(format!("not below half the rate of the file, {nyquist} Hz")));
        }
        if hz < LOWEST * rate_hz {
            return Err(wrong(format!(
                "too low for a filter at {rate_hz} Hz; at least {}",
                LOWEST * rate_hz
            )));
        }
        Filter::new(kind, rate_hz, hz, q).ok_or_else(|| wrong("no such filter".to_owned()))
    })
    .collect()
}
