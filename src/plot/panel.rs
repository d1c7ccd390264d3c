//! One panel of a picture: axes around a frame, lines, bands and marks in it, a legend above.

use std::ops::Range;

use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::cartesian::Cartesian2d;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::element::{PathElement, Polygon};
use plotters::prelude::SVGBackend;
use plotters::style::Color;

use super::axis::Axis;
use super::canvas::{Canvas, Drawn, Font, Hold, SMALL, fine};
use super::line::{segments, thinned};
use super::style::{INK, Ink, MESH, Marker};

/// Lines with more points than this have no marks.
const MOST_MARKS: usize = 40;

type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Scale, Scale>>;

/// A line with its name in the legend; an empty name is not listed.
#[derive(Clone, Debug)]
pub(super) struct Series {
    pub name: String,
    /// Values, x ascending; a point that is not finite is a gap.
    pub points: Vec<(f64, f64)>,
    /// Lower and upper bound at each x.
    pub band: Vec<(f64, f64, f64)>,
    pub ink: Ink,
}

impl Series {
    pub(super) fn new(name: &str, points: Vec<(f64, f64)>, ink: Ink) -> Self {
        Self { name: name.into(), points, band: Vec::new(), ink }
    }
}

/// Where a panel is and what its axes show.
#[derive(Clone, Debug)]
pub(super) struct Panel {
    /// Left and top of the frame, in pixels.
    pub corner: (f64, f64),
    /// Width and height of the frame.
    pub size: (f64, f64),
    pub x: Axis,
    pub y: Axis,
    /// A second axis above the frame that shows the same range in another unit.
    pub top: Option<Axis>,
    /// Room left of the frame for the labels of its axis.
    pub left: f64,
    /// Whether numbers and name stand below.
    pub below: bool,
}

impl Panel {
    /// Draws axes and lines.
    pub(super) fn draw(&self, canvas: &Canvas<'_>, series: &[Series]) -> Drawn {
        let bottom = if self.below { 44.0 } else { 0.0 };
        let (left, right) = (fine(self.corner.0 - self.left), fine(self.corner.0 + self.size.0));
        let (top, low) = (fine(self.corner.1), fine(self.corner.1 + self.size.1 + bottom));
        let area = canvas.area.clone().shrink((left, top), ((right - left) as u32, (low - top) as u32));
        let mut builder = ChartBuilder::on(&area);
        builder.y_label_area_size(fine(self.left)).x_label_area_size(fine(bottom));
        let mut chart = builder.build_cartesian_2d(Scale(self.x.clone()), Scale(self.y.clone()))?;
        self.mesh(&mut chart)?;
        if let Some(axis) = &self.top {
            self.above(canvas, axis)?;
        }
        series.iter().try_for_each(|series| self.band(&mut chart, series))?;
        series.iter().try_for_each(|series| self.line(canvas, &mut chart, series))
    }

    fn mesh(&self, chart: &mut Chart<'_, '_>) -> Drawn {
        let font = Font::new(SMALL).style();
        let thin = INK.stroke_width(fine(1.0) as u32);
        let mut mesh = chart.configure_mesh();
        mesh.label_style(font.clone()).axis_desc_style(font);
        mesh.axis_style(thin).bold_line_style(MESH.stroke_width(fine(0.75) as u32));
        mesh.max_light_lines(0).set_all_tick_mark_size(fine(4.0));
        mesh.y_desc(self.y.label.clone());
        if self.below {
            mesh.x_desc(self.x.label.clone());
        }
        mesh.draw()
    }

    /// The second axis.
    fn above(&self, canvas: &Canvas<'_>, axis: &Axis) -> Drawn {
        let (left, top) = self.corner;
        let line = Ink::new(INK, 1.0);
        let font = Font::new(SMALL).hold(Hold::Middle);
        canvas.line(&[(left, top), (left + self.size.0, top)], line)?;
        for (at, label) in &axis.ticks {
            let x = left + (at - axis.lo) / (axis.hi - axis.lo) * self.size.0;
            canvas.line(&[(x, top), (x, top - 4.0)], line)?;
            canvas.text((x, top - 12.0), label, font)?;
        }
        canvas.text((left + 0.5 * self.size.0, top - 29.0), &axis.label, font)
    }

    /// Where a point lies; NaN if it is off the axes.
    fn at(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let on = |axis: &Axis, v: f64| {
            let at = axis.at(v);
            let room = 1e-9 * (axis.hi - axis.lo);
            if (axis.lo - room..=axis.hi + room).contains(&at) {
                at.clamp(axis.lo, axis.hi)
            } else {
                f64::NAN
            }
        };
        (on(&self.x, x), on(&self.y, y))
    }

    fn band(&self, chart: &mut Chart<'_, '_>, series: &Series) -> Drawn {
        // What reaches below a logarithmic axis ends at its foot.
        let bound = |v: f64| {
            let at = self.y.at(v);
            if at.is_nan() && v <= 0.0 { self.y.lo } else { at.clamp(self.y.lo, self.y.hi) }
        };
        let known = |b: &(f64, f64, f64)| b.1.is_finite() && b.2.is_finite() && self.x.at(b.0).is_finite();
        for part in series.band.split(|b| !known(b)).filter(|part| part.len() > 1) {
            let lower = part.iter().map(|b| (self.x.at(b.0), bound(b.1)));
            let upper = part.iter().rev().map(|b| (self.x.at(b.0), bound(b.2)));
            let outline: Vec<(f64, f64)> = lower.chain(upper).collect();
            chart.draw_series([Polygon::new(outline, series.ink.colour.mix(0.2).filled())])?;
        }
        Ok(())
    }

    fn line(&self, canvas: &Canvas<'_>, chart: &mut Chart<'_, '_>, series: &Series) -> Drawn {
        let places: Vec<(f64, f64)> = series.points.iter().map(|p| self.at(*p)).collect();
        let marked = series.ink.marker != Marker::None && places.len() <= MOST_MARKS;
        for part in segments(&places) {
            if part.len() == 1 || marked {
                let marker = if marked { series.ink.marker } else { Marker::Circle };
                for point in &part {
                    canvas.mark(chart.backend_coord(point), marker, series.ink.colour)?;
                }
            }
            if part.len() > 1 && series.ink.width > 0.0 {
                let part = thinned(part, self.size.0 as usize);
                chart.draw_series([PathElement::new(part, series.ink.stroke())])?;
            }
        }
        Ok(())
    }
}

/// An axis as plotters wants it, with our ticks and their labels.
struct Scale(Axis);

impl Ranged for Scale {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let share = (value - self.0.lo) / (self.0.hi - self.0.lo);
        limit.0 + (f64::from(limit.1 - limit.0) * share).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        // The light points are those of a finer mesh, which there is none.
        let ticks = self.0.ticks.iter().map(|(at, _)| *at);
        ticks.filter(|_| !hint.weight().allow_light_points()).collect()
    }

    fn range(&self) -> Range<f64> {
        self.0.lo..self.0.hi
    }
}

impl ValueFormatter<f64> for Scale {
    fn format(value: &f64) -> String {
        value.to_string()
    }

    fn format_ext(&self, value: &f64) -> String {
        let tick = self.0.ticks.iter().find(|(at, _)| at == value);
        tick.map_or_else(String::new, |(_, label)| label.clone())
    }
}
