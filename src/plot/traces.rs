//! Traces of free electrodes: what was recorded, and what the network said before and after training.

use super::PlotError;
use super::axis::{Axis, drawable, extent};
use super::canvas::{Canvas, Drawn, Font, Hold, SMALL, heading_height, legend_height, shortened, svg};
use super::panel::{Panel, Series};
use super::style::{FAINT, INK, Ink, SKY, VERMILLION};
use crate::sinks::text::thousands;
use plotters::style::RGBColor;

/// Most rows of a picture.
pub const MOST_ROWS: usize = 14;
/// Longest stretch that can be read, ms.
pub const LONGEST_MS: f64 = 10_000.0;

const WIDTH: f64 = 760.0;
const ROW: f64 = 58.0;
const BETWEEN: f64 = 12.0;
/// Left of the frames: names and numbers; right of them: scores.
const LEFT: f64 = 142.0;
const RIGHT: f64 = 78.0;
const TRUTH: RGBColor = RGBColor(0x40, 0x40, 0x40);

/// One free electrode.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// Its name.
    pub name: String,
    /// What was recorded, one a time step; NaN = missing.
    pub truth: Vec<f64>,
    /// The prediction before training; may be empty.
    pub before: Vec<f64>,
    /// The prediction after training; may be empty.
    pub after: Vec<f64>,
    /// R² of the prediction after training on the whole test part; NaN = not known.
    pub r2: f64,
}

/// What a picture of traces is drawn from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Traces {
    /// First line.
    pub title: String,
    /// Lines below it.
    pub about: Vec<String>,
    /// Time of each step in ms; where it starts anew, the picture ends, and where it jumps, lines are broken.
    pub time_ms: Vec<f64>,
    /// Electrodes, in order.
    pub rows: Vec<Trace>,
    /// Unit of the values; empty = none.
    pub unit: String,
}

/// Draws at most [`MOST_ROWS`] electrodes one below the other on one time axis, at most the first [`LONGEST_MS`] of them, each with a
/// scale of its own. Missing values are gaps.
///
/// # Errors
/// [`PlotError::Empty`] if there is no electrode, no time, or not one value a time step.
pub fn traces(all: &Traces) -> Result<String, PlotError> {
    let steps = checked(all)?;
    let rows = &all.rows[..all.rows.len().min(MOST_ROWS)];
    let (first, last) = (all.time_ms[0], all.time_ms[steps - 1]);
    let (unit, per) = if last - first >= 2000.0 { ("s", 1e-3) } else { ("ms", 1.0) };
    let time: Vec<f64> = all.time_ms[..steps].iter().map(|t| t * per).collect();
    let x = Axis::fixed(&format!("time ({unit})"), first * per, last * per, 9);
    let entries = legend(rows);
    let mut about = all.about.clone();
    about.extend(left_out(all, steps));
    let heading = heading_height(about.len());
    let frame = WIDTH - LEFT - RIGHT;
    let top = heading + legend_height(&entries, frame) + 12.0;
    let height = top + rows.len() as f64 * (ROW + BETWEEN) - BETWEEN;
    svg(WIDTH, height + 52.0, |canvas| {
        canvas.heading(14.0, &all.title, &about, WIDTH - 28.0)?;
        canvas.legend((LEFT, heading), frame, &entries)?;
        for (i, row) in rows.iter().enumerate() {
            let panel = Panel {
                corner: (LEFT, top + i as f64 * (ROW + BETWEEN)),
                size: (frame, ROW),
                x: x.clone(),
                y: values(row, steps),
                top: None,
                left: 40.0,
                below: i + 1 == rows.len(),
            };
            draw_row(canvas, &panel, row, &time)?;
        }
        scale_name(canvas, &all.unit, (top + height) / 2.0)
    })
}

/// The number of steps that are drawn.
fn checked(all: &Traces) -> Result<usize, PlotError> {
    let steps = all.time_ms.len();
    if all.rows.is_empty() || steps < 2 {
        let what =
            format!("there are {} free electrodes and {steps} time steps: nothing to draw", all.rows.len());
        return Err(PlotError::Empty(what));
    }
    let ascending = 1 + all.time_ms.windows(2).take_while(|w| w[1] > w[0]).count();
    if ascending < 2 || !all.time_ms[..ascending].iter().all(|t| drawable(*t)) {
        return Err(PlotError::Empty("the times do not ascend, or are not finite".into()));
    }
    let fits = |values: &[f64]| values.is_empty() || values.len() == steps;
    let odd = all.rows.iter().find(|r| r.truth.len() != steps || !fits(&r.before) || !fits(&r.after));
    if let Some(row) = odd {
        let what = format!("electrode {}: there is not one value for each of {steps} time steps", row.name);
        return Err(PlotError::Empty(what));
    }
    let end = all.time_ms[0] + LONGEST_MS;
    Ok(all.time_ms[..ascending].partition_point(|t| *t <= end).max(2))
}

/// What the picture does not show.
fn left_out(all: &Traces, steps: usize) -> Option<String> {
    let mut parts = Vec::new();
    if all.rows.len() > MOST_ROWS {
        parts.push(format!("the first {MOST_ROWS} of {} free electrodes", all.rows.len()));
    }
    if steps < all.time_ms.len() {
        let span = (all.time_ms[steps - 1] - all.time_ms[0]) / 1000.0;
        let share = format!("{} of {}", thousands(steps as u64), thousands(all.time_ms.len() as u64));
        parts.push(format!("the first {span:.1} s ({share} time steps)"));
    }
    (!parts.is_empty()).then(|| format!("shown: {}", parts.join(", ")))
}

const RECORDED: Ink = Ink::new(TRUTH, 1.6);
const BEFORE: Ink = Ink::new(SKY, 1.2).dashed();
const AFTER: Ink = Ink::new(VERMILLION, 1.6);

fn legend(rows: &[Trace]) -> Vec<(&'static str, Ink)> {
    let any = |pick: fn(&Trace) -> &Vec<f64>| rows.iter().any(|row| pick(row).iter().any(|v| drawable(*v)));
    let mut entries = vec![("recorded", RECORDED)];
    if any(|row| &row.before) {
        entries.push(("predicted before training", BEFORE));
    }
    if any(|row| &row.after) {
        entries.push(("predicted after training", AFTER));
    }
    entries
}

/// The axis of a row: over truth and prediction after training; the one before has a say up to the same range again above and below,
/// for it may be anywhere.
fn values(row: &Trace, steps: usize) -> Axis {
    let of = |values: &[f64]| extent(values.iter().copied().take(steps));
    let main = match (of(&row.truth), of(&row.after)) {
        (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
        (a, b) => a.or(b),
    };
    let before = of(&row.before);
    let (lo, hi) = match (main, before) {
        (Some((lo, hi)), Some(b)) => {
            let room = 0.5 * (hi - lo);
            (lo.min(b.0.max(lo - room)), hi.max(b.1.min(hi + room)))
        }
        (main, before) => main.or(before).unwrap_or((0.0, 1.0)),
    };
    let room = 0.04 * (hi - lo);
    let with = |most| Axis::fixed("", lo - room, hi + room, most);
    // Two numbers make a scale.
    (3..6).map(with).find(|axis| axis.ticks.len() > 1).unwrap_or_else(|| with(6))
}

/// The points of a line, broken where time jumps: between the spans of a recording nothing is known.
fn with_gaps(time: &[f64], values: &[f64]) -> Vec<(f64, f64)> {
    let most = 2.5 * (time[1] - time[0]);
    let mut points = Vec::with_capacity(time.len());
    for (i, (&t, &value)) in time.iter().zip(values).enumerate() {
        if i > 0 && t - time[i - 1] > most {
            points.push((t, f64::NAN));
        }
        points.push((t, value));
    }
    points
}

fn draw_row(canvas: &Canvas<'_>, panel: &Panel, row: &Trace, time: &[f64]) -> Drawn {
    let line = |values: &[f64], ink| Series::new("", with_gaps(time, values), ink);
    let series = [line(&row.before, BEFORE), line(&row.truth, RECORDED), line(&row.after, AFTER)];
    panel.draw(canvas, &series)?;
    let middle = panel.corner.1 + 0.5 * ROW;
    let font = Font::new(SMALL).bold();
    let name = shortened(&row.name, font, 76.0);
    canvas.text((panel.corner.0 - 44.0, middle), &name, font.hold(Hold::Right))?;
    if drawable(row.r2) {
        let text = format!("R² {}", super::axis::minus(&format!("{:.2}", row.r2)));
        canvas.text((WIDTH - RIGHT + 8.0, middle), &text, Font::new(SMALL).colour(INK))?;
    }
    Ok(())
}

fn scale_name(canvas: &Canvas<'_>, unit: &str, middle: f64) -> Drawn {
    let text = if unit.is_empty() { "value".to_owned() } else { format!("value ({unit})") };
    let font = Font::new(SMALL).hold(Hold::Middle).upright().colour(FAINT);
    canvas.text((14.0, middle), &shortened(&text, font, 200.0), font)
}
