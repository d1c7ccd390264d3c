//! Colours and lines: the palette of Okabe and Ito, which is told apart with every kind of colour vision, and one diverging and one
//! sequential map.

use plotters::style::{Color, RGBAColor, RGBColor, ShapeStyle};

use super::canvas::FINE;

/// Text, axes.
pub(super) const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
/// Text of less weight.
pub(super) const FAINT: RGBColor = RGBColor(0x59, 0x59, 0x59);
/// Lines of a mesh.
pub(super) const MESH: RGBColor = RGBColor(0xE4, 0xE4, 0xE4);
/// What is no number.
pub(super) const ABSENT: RGBColor = RGBColor(0x99, 0x99, 0x99);
pub(super) const BLUE: RGBColor = RGBColor(0x00, 0x72, 0xB2);
pub(super) const SKY: RGBColor = RGBColor(0x56, 0xB4, 0xE9);
pub(super) const VERMILLION: RGBColor = RGBColor(0xD5, 0x5E, 0x00);
pub(super) const ORANGE: RGBColor = RGBColor(0xE6, 0x9F, 0x00);
pub(super) const GREEN: RGBColor = RGBColor(0x00, 0x9E, 0x73);
pub(super) const PURPLE: RGBColor = RGBColor(0xCC, 0x79, 0xA7);

/// An opacity that nothing else has: it marks lines that get dashes in the finished SVG, of which plotters knows nothing.
pub(super) const MARK_OF_DASHES: f64 = 0.998;

/// RdBu of ColorBrewer (Harrower & Brewer 2003), from the lowest value to the highest.
const DIVERGING: [[u8; 3]; 11] = [
    [0x05, 0x30, 0x61],
    [0x21, 0x66, 0xAC],
    [0x43, 0x93, 0xC3],
    [0x92, 0xC5, 0xDE],
    [0xD1, 0xE5, 0xF0],
    [0xF7, 0xF7, 0xF7],
    [0xFD, 0xDB, 0xC7],
    [0xF4, 0xA5, 0x82],
    [0xD6, 0x60, 0x4D],
    [0xB2, 0x18, 0x2B],
    [0x67, 0x00, 0x1F],
];

/// Blues of ColorBrewer, from 0 to 1.
const SEQUENTIAL: [[u8; 3]; 9] = [
    [0xF7, 0xFB, 0xFF],
    [0xDE, 0xEB, 0xF7],
    [0xC6, 0xDB, 0xEF],
    [0x9E, 0xCA, 0xE1],
    [0x6B, 0xAE, 0xD6],
    [0x42, 0x92, 0xC6],
    [0x21, 0x71, 0xB5],
    [0x08, 0x51, 0x9C],
    [0x08, 0x30, 0x6B],
];

/// Piecewise linear between the colours of a map, `share` from 0 to 1.
fn between(map: &[[u8; 3]], share: f64) -> [u8; 3] {
    let place = share.clamp(0.0, 1.0) * (map.len() - 1) as f64;
    let low = (place as usize).min(map.len() - 2);
    let part = place - low as f64;
    let mix = |c: usize| f64::from(map[low][c]) * (1.0 - part) + f64::from(map[low + 1][c]) * part;
    [0, 1, 2].map(|c| mix(c).round() as u8)
}

/// The colour of `value` on a scale from `-most` (dark blue) over 0 (near white) to `most` (dark red); beyond it that of its end. What is
/// no number is grey; on a scale of no width all is 0.
#[must_use]
pub fn diverging(value: f64, most: f64) -> [u8; 3] {
    if value.is_nan() {
        return [ABSENT.0, ABSENT.1, ABSENT.2];
    }
    let share = if most > 0.0 { (value / most).clamp(-1.0, 1.0) } else { 0.0 };
    between(&DIVERGING, 0.5 + 0.5 * share)
}

/// The colour of a share from 0 (near white) to 1 (dark blue).
#[must_use]
pub fn sequential(share: f64) -> [u8; 3] {
    if share.is_nan() { [ABSENT.0, ABSENT.1, ABSENT.2] } else { between(&SEQUENTIAL, share) }
}

/// For plotters.
pub(super) fn rgb([r, g, b]: [u8; 3]) -> RGBColor {
    RGBColor(r, g, b)
}

/// What stands at each point of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marker {
    None,
    Circle,
    Square,
    Diamond,
    Triangle,
    Cross,
}

/// How a line looks; widths in pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ink {
    pub colour: RGBColor,
    pub width: f64,
    pub dashed: bool,
    pub marker: Marker,
}

impl Ink {
    pub(super) const fn new(colour: RGBColor, width: f64) -> Self {
        Self { colour, width, dashed: false, marker: Marker::None }
    }
    pub(super) const fn dashed(self) -> Self {
        Self { dashed: true, ..self }
    }
    pub(super) const fn marker(self, marker: Marker) -> Self {
        Self { marker, ..self }
    }
    /// As plotters wants it.
    pub(super) fn stroke(self) -> ShapeStyle {
        let opacity = if self.dashed { MARK_OF_DASHES } else { 1.0 };
        let colour = RGBAColor(self.colour.0, self.colour.1, self.colour.2, opacity);
        colour.stroke_width((self.width * f64::from(FINE)).round().max(1.0) as u32)
    }
}
