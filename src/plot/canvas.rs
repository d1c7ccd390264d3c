//! A sheet on which pictures are drawn, in CSS pixels, and its SVG.

use std::io;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::PlotError;
use super::style::{FAINT, INK, Ink, MARK_OF_DASHES, Marker};

/// Raster units a pixel: plotters places everything on whole units, which would be seen at one a pixel.
pub(super) const FINE: i32 = 4;
/// Font size of axes and legends.
pub(super) const SMALL: f64 = 11.5;
/// Half the size of a mark, in pixels.
const MARK: f64 = 3.2;
/// Height of a line of a legend.
pub(super) const LEGEND_LINE: f64 = 17.0;
/// Length of the sample of a line in a legend, and the room after an entry.
const SAMPLE: f64 = 22.0;
const APART: f64 = 14.0;
/// Where the middle of a title is, the room between lines below it, and what is left free below them.
const HEADING: f64 = 20.0;
const HEADING_LINE: f64 = 17.0;
const HEADING_FOOT: f64 = 18.0;
/// plotters divides font sizes by this.
const FONT_FACTOR: f64 = 1.24;
/// Mean width of a character of a sans-serif font, in font sizes; rather too wide, since nothing is known of the font.
const CHARACTER: f64 = 0.58;

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(super) type Failed = DrawingAreaErrorKind<io::Error>;
pub(super) type Drawn = Result<(), Failed>;

/// Pixels in raster units. Far out is as good as farther out.
pub(super) fn fine(pixels: f64) -> i32 {
    (pixels * f64::from(FINE)).round().clamp(-1e6, 1e6) as i32
}

/// Where a text is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    Left,
    Middle,
    Right,
}

/// Size and colour of a text, and how it stands; vertically it is held in the middle.
#[derive(Clone, Copy, Debug)]
pub(super) struct Font {
    pub size: f64,
    pub colour: RGBColor,
    pub bold: bool,
    pub hold: Hold,
    /// Turned by 90° to the left.
    pub upright: bool,
}

impl Font {
    /// A text held at its left end.
    pub(super) const fn new(size: f64) -> Self {
        Self { size, colour: INK, bold: false, hold: Hold::Left, upright: false }
    }
    pub(super) const fn bold(self) -> Self {
        Self { bold: true, ..self }
    }
    pub(super) const fn colour(self, colour: RGBColor) -> Self {
        Self { colour, ..self }
    }
    pub(super) const fn hold(self, hold: Hold) -> Self {
        Self { hold, ..self }
    }
    pub(super) const fn upright(self) -> Self {
        Self { upright: true, ..self }
    }
    /// About how wide a text is, in pixels.
    pub(super) fn width(self, text: &str) -> f64 {
        text.chars().count() as f64 * self.size * CHARACTER
    }
    /// As plotters wants it.
    pub(super) fn style(self) -> TextStyle<'static> {
        let weight = if self.bold { FontStyle::Bold } else { FontStyle::Normal };
        let size = self.size * f64::from(FINE) * FONT_FACTOR;
        let font = FontDesc::new(FontFamily::SansSerif, size, weight);
        let turn = if self.upright { FontTransform::Rotate270 } else { FontTransform::None };
        let hold = match self.hold {
            Hold::Left => HPos::Left,
            Hold::Middle => HPos::Center,
            Hold::Right => HPos::Right,
        };
        TextStyle {
            font: font.transform(turn),
            color: self.colour.to_backend_color(),
            pos: Pos::new(hold, VPos::Center),
        }
    }
}

/// A white sheet.
pub(super) struct Canvas<'a> {
    pub area: Area<'a>,
}

impl Canvas<'_> {
    /// Writes a text.
    pub(super) fn text(&self, at: (f64, f64), text: &str, font: Font) -> Drawn {
        self.area.draw_text(text, &font.style(), (fine(at.0), fine(at.1)))
    }

    /// Draws straight lines from point to point.
    pub(super) fn line(&self, points: &[(f64, f64)], ink: Ink) -> Drawn {
        let points: Vec<(i32, i32)> = points.iter().map(|p| (fine(p.0), fine(p.1))).collect();
        self.area.draw(&PathElement::new(points, ink.stroke()))
    }

    /// Fills a rectangle, given by its corner at the top left and its size.
    pub(super) fn fill(&self, corner: (f64, f64), size: (f64, f64), colour: RGBColor) -> Drawn {
        let far = (fine(corner.0 + size.0), fine(corner.1 + size.1));
        self.area.draw(&Rectangle::new([(fine(corner.0), fine(corner.1)), far], colour.filled()))
    }

    /// Draws a mark at a place of the raster.
    pub(super) fn mark(&self, at: (i32, i32), marker: Marker, colour: RGBColor) -> Drawn {
        let (r, style) = (fine(MARK), colour.filled());
        let polygon = |points: &[(i32, i32)]| {
            let outline: Vec<(i32, i32)> = points.iter().map(|p| (at.0 + p.0, at.1 + p.1)).collect();
            self.area.draw(&Polygon::new(outline, style))
        };
        match marker {
            Marker::None => Ok(()),
            Marker::Circle => self.area.draw(&Circle::new(at, r, style)),
            Marker::Square => {
                let s = r * 7 / 8;
                polygon(&[(-s, -s), (s, -s), (s, s), (-s, s)])
            }
            Marker::Diamond => {
                let d = r * 3 / 2;
                polygon(&[(-d, 0), (0, -d), (d, 0), (0, d)])
            }
            Marker::Triangle => polygon(&[(-r * 6 / 5, r), (r * 6 / 5, r), (0, -r * 6 / 5)]),
            Marker::Cross => self.area.draw(&Cross::new(at, r, style.stroke_width(fine(1.8) as u32))),
        }
    }

    /// Explains lines and marks in rows of at most `width` pixels; gives back where they end.
    pub(super) fn legend(&self, at: (f64, f64), width: f64, entries: &[(&str, Ink)]) -> Result<f64, Failed> {
        let font = Font::new(SMALL);
        let places = legend_places(entries, width);
        for ((name, ink), (x, row)) in entries.iter().zip(&places) {
            let (x, y) = (at.0 + x, at.1 + LEGEND_LINE * (*row as f64 + 0.5));
            if ink.width > 0.0 {
                self.line(&[(x, y), (x + SAMPLE, y)], *ink)?;
            }
            self.mark((fine(x + 0.5 * SAMPLE), fine(y)), ink.marker, ink.colour)?;
            self.text((x + SAMPLE + 6.0, y), name, font)?;
        }
        Ok(at.1 + LEGEND_LINE * places.last().map_or(0, |(_, row)| row + 1) as f64)
    }

    /// Writes title and the lines below it.
    pub(super) fn heading(&self, left: f64, title: &str, lines: &[String], width: f64) -> Drawn {
        let font = Font::new(15.0).bold();
        self.text((left, HEADING), &shortened(title, font, width), font)?;
        let font = Font::new(11.5).colour(FAINT);
        let mut y = HEADING;
        for line in lines {
            y += HEADING_LINE;
            self.text((left, y), &shortened(line, font, width), font)?;
        }
        Ok(())
    }
}

/// How high title and `lines` lines below it are.
pub(super) fn heading_height(lines: usize) -> f64 {
    HEADING + HEADING_LINE * lines as f64 + HEADING_FOOT
}

/// Where the entries of a legend stand: distance from the left and row.
fn legend_places(entries: &[(&str, Ink)], width: f64) -> Vec<(f64, usize)> {
    let (mut x, mut row) = (0.0, 0);
    let mut places = Vec::with_capacity(entries.len());
    for (name, _) in entries {
        let own = SAMPLE + 6.0 + Font::new(SMALL).width(name);
        if x > 0.0 && x + own > width {
            (x, row) = (0.0, row + 1);
        }
        places.push((x, row));
        x += own + APART;
    }
    places
}

/// How high a legend is.
pub(super) fn legend_height(entries: &[(&str, Ink)], width: f64) -> f64 {
    LEGEND_LINE * legend_places(entries, width).last().map_or(0, |(_, row)| row + 1) as f64
}

/// A text that is cut where it would be wider than `width`.
pub(super) fn shortened(text: &str, font: Font, width: f64) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if font.width(&clean) <= width {
        return clean;
    }
    let most = (width / (font.size * CHARACTER)) as usize;
    let mut cut: String = clean.chars().take(most.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// Draws on a sheet of `width` × `height` pixels and gives back its SVG: the same bytes for the same drawing.
///
/// # Errors
/// [`PlotError::Draw`].
pub(super) fn svg(
    width: f64,
    height: f64,
    draw: impl FnOnce(&Canvas<'_>) -> Drawn,
) -> Result<String, PlotError> {
    let mut text = String::new();
    {
        let backend = SVGBackend::with_string(&mut text, (fine(width) as u32, fine(height) as u32));
        let canvas = Canvas { area: backend.into_drawing_area() };
        let drawn =
            canvas.area.fill(&WHITE).and_then(|()| draw(&canvas)).and_then(|()| canvas.area.present());
        drawn.map_err(|error| PlotError::Draw(error.to_string()))?;
    }
    Ok(finished(&text, width, height))
}

/// plotters knows one size, that of its raster, and no dashes: both are put in here.
fn finished(svg: &str, width: f64, height: f64) -> String {
    let (w, h) = (fine(width), fine(height));
    let raster = format!("<svg width=\"{w}\" height=\"{h}\"");
    let shown = format!("<svg width=\"{}\" height=\"{}\"", w / FINE, h / FINE);
    let mark = format!("opacity=\"{MARK_OF_DASHES}\"");
    let dashes = format!("stroke-dasharray=\"{} {}\" stroke-linejoin=\"round\"", 5 * FINE, 3 * FINE);
    let svg = svg.replacen(&raster, &shown, 1).replace(&mark, &dashes);
    svg.replace(
        "<polyline fill=\"none\" opacity",
        "<polyline fill=\"none\" stroke-linejoin=\"round\" opacity",
    )
}
