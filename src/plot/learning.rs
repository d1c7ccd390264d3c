//! Learning curves: cost and accuracy over the epochs of a run.

use super::PlotError;
use super::axis::{Axis, drawable, extent};
use super::canvas::{heading_height, legend_height, svg};
use super::line::binned;
use super::panel::{Panel, Series};
use super::scores::LOWEST;
use super::style::{BLUE, GREEN, Ink, Marker, SKY, VERMILLION};

/// Width and height of a frame, room left of it, and right of the last one.
const FRAME: (f64, f64) = (340.0, 250.0);
const LEFT: f64 = 78.0;
const RIGHT: f64 = 26.0;
/// Width of a legend.
const LEGEND: f64 = FRAME.0 + 18.0;
/// Room between the legend and the frame for a second axis, and without one.
const ABOVE: (f64, f64) = (42.0, 12.0);
/// Points that all mini-batches together come to.
const BINS: usize = 170;

/// What a run came to in an epoch; NaN where nothing is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EpochPoint {
    /// From 1.
    pub epoch: f64,
    /// Mean cost of the training samples while they were learned.
    pub loss: f64,
    /// Share of training samples that were right while they were learned.
    pub train_accuracy: f64,
    /// Share of validation samples.
    pub validation_accuracy: f64,
    /// Mean cost of the validation samples; of recordings, of the free electrodes in the validation part.
    pub validation_loss: f64,
    /// Mean R² of the outputs, or of the free electrodes of recordings, in the validation part.
    pub validation_r2: f64,
}

impl EpochPoint {
    /// An epoch of which nothing is known.
    #[must_use]
    pub const fn unknown(epoch: f64) -> Self {
        let not = f64::NAN;
        Self {
            epoch,
            loss: not,
            train_accuracy: not,
            validation_accuracy: not,
            validation_loss: not,
            validation_r2: not,
        }
    }
}

/// What a learning curve is drawn from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Learning {
    /// First line.
    pub title: String,
    /// Lines below it.
    pub about: Vec<String>,
    /// One a complete epoch.
    pub epochs: Vec<EpochPoint>,
    /// Cost of mini-batches, at the number of epochs (whole and part) at their ends.
    pub batches: Vec<(f64, f64)>,
    /// Simulated time of an epoch in seconds; NaN = not known.
    pub epoch_s: f64,
    /// Share of test samples, after the last epoch; NaN = not known.
    pub test_accuracy: f64,
    /// Mean cost of the test samples; NaN = not known.
    pub test_loss: f64,
    /// As [`EpochPoint::validation_r2`], in the test part; NaN = not known.
    pub test_r2: f64,
}

/// One of the panels: its lines and the axis of their values.
#[derive(Clone, Debug)]
pub(super) struct Half {
    pub series: Vec<Series>,
    pub y: Axis,
}

/// Draws the cost of training, mini-batches and validation, logarithmic where it falls far, and beside it accuracies and R² if there are any;
/// below the epochs, above the simulated time. Means over an epoch stand in its middle, what was measured after it at its end. Numbers that are not finite are gaps.
///
/// # Errors
/// [`PlotError::Empty`] if there is neither a complete epoch nor a mini-batch with a finite cost.
pub fn learning_curve(run: &Learning) -> Result<String, PlotError> {
    let ends = run.epochs.iter().map(|e| e.epoch).chain(run.batches.iter().map(|b| b.0));
    let last = extent(ends).map_or(0.0, |(_, hi)| hi);
    let halves: Vec<Half> =
        [cost(run, last), accuracy(run, last), r2(run, last)].into_iter().flatten().collect();
    if halves.is_empty() {
        return Err(PlotError::Empty("no epoch and no mini-batch has a finite cost or accuracy".into()));
    }
    picture(&run.title, &run.about, &halves, last.ceil(), run.epoch_s)
}

/// The panels side by side under one heading; `last` is the last epoch, `epoch_s` the simulated seconds of one.
pub(super) fn picture(
    title: &str,
    about: &[String],
    halves: &[Half],
    last: f64,
    epoch_s: f64,
) -> Result<String, PlotError> {
    let timed = (1e-6..=1e9).contains(&epoch_s);
    let heading = heading_height(about.len());
    let legends = halves.iter().map(|half| legend_height(&entries(half), LEGEND)).fold(0.0, f64::max);
    let top = heading + legends + if timed { ABOVE.0 } else { ABOVE.1 };
    let width = halves.len() as f64 * (LEFT + FRAME.0) + RIGHT;
    svg(width, top + FRAME.1 + 52.0, |canvas| {
        canvas.heading(14.0, title, about, width - 28.0)?;
        for (i, half) in halves.iter().enumerate() {
            let left = LEFT + i as f64 * (LEFT + FRAME.0);
            let x = Axis::whole("epoch", last, 8);
            let above = timed.then(|| Axis::fixed("simulated time (s)", 0.0, x.hi * epoch_s, 5));
            let panel = Panel {
                corner: (left, top),
                size: FRAME,
                x,
                y: half.y.clone(),
                top: above,
                left: LEFT - 20.0,
                below: true,
            };
            canvas.legend((left, heading), LEGEND, &entries(half))?;
            panel.draw(canvas, &half.series)?;
        }
        Ok(())
    })
}

fn entries(half: &Half) -> Vec<(&str, Ink)> {
    let named = half.series.iter().filter(|series| !series.name.is_empty());
    named.map(|series| (series.name.as_str(), series.ink)).collect()
}

/// Lines of which at least one point can be drawn.
fn drawn(all: Vec<Series>) -> Vec<Series> {
    all.into_iter().filter(|series| series.points.iter().any(|p| drawable(p.1))).collect()
}

/// A mean over an epoch, which belongs to its middle.
fn means(run: &Learning, value: impl Fn(&EpochPoint) -> f64) -> Vec<(f64, f64)> {
    run.epochs.iter().map(|e| (e.epoch - 0.5, value(e))).collect()
}

/// What holds at the end of an epoch.
fn of(run: &Learning, value: impl Fn(&EpochPoint) -> f64) -> Vec<(f64, f64)> {
    run.epochs.iter().map(|e| (e.epoch, value(e))).collect()
}

fn cost(run: &Learning, last: f64) -> Option<Half> {
    let batches = binned(&run.batches, last.max(1.0), BINS);
    let series = drawn(vec![
        Series::new("training, mini-batches", batches, Ink::new(SKY, 1.2)),
        Series::new("training, mean of the epoch", means(run, |e| e.loss), training()),
        Series::new("validation", of(run, |e| e.validation_loss), validation()),
        Series::new("test", vec![(last, run.test_loss)], test()),
    ]);
    let values: Vec<f64> = series.iter().flat_map(|s| s.points.iter().map(|p| p.1)).collect();
    (!series.is_empty())
        .then(|| Half { series, y: Axis::of_losses("mean cost ½‖u* − a‖²", &values, 6) })
}

fn accuracy(run: &Learning, last: f64) -> Option<Half> {
    let series = drawn(vec![
        Series::new("training, mean of the epoch", means(run, |e| 100.0 * e.train_accuracy), training()),
        Series::new("validation", of(run, |e| 100.0 * e.validation_accuracy), validation()),
        Series::new("test", vec![(last, 100.0 * run.test_accuracy)], test()),
    ]);
    let values: Vec<f64> = series.iter().flat_map(|s| s.points.iter().map(|p| p.1)).collect();
    (!series.is_empty()).then(|| Half { series, y: percent(&values) })
}

/// R² has no lower bound: what is below [`LOWEST`] is not drawn.
fn r2(run: &Learning, last: f64) -> Option<Half> {
    let shown = |value: f64| if value >= LOWEST { value } else { f64::NAN };
    let below = run.epochs.iter().any(|e| e.validation_r2 < LOWEST);
    let name = if below { "validation; gaps are below −1" } else { "validation" };
    let series = drawn(vec![
        Series::new(name, of(run, |e| shown(e.validation_r2)), validation()),
        Series::new("test", vec![(last, shown(run.test_r2))], test()),
    ]);
    let values: Vec<f64> = series.iter().flat_map(|s| s.points.iter().map(|p| p.1)).chain([0.0]).collect();
    (!series.is_empty()).then(|| Half { series, y: Axis::linear("mean R²", &values, 6) })
}

/// An axis of accuracies, which end at 100 %.
pub(super) fn percent(values: &[f64]) -> Axis {
    let axis = Axis::linear("accuracy (%)", values, 6);
    let hi = if extent(values.iter().copied()).is_some_and(|(_, hi)| hi <= 100.0) {
        axis.hi.min(100.0)
    } else {
        axis.hi
    };
    Axis::fixed(&axis.label, axis.lo.min(hi - 1.0), hi, 6)
}

fn training() -> Ink {
    Ink::new(BLUE, 2.0).marker(Marker::Circle)
}

fn validation() -> Ink {
    Ink::new(VERMILLION, 2.0).dashed().marker(Marker::Square)
}

fn test() -> Ink {
    Ink::new(GREEN, 0.0).marker(Marker::Diamond)
}
