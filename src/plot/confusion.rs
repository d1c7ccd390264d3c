//! A confusion matrix.

use super::PlotError;
use super::canvas::{Canvas, Drawn, Font, Hold, SMALL, heading_height, svg};
use super::style::{FAINT, INK, Ink, rgb, sequential};
use plotters::style::{RGBColor, WHITE};

/// Most classes of a picture, and most whose counts fit into their cells.
const MOST: usize = 200;
const MOST_COUNTED: usize = 30;
/// Steps of the colour bar.
const STEPS: usize = 50;

/// Where the matrix stands, in pixels.
struct Place {
    left: f64,
    top: f64,
    cell: f64,
    classes: usize,
}

impl Place {
    fn side(&self) -> f64 {
        self.cell * self.classes as f64
    }
    fn middle(&self, index: usize) -> f64 {
        (index as f64 + 0.5) * self.cell
    }
}

/// Draws a matrix of counts, row = true class, column = predicted class. The colour of a cell is its share of its row; its count is written
/// into it, the share of right answers beside the row. A row without samples is grey.
///
/// # Errors
/// [`PlotError::Empty`] if the matrix is not square, has no classes, or more than 200.
pub fn confusion(counts: &[Vec<u64>], title: &str, about: &[String]) -> Result<String, PlotError> {
    let classes = counts.len();
    if classes == 0 || classes > MOST || counts.iter().any(|row| row.len() != classes) {
        let what =
            format!("the confusion matrix has {classes} rows; it has to be square, of 1 to {MOST} classes");
        return Err(PlotError::Empty(what));
    }
    let cell = (420.0 / classes as f64).clamp(4.0, 44.0);
    let top = heading_height(about.len()) + 38.0;
    let place = Place { left: 66.0, top, cell, classes };
    let width = (place.left + place.side() + 158.0).max(360.0);
    svg(width, place.top + place.side() + 26.0, |canvas| {
        canvas.heading(14.0, title, about, width - 28.0)?;
        for (row, of_class) in counts.iter().enumerate() {
            cells(canvas, &place, row, of_class)?;
        }
        labels(canvas, &place)?;
        bar(canvas, &place)
    })
}

fn cells(canvas: &Canvas<'_>, place: &Place, row: usize, counts: &[u64]) -> Drawn {
    let all: f64 = counts.iter().map(|&count| count as f64).sum();
    let y = place.top + row as f64 * place.cell;
    let size = (0.36 * place.cell).clamp(5.0, 13.0);
    for (column, &count) in counts.iter().enumerate() {
        let share = if all == 0.0 { f64::NAN } else { count as f64 / all };
        let x = place.left + column as f64 * place.cell;
        // A hairline of the sheet shows between the cells.
        canvas.fill((x + 0.25, y + 0.25), (place.cell - 0.5, place.cell - 0.5), rgb(sequential(share)))?;
        if place.classes <= MOST_COUNTED {
            let text = count.to_string();
            // Long counts have to fit.
            let size = size.min(0.92 * place.cell / (0.6 * text.len() as f64));
            let font = Font::new(size).hold(Hold::Middle).colour(on(share, count));
            canvas.text((x + 0.5 * place.cell, y + 0.5 * place.cell), &text, font)?;
        }
    }
    if place.cell >= 10.0 {
        let right =
            if all == 0.0 { "–".into() } else { format!("{:.1} %", 100.0 * counts[row] as f64 / all) };
        let font = Font::new(SMALL.min(0.8 * place.cell)).hold(Hold::Right).colour(FAINT);
        canvas.text((place.left + place.side() + 52.0, place.top + place.middle(row)), &right, font)?;
    }
    Ok(())
}

/// The colour of a count, to be read on the colour of its cell.
fn on(share: f64, count: u64) -> RGBColor {
    match share {
        share if share > 0.5 => WHITE,
        _ if count == 0 => RGBColor(0xB4, 0xBC, 0xC6),
        _ => INK,
    }
}

fn labels(canvas: &Canvas<'_>, place: &Place) -> Drawn {
    let font = Font::new(SMALL);
    // Every so many classes, so that their numbers do not touch.
    let apart = (15.0 / place.cell).ceil().max(1.0) as usize;
    for class in (0..place.classes).step_by(apart) {
        let name = class.to_string();
        let at = place.middle(class);
        canvas.text((place.left + at, place.top - 11.0), &name, font.hold(Hold::Middle))?;
        canvas.text((place.left - 9.0, place.top + at), &name, font.hold(Hold::Right))?;
    }
    let middle = 0.5 * place.side();
    canvas.text((place.left + middle, place.top - 30.0), "predicted class", font.hold(Hold::Middle))?;
    let upright = font.hold(Hold::Middle).upright();
    canvas.text((place.left - 36.0, place.top + middle), "true class", upright)?;
    if place.cell >= 10.0 {
        let right = place.left + place.side() + 52.0;
        canvas.text((right, place.top - 11.0), "right", font.hold(Hold::Right).colour(FAINT))?;
    }
    Ok(())
}

/// What the colours mean.
fn bar(canvas: &Canvas<'_>, place: &Place) -> Drawn {
    let (left, height) = (place.left + place.side() + 76.0, place.side().clamp(60.0, 220.0));
    let bottom = place.top + height;
    let step = height / STEPS as f64;
    for i in 0..STEPS {
        let share = (i as f64 + 0.5) / STEPS as f64;
        // Each reaches below the next, so that no seam is seen.
        let (y, high) = (bottom - (i + 1) as f64 * step, if i == 0 { step } else { step + 0.5 });
        canvas.fill((left, y), (12.0, high), rgb(sequential(share)))?;
    }
    for (share, label) in [(0.0, "0"), (0.5, "50"), (1.0, "100 %")] {
        let y = bottom - share * height;
        canvas.line(&[(left + 12.0, y), (left + 16.0, y)], Ink::new(INK, 1.0))?;
        canvas.text((left + 20.0, y), label, Font::new(SMALL))?;
    }
    let middle = 0.5 * height;
    let font = Font::new(SMALL).hold(Hold::Middle).upright();
    canvas.text((left + 62.0, place.top + middle.max(60.0)), "share of the true class", font)
}
