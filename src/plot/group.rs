//! Learning curves of several seeds and their control: mean and standard deviation.

use super::PlotError;
use super::axis::{Axis, drawable, extent};
use super::learning::{EpochPoint, Half, percent, picture};
use super::panel::Series;
use super::scores::LOWEST;
use super::style::{BLUE, Ink, Marker, ORANGE};
use crate::sinks::Spread;

/// Runs that differ by their seed alone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arm {
    /// What they have in common, for the legend.
    pub name: String,
    /// The epochs of each run.
    pub runs: Vec<Vec<EpochPoint>>,
}

/// What the picture of a group is drawn from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupCurves {
    /// First line.
    pub title: String,
    /// Lines below it.
    pub about: Vec<String>,
    /// The experiment, and its control if there is one.
    pub arms: Vec<Arm>,
    /// Simulated time of an epoch in seconds; NaN = not known.
    pub epoch_s: f64,
}

/// Draws mean and mean ± sample standard deviation over the runs of each arm that have a finite number there: the training cost, and
/// beside it the accuracy on the validation set, R² in the validation part of recordings, or the accuracy on the training samples.
///
/// # Errors
/// [`PlotError::Empty`] if no run has an epoch with a finite cost or accuracy.
pub fn group_curves(group: &GroupCurves) -> Result<String, PlotError> {
    let points = || group.arms.iter().flat_map(|arm| arm.runs.iter().flatten());
    let last = extent(points().map(|e| e.epoch)).map_or(0.0, |(_, hi)| hi);
    // Means over an epoch belong to its middle.
    let cost = half(group, &|e| (e.epoch - 0.5, e.loss), |values| {
        Axis::of_losses("mean training cost ½‖u* − a‖²", values, 6)
    });
    let accuracies = |set: &'static str| {
        move |values: &[f64]| {
            let axis = percent(values);
            Axis { label: format!("{set} {}", axis.label), ..axis }
        }
    };
    let second = if points().any(|e| drawable(e.validation_accuracy)) {
        half(group, &|e| (e.epoch, 100.0 * e.validation_accuracy), accuracies("validation"))
    } else if points().any(|e| drawable(e.validation_r2)) {
        // What is far below 0 would leave no room for the rest.
        let shown = |r2: f64| if r2 >= LOWEST { r2 } else { f64::NAN };
        half(group, &|e| (e.epoch, shown(e.validation_r2)), |values| Axis::linear("validation R²", values, 6))
    } else {
        half(group, &|e| (e.epoch - 0.5, 100.0 * e.train_accuracy), accuracies("training"))
    };
    let halves: Vec<Half> = [cost, second].into_iter().flatten().collect();
    if halves.is_empty() {
        return Err(PlotError::Empty("no run has an epoch with a finite cost or accuracy".into()));
    }
    picture(&group.title, &group.about, &halves, last, group.epoch_s)
}

fn half(
    group: &GroupCurves,
    value: &dyn Fn(&EpochPoint) -> (f64, f64),
    axis: impl Fn(&[f64]) -> Axis,
) -> Option<Half> {
    let inks =
        [Ink::new(BLUE, 2.0).marker(Marker::Circle), Ink::new(ORANGE, 2.0).dashed().marker(Marker::Square)];
    let arms = group.arms.iter().zip(inks.into_iter().cycle());
    let series: Vec<Series> = arms.filter_map(|(arm, ink)| mean_and_band(arm, value, ink)).collect();
    let bands = || series.iter().flat_map(|s| s.band.iter().flat_map(|b| [b.1, b.2]));
    let means = series.iter().flat_map(|s| s.points.iter().map(|p| p.1));
    // The foot of a band may be negative where no value is; it does not decide about the axis.
    let least = series.iter().flat_map(|s| s.points.iter().map(|p| p.1)).fold(f64::INFINITY, f64::min);
    let values: Vec<f64> = means.chain(bands().filter(|b| *b >= 0.5 * least)).collect();
    (!series.is_empty()).then(|| Half { series, y: axis(&values) })
}

/// Of one arm; `None` if no run has a number.
fn mean_and_band(arm: &Arm, value: &dyn Fn(&EpochPoint) -> (f64, f64), ink: Ink) -> Option<Series> {
    let all: Vec<(f64, f64)> = arm.runs.iter().flatten().map(value).filter(|p| drawable(p.0)).collect();
    let mut places: Vec<f64> = all.iter().map(|p| p.0).collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    let (mut points, mut band, mut most) = (Vec::new(), Vec::new(), 0);
    for x in places {
        let here = all.iter().filter(|p| p.0 == x && drawable(p.1)).map(|p| p.1).collect::<Vec<f64>>();
        let Some(Spread { mean, sd }) = Spread::of(&here) else {
            points.push((x, f64::NAN));
            band.push((x, f64::NAN, f64::NAN));
            continue;
        };
        most = most.max(here.len());
        points.push((x, mean));
        band.push(sd.map_or((x, f64::NAN, f64::NAN), |sd| (x, mean - sd, mean + sd)));
    }
    let seeds = match most {
        0 => return None,
        1 => format!("{} (1 seed)", arm.name),
        n => format!("{} (mean ± sd, {n} seeds)", arm.name),
    };
    Some(Series { band, ..Series::new(&seeds, points, ink) })
}
