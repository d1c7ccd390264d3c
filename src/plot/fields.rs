//! Receptive fields: the weights from an input that is an image, one tile a neuron.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ImageEncoder, RgbImage};

use super::PlotError;
use super::axis::drawable;
use super::canvas::{Font, Hold, SMALL, heading_height, svg};
use super::style::{INK, Ink, diverging, rgb};

/// Most neurons of a picture.
pub const MOST_TILES: usize = 100;
/// Pixels between tiles, before magnification.
pub const GAP: usize = 1;
/// Tiles are magnified up to about this width of the whole picture, in pixels.
const WIDTH: usize = 720;
/// Inputs of fewer neurons, or a side of fewer, are not taken for images.
const LEAST_SIDE: usize = 6;
/// Share of the weights that the scale reaches over: a few large ones would leave all others pale.
pub const WITHIN: f64 = 0.999;
/// Steps of the colour bar.
const STEPS: usize = 60;

/// The weights of one projection from an image.
#[derive(Clone, Debug, PartialEq)]
pub struct Fields<'a> {
    /// Weights, [neurons, rows × columns], row-major.
    pub weights: &'a [f64],
    /// Neurons.
    pub neurons: usize,
    /// Rows and columns of the image.
    pub shape: (usize, usize),
}

/// A grid of tiles.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// The picture as PNG, 8 bits a channel.
    pub png: Vec<u8>,
    /// Its width and height in pixels.
    pub size: (usize, usize),
    /// End of the scale of all tiles: dark red is `+most` and more, dark blue `−most` and less.
    pub most: f64,
    /// Largest magnitude of a weight that is shown.
    pub largest: f64,
    /// Tiles a row.
    pub columns: usize,
    /// Pixels of the picture a weight, along each side.
    pub zoom: usize,
    /// Neurons that are shown: the first of the population.
    pub shown: usize,
}

/// Rows and columns of an image of `n` pixels: that of a square.
#[must_use]
pub fn image_shape(n: usize) -> Option<(usize, usize)> {
    let side = n.isqrt();
    (side * side == n && side >= LEAST_SIDE).then_some((side, side))
}

/// Draws the weights of the first neurons (at most [`MOST_TILES`]), by index from the top left, row by row. One scale holds for all tiles,
/// symmetric about 0, up to the magnitude that [`WITHIN`] of the weights do not exceed (of fewer than 1,000 the largest); what is not finite is grey. Tile `i` begins at pixel
/// `zoom·(GAP + (i mod columns)·(columns of the image + GAP))` from the left, likewise from the top.
///
/// # Errors
/// [`PlotError::Empty`] if there are no weights, or not as many as `neurons` and `shape` say; [`PlotError::Draw`].
pub fn receptive_fields(fields: &Fields<'_>) -> Result<Grid, PlotError> {
    let (rows, columns) = fields.shape;
    let pixels = rows.checked_mul(columns).filter(|n| *n > 0 && rows.max(columns) <= 4096);
    let fits = pixels.and_then(|n| n.checked_mul(fields.neurons)) == Some(fields.weights.len());
    let Some(pixels) = pixels.filter(|_| fits && fields.neurons > 0) else {
        let what = format!(
            "{} weights are not {} images of {rows} × {columns}",
            fields.weights.len(),
            fields.neurons
        );
        return Err(PlotError::Empty(what));
    };
    let shown = fields.neurons.min(MOST_TILES);
    let weights = &fields.weights[..shown * pixels];
    let (most, largest) = ends(weights);
    let across = (1..=10).find(|n| n * n >= shown).unwrap_or(10);
    let down = shown.div_ceil(across);
    let zoom = (WIDTH / (across * (columns + GAP))).clamp(1, 6);
    let side = |tiles: usize, pixels: usize| zoom * (GAP + tiles * (pixels + GAP));
    let size = (side(across, columns), side(down, rows));
    let image = RgbImage::from_fn(size.0 as u32, size.1 as u32, |x, y| {
        let (x, y) = (x as usize / zoom, y as usize / zoom);
        let (tile_x, tile_y) = (x / (columns + GAP), y / (rows + GAP));
        let (in_x, in_y) = (x % (columns + GAP), y % (rows + GAP));
        let tile = tile_y * across + tile_x;
        if in_x < GAP || in_y < GAP || tile_x >= across || tile >= shown {
            return image::Rgb([0xFF; 3]);
        }
        let at = (in_y - GAP) * columns + in_x - GAP;
        image::Rgb(diverging(weights[tile * pixels + at], most))
    });
    let mut png = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut png, CompressionType::Best, FilterType::Up);
    let encoded = encoder.write_image(&image, size.0 as u32, size.1 as u32, image::ExtendedColorType::Rgb8);
    encoded.map_err(|error| PlotError::Draw(error.to_string()))?;
    Ok(Grid { png, size, most, largest, columns: across, zoom, shown })
}

/// The magnitude that [`WITHIN`] of the weights do not exceed, and the largest.
fn ends(weights: &[f64]) -> (f64, f64) {
    let mut sizes: Vec<f64> = weights.iter().map(|w| w.abs()).filter(|w| drawable(*w)).collect();
    sizes.sort_by(f64::total_cmp);
    let at = (WITHIN * sizes.len() as f64).ceil() as usize;
    let of = |count: usize| sizes.get(count.wrapping_sub(1)).copied().unwrap_or(0.0);
    (of(at), of(sizes.len()))
}

/// The same with title and colour bar, as SVG with the PNG inside.
///
/// # Errors
/// [`PlotError::Draw`].
pub fn framed(grid: &Grid, title: &str, about: &[String]) -> Result<String, PlotError> {
    use base64::Engine as _;
    let (w, h) = (grid.size.0 as f64, grid.size.1 as f64);
    let top = heading_height(about.len());
    let (left, width) = (14.0, (w + 124.0).max(360.0));
    let svg = svg(width, top + h.max(150.0) + 16.0, |canvas| {
        canvas.heading(left, title, about, width - 28.0)?;
        let (x, high) = (left + w + 18.0, h.clamp(120.0, 240.0));
        let step = high / STEPS as f64;
        for i in 0..STEPS {
            let value = 2.0 * (i as f64 + 0.5) / STEPS as f64 - 1.0;
            let (y, own) = (top + high - (i + 1) as f64 * step, if i == 0 { step } else { step + 0.5 });
            canvas.fill((x, y), (12.0, own), rgb(diverging(value, 1.0)))?;
        }
        for share in [-1.0, 0.0, 1.0] {
            let y = top + high * (0.5 - 0.5 * share);
            canvas.line(&[(x + 12.0, y), (x + 16.0, y)], Ink::new(INK, 1.0))?;
            canvas.text((x + 20.0, y), &scale(share * grid.most), Font::new(SMALL))?;
        }
        let font = Font::new(SMALL).hold(Hold::Middle).upright();
        canvas.text((x + 72.0, top + 0.5 * high), "weight", font)
    })?;
    let data = base64::engine::general_purpose::STANDARD.encode(&grid.png);
    let fine = f64::from(super::canvas::FINE);
    let picture = format!(
        "<image x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" href=\"data:image/png;base64,{data}\"/>\n</svg>",
        left * fine,
        top * fine,
        w * fine,
        h * fine
    );
    Ok(svg.trim_end().strip_suffix("</svg>").map_or_else(|| svg.clone(), |open| format!("{open}{picture}\n")))
}

/// A number of the colour bar, with its sign.
fn scale(value: f64) -> String {
    if value == 0.0 { "0".into() } else { super::axis::minus(&format!("{value:+.3}")) }
}
