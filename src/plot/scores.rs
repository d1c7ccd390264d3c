//! R² of free electrodes: the network beside its baselines.

use super::PlotError;
use super::axis::{Axis, drawable, extent, minus};
use super::canvas::{Canvas, Drawn, Font, Hold, SMALL, fine, heading_height, legend_height, shortened, svg};
use super::style::{BLUE, FAINT, GREEN, INK, Ink, MESH, Marker, PURPLE, SKY, VERMILLION};
use crate::completion;

/// The axis begins here at the lowest: R² has no lower bound, and one method may be far off.
pub const LOWEST: f64 = -1.0;
/// Most electrodes of a picture.
const MOST_ROWS: usize = 60;
const LEFT: f64 = 112.0;
const FRAME: f64 = 470.0;
const ROW: f64 = 22.0;

/// A method with its R² on each electrode.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Method {
    /// That of a [`completion::Method`], or another.
    pub name: String,
    /// One an electrode; NaN = not defined there.
    pub r2: Vec<f64>,
}

/// What the picture is drawn from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scores {
    /// First line.
    pub title: String,
    /// Lines below it.
    pub about: Vec<String>,
    /// Names of the free electrodes.
    pub electrodes: Vec<String>,
    /// The network, then its baselines.
    pub methods: Vec<Method>,
}

/// Draws R² of every method on every electrode as a mark, one row an electrode, and below the median of each method. What lies under
/// [`LOWEST`] stands at the edge behind an arrowhead, with its number.
///
/// # Errors
/// [`PlotError::Empty`] if there is no finite R², or a method has not one for each electrode.
pub fn scores(all: &Scores) -> Result<String, PlotError> {
    let n = all.electrodes.len();
    if let Some(method) = all.methods.iter().find(|m| m.r2.len() != n) {
        let what = format!("{} has {} values of R² for {n} electrodes", method.name, method.r2.len());
        return Err(PlotError::Empty(what));
    }
    let Some((lo, _)) = extent(all.methods.iter().flat_map(|m| m.r2.iter().copied())) else {
        return Err(PlotError::Empty("no method has a finite R²".into()));
    };
    let axis = Axis::linear("R² on the test part", &[lo.clamp(LOWEST, 0.0), 1.0], 8);
    let names: Vec<String> = all.methods.iter().map(|m| described(&m.name)).collect();
    let entries: Vec<(&str, Ink)> = names
        .iter()
        .zip(&all.methods)
        .enumerate()
        .map(|(i, (text, m))| (text.as_str(), ink(&m.name, i)))
        .collect();
    let mut about = all.about.clone();
    if n > MOST_ROWS {
        about.push(format!("shown: the first {MOST_ROWS} of {n} free electrodes; the median is over all"));
    }
    let heading = heading_height(about.len());
    let top = heading + legend_height(&entries, FRAME) + 12.0;
    let rows = n.min(MOST_ROWS);
    let height = ROW * (rows as f64 + 1.0) + 10.0;
    let width = LEFT + FRAME + 24.0;
    svg(width, top + height + 48.0, |canvas| {
        canvas.heading(14.0, &all.title, &about, width - 28.0)?;
        canvas.legend((LEFT, heading), FRAME, &entries)?;
        let sheet = Sheet { canvas, axis: &axis, top, height };
        sheet.axes()?;
        for (i, name) in all.electrodes.iter().take(rows).enumerate() {
            sheet.row(ROW * (i as f64 + 0.5), name, all.methods.iter().map(|m| (m, m.r2[i])))?;
        }
        let y = height - 0.5 * ROW;
        sheet.rule(height - ROW - 5.0)?;
        sheet.row(y, "median", all.methods.iter().map(|m| (m, median(&m.r2))))
    })
}

/// What a method is called in the legend.
fn described(name: &str) -> String {
    let known = completion::Method::ALL.into_iter().find(|method| method.name() == name);
    known.map_or_else(|| name.to_owned(), |method| method.describe().to_owned())
}

/// Colour and mark of a method; `i` decides for those without one of their own.
fn ink(name: &str, i: usize) -> Ink {
    let others = [(SKY, Marker::Square), (PURPLE, Marker::Diamond), (INK, Marker::Circle)];
    let (colour, marker) = match name {
        "network" => (VERMILLION, Marker::Circle),
        "ridge" => (BLUE, Marker::Square),
        "nearest" => (GREEN, Marker::Triangle),
        "persistence" => (PURPLE, Marker::Diamond),
        "mean" => (FAINT, Marker::Cross),
        _ => others[i % others.len()],
    };
    Ink::new(colour, 0.0).marker(marker)
}

/// The middle of the finite values; NaN of none.
fn median(values: &[f64]) -> f64 {
    let mut finite: Vec<f64> = values.iter().copied().filter(|v| drawable(*v)).collect();
    finite.sort_by(f64::total_cmp);
    match finite.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => finite[n / 2],
        n => 0.5 * (finite[n / 2 - 1] + finite[n / 2]),
    }
}

/// Where rows are drawn.
struct Sheet<'a, 'b> {
    canvas: &'a Canvas<'b>,
    axis: &'a Axis,
    top: f64,
    height: f64,
}

impl Sheet<'_, '_> {
    fn x(&self, value: f64) -> f64 {
        LEFT + (value - self.axis.lo) / (self.axis.hi - self.axis.lo) * FRAME
    }

    fn axes(&self) -> Drawn {
        let (foot, font) = (self.top + self.height, Font::new(SMALL).hold(Hold::Middle));
        for (at, label) in &self.axis.ticks {
            let x = self.x(*at);
            let strong = if *at == 0.0 { Ink::new(FAINT, 1.25) } else { Ink::new(MESH, 0.75) };
            self.canvas.line(&[(x, self.top), (x, foot)], strong)?;
            self.canvas.line(&[(x, foot), (x, foot + 4.0)], Ink::new(INK, 1.0))?;
            self.canvas.text((x, foot + 13.0), label, font)?;
        }
        self.rule(self.height)?;
        self.canvas.text((LEFT + 0.5 * FRAME, foot + 33.0), &self.axis.label, font)
    }

    /// A line across at a distance from the top.
    fn rule(&self, y: f64) -> Drawn {
        let y = self.top + y;
        self.canvas.line(&[(LEFT, y), (LEFT + FRAME, y)], Ink::new(INK, 1.0))
    }

    fn row<'m>(
        &self,
        y: f64,
        name: &str,
        marks: impl DoubleEndedIterator<Item = (&'m Method, f64)> + Clone,
    ) -> Drawn {
        let y = self.top + y;
        self.canvas.line(&[(LEFT, y), (LEFT + FRAME, y)], Ink::new(MESH, 0.75))?;
        let font = Font::new(SMALL);
        self.canvas.text((LEFT - 8.0, y), &shortened(name, font, LEFT - 20.0), font.hold(Hold::Right))?;
        // The first method is drawn last, on top of the others.
        let all: Vec<(Ink, f64)> =
            marks.enumerate().map(|(i, (m, r2))| (ink(&m.name, i), r2)).filter(|m| drawable(m.1)).collect();
        let (on, off): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, r2)| *r2 >= self.axis.lo);
        for (ink, r2) in on.into_iter().rev() {
            self.canvas.mark((fine(self.x(r2)), fine(y)), ink.marker, ink.colour)?;
        }
        if !off.is_empty() {
            let head = [(LEFT + 9.0, y - 4.0), (LEFT + 3.0, y), (LEFT + 9.0, y + 4.0)];
            self.canvas.line(&head, Ink::new(FAINT, 1.5))?;
        }
        for (i, (ink, r2)) in off.into_iter().enumerate() {
            let x = LEFT + 19.0 + 58.0 * i as f64;
            self.canvas.mark((fine(x), fine(y)), ink.marker, ink.colour)?;
            self.canvas.text((x + 8.0, y), &minus(&far(r2)), Font::new(10.0))?;
        }
        Ok(())
    }
}

/// A number far below 0, in few characters.
fn far(value: f64) -> String {
    if value > -1000.0 { format!("{value:.1}") } else { format!("{value:.0e}") }
}
