//! Axes: ranges of numbers from data, and ticks at round numbers.

/// Numbers beyond this are of a run that has diverged: they are not drawn, so that the rest can be seen.
const MOST: f64 = 1e30;
/// A logarithmic axis is taken from this ratio of the largest to the smallest number on.
const LOG_FROM: f64 = 8.0;

/// Whether a number has a place in a picture.
#[must_use]
pub fn drawable(value: f64) -> bool {
    value.abs() <= MOST
}

/// An axis. Where it is logarithmic, `lo`, `hi` and `ticks` are decimal logarithms.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// What it shows, with its unit.
    pub label: String,
    /// Where it begins.
    pub lo: f64,
    /// Where it ends; greater than `lo`.
    pub hi: f64,
    /// Whether it is logarithmic.
    pub log: bool,
    /// Ticks with their labels, ascending.
    pub ticks: Vec<(f64, String)>,
}

impl Axis {
    /// An axis from `lo` to `hi` with at most about `most` ticks.
    #[must_use]
    pub fn fixed(label: &str, lo: f64, hi: f64, most: usize) -> Self {
        let (lo, hi) = widened(lo, hi);
        let ticks = ticks(lo, hi, step(hi - lo, most));
        Self { label: label.into(), lo, hi, log: false, ticks }
    }

    /// An axis that reaches over all values, out to the next ticks.
    #[must_use]
    pub fn linear(label: &str, values: &[f64], most: usize) -> Self {
        let (lo, hi) = extent(values.iter().copied()).unwrap_or((0.0, 1.0));
        let (lo, hi) = widened(lo, hi);
        let step = step(hi - lo, most);
        Self::fixed(label, (lo / step + 1e-9).floor() * step, (hi / step - 1e-9).ceil() * step, most)
    }

    /// An axis of whole numbers from 0.
    #[must_use]
    pub fn whole(label: &str, hi: f64, most: usize) -> Self {
        let hi = if drawable(hi) && hi >= 1.0 { hi } else { 1.0 };
        let ticks = ticks(0.0, hi, step(hi, most).max(1.0));
        Self { label: label.into(), lo: 0.0, hi, log: false, ticks }
    }

    /// A logarithmic axis over all positive values if they are far apart, else a linear one from 0.
    #[must_use]
    pub fn of_losses(label: &str, values: &[f64], most: usize) -> Self {
        let positive = extent(values.iter().copied().filter(|v| *v > 0.0));
        let all = extent(values.iter().copied());
        match (positive, all) {
            (Some((lo, hi)), Some((least, _))) if least >= 0.0 && hi / lo >= LOG_FROM && lo > 1e-30 => {
                Self::log(label, lo, hi)
            }
            (_, Some((least, _))) if least >= 0.0 => {
                let with_zero: Vec<f64> = values.iter().copied().chain([0.0]).collect();
                Self::linear(label, &with_zero, most)
            }
            _ => Self::linear(label, values, most),
        }
    }

    /// A logarithmic axis from below `lo` to above `hi`, both positive.
    #[must_use]
    pub fn log(label: &str, lo: f64, hi: f64) -> Self {
        let room = 0.03 * (hi / lo).log10();
        let (lo, hi) = (lo.log10() - room, hi.log10() + room);
        let digits: &[f64] = match hi - lo {
            decades if decades < 1.6 => &[1.0, 2.0, 3.0, 5.0, 7.0],
            decades if decades < 3.2 => &[1.0, 2.0, 5.0],
            _ => &[1.0],
        };
        let apart = ((hi - lo) / 8.0).ceil().max(1.0) as i32;
        let powers = (lo.floor() as i32..=hi.ceil() as i32).filter(|p| p % apart == 0);
        let all = powers.flat_map(|power| {
            digits.iter().map(move |d| (d.log10() + f64::from(power), power_label(*d, power)))
        });
        let ticks = all.filter(|(at, _)| (lo..=hi).contains(at)).collect();
        Self { label: label.into(), lo, hi, log: true, ticks }
    }

    /// Where a value lies on the axis; NaN if it has no place there.
    #[must_use]
    pub fn at(&self, value: f64) -> f64 {
        let at = if self.log { value.log10() } else { value };
        if at.is_finite() && drawable(value) { at } else { f64::NAN }
    }
}

/// `0.02`, or `2e-7` where that would get long.
fn power_label(digit: f64, power: i32) -> String {
    match power {
        -4..=-1 => format!("{:.*}", power.unsigned_abs() as usize, digit * 10_f64.powi(power)),
        0..=4 => format!("{}", digit * 10_f64.powi(power)),
        _ => minus(&format!("{digit}e{power}")),
    }
}

/// Smallest and largest of the values that can be drawn.
#[must_use]
pub fn extent(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    let mut all = values.into_iter().filter(|v| drawable(*v));
    let first = all.next()?;
    Some(all.fold((first, first), |(lo, hi), v| (lo.min(v), hi.max(v))))
}

/// A range that can be drawn: never empty, never so narrow that its ticks would be lost in rounding.
fn widened(lo: f64, hi: f64) -> (f64, f64) {
    let (lo, hi) = if drawable(lo) && drawable(hi) { (lo.min(hi), lo.max(hi)) } else { (0.0, 1.0) };
    let size = lo.abs().max(hi.abs());
    if size < 1e-30 {
        (0.0, 1.0)
    } else if hi - lo < 1e-6 * size {
        (lo - 0.05 * size, hi + 0.05 * size)
    } else {
        (lo, hi)
    }
}

/// The smallest of 1, 2, 5 times a power of ten that is at least `span / most`.
fn step(span: f64, most: usize) -> f64 {
    let least = span / most.max(1) as f64;
    let power = 10_f64.powf(least.log10().floor());
    let fits = [1.0, 2.0, 5.0].into_iter().find(|d| d * power >= least * (1.0 - 1e-9));
    fits.unwrap_or(10.0) * power
}

/// Multiples of `step` from `lo` to `hi` with as many digits as they need.
fn ticks(lo: f64, hi: f64, step: f64) -> Vec<(f64, String)> {
    let (first, last) = ((lo / step - 1e-6).ceil(), (hi / step + 1e-6).floor());
    let count = (last - first).clamp(0.0, 100.0) as usize;
    (0..=count)
        .map(|i| {
            let at = (first + i as f64) * step;
            (at.clamp(lo, hi), number(at, step))
        })
        .collect()
}

/// A tick's number.
fn number(value: f64, step: f64) -> String {
    let power = (step.log10() + 1e-9).floor() as i32;
    let text = match power {
        -5..=0 => format!("{value:.*}", power.unsigned_abs() as usize),
        1..=5 => format!("{value:.0}"),
        _ if value.abs() < 0.5 * step => "0".into(),
        _ => {
            let own = (value.abs().log10() + 1e-9).floor() as i32;
            format!("{value:.*e}", (own - power).max(0) as usize)
        }
    };
    let zero = text.trim_start_matches('-').chars().all(|c| c == '0' || c == '.');
    minus(if zero { text.trim_start_matches('-') } else { &text })
}

/// With the sign that is as long as a plus.
pub(super) fn minus(text: &str) -> String {
    text.replace('-', "\u{2212}")
}
