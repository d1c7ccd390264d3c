//! Cost against a quantity, both axes logarithmic.

use super::PlotError;
use super::axis::{Axis, extent};
use super::canvas::{heading_height, legend_height, svg};
use super::panel::{Panel, Series};
use super::style::{BLUE, GREEN, Ink, Marker, ORANGE, PURPLE, SKY, VERMILLION};

const FRAME: (f64, f64) = (520.0, 340.0);
const LEFT: f64 = 78.0;
const RIGHT: f64 = 26.0;
/// Colours and marks of the curves, in turn.
const INKS: [Ink; 6] = [
    Ink::new(BLUE, 2.0).marker(Marker::Circle),
    Ink::new(VERMILLION, 2.0).marker(Marker::Square),
    Ink::new(GREEN, 2.0).marker(Marker::Diamond),
    Ink::new(ORANGE, 2.0).marker(Marker::Triangle),
    Ink::new(PURPLE, 2.0).marker(Marker::Cross),
    Ink::new(SKY, 2.0).marker(Marker::Circle),
];

/// A curve and its fit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CostCurve {
    /// Name in the legend.
    pub name: String,
    /// Quantity and cost, ascending.
    pub points: Vec<(f64, f64)>,
    /// The fit, drawn with dashes; may be empty.
    pub fit: Vec<(f64, f64)>,
}

/// What the picture is drawn from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CostCurves {
    /// First line.
    pub title: String,
    /// Lines below it.
    pub about: Vec<String>,
    /// Names of the axes, with units.
    pub axes: [String; 2],
    /// The curves.
    pub curves: Vec<CostCurve>,
}

/// Draws all curves in one frame. What is not positive is a gap.
///
/// # Errors
/// [`PlotError::Empty`] if no curve has a point that is positive in both.
pub fn cost_curves(all: &CostCurves) -> Result<String, PlotError> {
    let positive = |p: &&(f64, f64)| p.0 > 0.0 && p.1 > 0.0;
    let points = || all.curves.iter().flat_map(|c| c.points.iter().filter(positive));
    let (Some(x), Some(y)) = (extent(points().map(|p| p.0)), extent(points().map(|p| p.1))) else {
        return Err(PlotError::Empty("no case has a positive cost".into()));
    };
    let mut series = Vec::new();
    for (curve, ink) in all.curves.iter().zip(INKS.iter().cycle()) {
        let fit = Ink::new(ink.colour, 1.2).dashed();
        series.push(Series::new("", curve.fit.clone(), fit));
        series.push(Series::new(&curve.name, curve.points.clone(), Ink { width: 0.0, ..*ink }));
    }
    let named: Vec<(&str, Ink)> =
        series.iter().filter(|s| !s.name.is_empty()).map(|s| (s.name.as_str(), s.ink)).collect();
    let top = heading_height(all.about.len()) + legend_height(&named, FRAME.0) + 12.0;
    let (lo_hi_x, lo_hi_y) = (apart(x), apart(y));
    svg(LEFT + FRAME.0 + RIGHT, top + FRAME.1 + 52.0, |canvas| {
        canvas.heading(14.0, &all.title, &all.about, LEFT + FRAME.0 - 14.0)?;
        canvas.legend((LEFT, heading_height(all.about.len())), FRAME.0, &named)?;
        let panel = Panel {
            corner: (LEFT, top),
            size: FRAME,
            x: Axis::log(&all.axes[0], lo_hi_x.0, lo_hi_x.1),
            y: Axis::log(&all.axes[1], lo_hi_y.0, lo_hi_y.1),
            top: None,
            left: LEFT - 20.0,
            below: true,
        };
        panel.draw(canvas, &series)
    })
}

/// A range of at least a factor of two.
fn apart((lo, hi): (f64, f64)) -> (f64, f64) {
    if hi >= 2.0 * lo { (lo, hi) } else { (lo / 1.5, hi * 1.5) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn curves_have_names_axes_and_dashed_fits() {
        let curve = CostCurve {
            name: "plain".into(),
            points: vec![(1.0, 0.1), (10.0, 0.5), (100.0, 4.0)],
            fit: vec![(1.0, 0.1), (100.0, 4.0)],
        };
        let all = CostCurves {
            title: "cost against batch".into(),
            about: vec!["784-10".into()],
            axes: ["batch".into(), "ms a step".into()],
            curves: vec![curve],
        };
        let svg = cost_curves(&all).unwrap();
        for words in ["cost against batch", "784-10", "plain", "ms a step", "stroke-dasharray"] {
            assert!(svg.contains(words), "{words}");
        }
        // The ends of the axis have ticks.
        assert!(["1", "100"].iter().all(|tick| svg.lines().any(|line| line == *tick)), "{svg}");
        let single = CostCurve { points: vec![(3.0, 2.0)], ..CostCurve::default() };
        assert!(cost_curves(&CostCurves { curves: vec![single], ..all.clone() }).is_ok());
        let none = CostCurve { points: vec![(0.0, 2.0)], ..CostCurve::default() };
        assert!(cost_curves(&CostCurves { curves: vec![none], ..all }).is_err());
    }
}
