//! Receptive fields, confusion matrices, and their colours.

use lagrange_gpu::plot::{
    Fields, GAP, MOST_TILES, PlotError, confusion, diverging, framed, image_shape, receptive_fields,
    sequential,
};

use super::svg::{elements, texts, those};

/// The ends and the middle of RdBu as ColorBrewer publishes it.
const LOWEST: [u8; 3] = [0x05, 0x30, 0x61];
const ZERO: [u8; 3] = [0xF7, 0xF7, 0xF7];
const HIGHEST: [u8; 3] = [0x67, 0x00, 0x1F];
const GREY: [u8; 3] = [0x99, 0x99, 0x99];

#[test]
fn the_diverging_map_is_symmetric_about_0() {
    for most in [1e-12, 0.3, 1.0, 1e12] {
        assert_eq!(diverging(0.0, most), ZERO);
        assert_eq!(diverging(-0.0, most), ZERO);
        assert_eq!((diverging(-most, most), diverging(most, most)), (LOWEST, HIGHEST));
        assert_eq!((diverging(-2.0 * most, most), diverging(f64::INFINITY, most)), (LOWEST, HIGHEST));
        // A fifth of the way up and down are the published neighbours of the middle.
        assert_eq!(diverging(0.2 * most, most), [0xFD, 0xDB, 0xC7]);
        assert_eq!(diverging(-0.2 * most, most), [0xD1, 0xE5, 0xF0]);
    }
    assert_eq!(diverging(0.0, 0.0), ZERO);
    assert_eq!(diverging(f64::NAN, 1.0), GREY);
    assert_eq!((sequential(0.0), sequential(1.0)), ([0xF7, 0xFB, 0xFF], [0x08, 0x30, 0x6B]));
    assert_eq!(sequential(f64::NAN), GREY);
}

/// Three neurons on an image of 6 × 7: two tiles in the first row, one in the second, one place empty.
#[test]
fn pixels_have_the_colours_of_their_weights() {
    let (rows, columns) = (6, 7);
    let mut weights = vec![0.0; 3 * rows * columns];
    let at = |neuron: usize, row: usize, column: usize| (neuron * rows + row) * columns + column;
    weights[at(0, 0, 0)] = 2.0;
    weights[at(0, 5, 6)] = -2.0;
    weights[at(1, 2, 3)] = 0.4;
    weights[at(2, 1, 0)] = f64::NAN;
    weights[at(2, 0, 1)] = -0.4;
    let grid = receptive_fields(&Fields { weights: &weights, neurons: 3, shape: (rows, columns) }).unwrap();
    assert_eq!((grid.most, grid.largest, grid.columns, grid.shown), (2.0, 2.0, 2, 3));
    let picture = image::load_from_memory(&grid.png).unwrap().to_rgb8();
    let tiles = |n: usize, pixels: usize| grid.zoom * (GAP + n * (pixels + GAP));
    assert_eq!(picture.dimensions(), (tiles(2, columns) as u32, tiles(2, rows) as u32));
    assert_eq!(grid.size, (tiles(2, columns), tiles(2, rows)));
    // All pixels of a weight, at its corners.
    let colour = |neuron: usize, row: usize, column: usize| {
        let x = grid.zoom * (GAP + (neuron % 2) * (columns + GAP) + column);
        let y = grid.zoom * (GAP + (neuron / 2) * (rows + GAP) + row);
        let last = grid.zoom - 1;
        let all = [(0, 0), (last, 0), (0, last), (last, last)];
        let all = all.map(|(dx, dy)| picture.get_pixel((x + dx) as u32, (y + dy) as u32).0);
        assert!(all.iter().all(|c| *c == all[0]));
        all[0]
    };
    assert_eq!((colour(0, 0, 0), colour(0, 5, 6)), (HIGHEST, LOWEST));
    assert_eq!((colour(1, 2, 3), colour(2, 0, 1)), ([0xFD, 0xDB, 0xC7], [0xD1, 0xE5, 0xF0]));
    assert_eq!((colour(0, 3, 3), colour(1, 0, 0), colour(2, 1, 0)), (ZERO, ZERO, GREY));
    // Between the tiles and in the empty place: the sheet.
    assert_eq!((colour(3, 2, 2), picture.get_pixel(0, 0).0), ([0xFF; 3], [0xFF; 3]));
    assert_eq!(
        grid,
        receptive_fields(&Fields { weights: &weights, neurons: 3, shape: (rows, columns) }).unwrap()
    );
}

/// Of 3,600 weights 0.1 % are beyond the scale: ⌈0.999·3600⌉ = 3597, so that the three largest are.
#[test]
fn a_few_large_weights_do_not_set_the_scale() {
    let mut weights = vec![0.5; 3600];
    (weights[7], weights[8], weights[9]) = (-9.0, 5.0, 7.0);
    let grid = receptive_fields(&Fields { weights: &weights, neurons: 100, shape: (6, 6) }).unwrap();
    assert_eq!((grid.most, grid.largest), (0.5, 9.0));
}

#[test]
fn at_most_a_hundred_neurons_are_shown() {
    let weights = vec![1.0; 250 * 36];
    let grid = receptive_fields(&Fields { weights: &weights, neurons: 250, shape: (6, 6) }).unwrap();
    assert_eq!((grid.shown, grid.columns, MOST_TILES), (100, 10, 100));
}

#[test]
fn weights_that_are_no_images_are_refused() {
    for (weights, neurons, shape) in [
        (vec![], 0, (6, 6)),
        (vec![1.0; 35], 1, (6, 6)),
        (vec![1.0; 36], 1, (0, 6)),
        (vec![], 1, (usize::MAX, 2)),
    ] {
        let made = receptive_fields(&Fields { weights: &weights, neurons, shape });
        assert!(matches!(made, Err(PlotError::Empty(_))), "{neurons} {shape:?}");
    }
    assert_eq!(image_shape(784), Some((28, 28)));
    assert_eq!((image_shape(0), image_shape(4), image_shape(785)), (None, None, None));
}

/// The frame holds the PNG itself, and the ends of its scale with their signs.
#[test]
fn the_frame_names_the_scale() {
    let weights = vec![-0.25; 36];
    let grid = receptive_fields(&Fields { weights: &weights, neurons: 1, shape: (6, 6) }).unwrap();
    let svg = framed(&grid, "fields", &["one neuron".into()]).unwrap();
    let image = elements(&svg).into_iter().find(|e| e.name == "image").unwrap();
    assert_eq!(image.number("width"), 4.0 * grid.size.0 as f64);
    assert!(image.get("href").starts_with("data:image/png;base64,iVBORw0KGgo"));
    let texts = texts(&svg);
    for text in ["fields", "one neuron", "+0.250", "0", "−0.250"] {
        assert!(texts.contains(&text.to_owned()), "{text}: {texts:?}");
    }
    assert!(svg.trim_end().ends_with("</svg>"));
}

/// One cell a pair of classes, coloured by its share of the row.
#[test]
fn a_confusion_matrix_is_normalised_by_rows() {
    let counts = vec![vec![7, 0, 0], vec![30, 30, 60], vec![0, 0, 0]];
    let svg = confusion(&counts, "matrix", &[]).unwrap();
    let cells: Vec<_> = elements(&svg)
        .into_iter()
        .filter(|e| e.name == "rect" && e.get("width") == e.get("height"))
        .collect();
    assert_eq!(cells.len(), 9);
    let fills: Vec<&str> = cells.iter().map(|cell| cell.get("fill")).collect();
    // 0, ¼, ½ and 1 are published colours of the map of nine.
    let want =
        ["#08306B", "#F7FBFF", "#F7FBFF", "#C6DBEF", "#C6DBEF", "#6BAED6", "#999999", "#999999", "#999999"];
    assert_eq!(fills, want);
    let texts = texts(&svg);
    for text in ["matrix", "predicted class", "true class", "7", "30", "60", "100.0 %", "25.0 %", "–"] {
        assert!(texts.contains(&text.to_owned()), "{text}: {texts:?}");
    }
    // Counts are light on dark and dark on light.
    let seven = svg.split("<text").find(|part| part.contains(">\n7\n<")).unwrap();
    assert!(seven.contains("#FFFFFF"), "{seven}");
}

#[test]
fn many_classes_have_no_counts_and_odd_matrices_are_refused() {
    let n = 100;
    let counts: Vec<Vec<u64>> =
        (0..n).map(|i| (0..n).map(|j| if i == j { 12345 } else { 0 }).collect()).collect();
    let svg = confusion(&counts, "matrix", &[]).unwrap();
    assert!(!texts(&svg).contains(&"12345".to_owned()));
    assert!(those(&svg, "rect", "fill", "#08306B").len() >= n);
    for odd in [vec![], vec![vec![1, 2]], vec![vec![1], vec![2]], vec![vec![0; 201]; 201]] {
        assert!(matches!(confusion(&odd, "matrix", &[]), Err(PlotError::Empty(_))), "{}", odd.len());
    }
    // Counts of any size are drawn.
    confusion(&[vec![u64::MAX / 4; 3], vec![1, 0, 0], vec![0, 0, 1]], "matrix", &[]).unwrap();
}
