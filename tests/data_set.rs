//! The embedded subset, the split, and the encoding.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::HashSet;
use std::io::Read;

use lagrange_gpu::data::{DataError, Dataset, Encoding, Samples, Split};
use sha2::{Digest, Sha256};

fn split(seed: u64, validation: usize, train_limit: Option<usize>) -> Split {
    Split { seed, validation, train_limit }
}

/// `n` samples of two pixels that say which sample they are.
fn numbered(n: usize) -> Samples {
    let images = (0..n).flat_map(|i| [(i / 256) as u8, (i % 256) as u8]).collect();
    Samples::new(images, (0..n).map(|i| (i % 10) as u8).collect(), 2, 10).unwrap()
}

fn numbers(samples: &Samples) -> Vec<usize> {
    (0..samples.len())
        .map(|i| samples.image(i))
        .map(|p| usize::from(p[0]) * 256 + usize::from(p[1]))
        .collect()
}

fn cut(n: usize, split: Split) -> Result<Dataset, DataError> {
    Dataset::new(numbered(n), numbered(3), "numbers".to_owned(), split)
}

#[test]
fn the_embedded_subset_has_2000_and_100_of_each_class() {
    let data = Dataset::embedded_mnist(split(1, 0, None)).unwrap();
    assert_eq!(data.counts(), [20_000, 0, 1_000]);
    assert_eq!((data.train.pixels(), data.train.classes()), (784, 10));
    for (samples, each) in [(&data.train, 2_000), (&data.test, 100)] {
        for class in 0..10 {
            assert_eq!(samples.labels().iter().filter(|&&l| l == class).count(), each);
        }
    }
    // The official training labels begin 5 0 4 1 9 2 1 3 1 4, the test labels 7 2 1 0 4 1 4 9 5 9.
    assert_eq!(data.train.labels()[..10], [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    assert_eq!(data.test.labels()[..10], [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
    assert!(data.check(784, 10).is_ok());
    assert!(matches!(data.check(40, 10), Err(DataError::Size { pixels: 784, n_in: 40, .. })));
    assert!(matches!(data.check(784, 9), Err(DataError::Classes { classes: 10, n_out: 9 })));
}

#[test]
fn the_embedded_files_are_those_of_the_licence_file() {
    let assets = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
    let stated = std::fs::read_to_string(assets.join("LICENSES.md")).unwrap();
    for (name, bytes) in [
        ("train-images-idx3-ubyte.gz", 15_680_016),
        ("train-labels-idx1-ubyte.gz", 20_008),
        ("t10k-images-idx3-ubyte.gz", 784_016),
        ("t10k-labels-idx1-ubyte.gz", 1_008),
    ] {
        let mut content = Vec::new();
        let file = std::fs::File::open(assets.join("mnist").join(name)).unwrap();
        flate2::read::GzDecoder::new(file).read_to_end(&mut content).unwrap();
        assert_eq!(content.len(), bytes, "{name}");
        let hash: String = Sha256::digest(&content).iter().map(|b| format!("{b:02x}")).collect();
        let line = stated.lines().find(|l| l.contains(name) && l.contains(&hash));
        assert!(line.is_some(), "{name}: {hash} is not in LICENSES.md");
    }
}

#[test]
fn validation_is_drawn_from_the_training_samples_alone() {
    let data = cut(1000, split(7, 300, None)).unwrap();
    let validation = data.validation.clone().unwrap();
    assert_eq!(data.counts(), [700, 300, 3]);
    let (train, held_out) = (numbers(&data.train), numbers(&validation));
    let all: HashSet<usize> = train.iter().chain(&held_out).copied().collect();
    assert_eq!(all, (0..1000).collect(), "each sample is in one part, none in both");
    assert!(train.is_sorted() && held_out.is_sorted());
    assert!(validation.labels().iter().zip(&held_out).all(|(&l, &i)| usize::from(l) == i % 10));
    assert_eq!(numbers(&data.test), [0, 1, 2]);
    // Drawn from everywhere, not from one end.
    assert!(held_out[0] < 100 && held_out[299] >= 900);
}

#[test]
fn the_split_follows_the_seed() {
    let draw = |seed| numbers(&cut(500, split(seed, 50, None)).unwrap().validation.unwrap());
    assert_eq!(draw(3), draw(3));
    assert_ne!(draw(3), draw(4));
}

#[test]
fn the_limit_takes_the_first_samples_before_the_split() {
    let data = cut(500, split(3, 20, Some(100))).unwrap();
    let mut both = [numbers(&data.train), numbers(&data.validation.clone().unwrap())].concat();
    both.sort_unstable();
    assert_eq!(both, (0..100).collect::<Vec<_>>());
    assert_eq!(cut(50, split(3, 0, Some(100))).unwrap().counts(), [50, 0, 3]);
    assert!(matches!(cut(50, split(3, 0, Some(0))), Err(DataError::Limit)));
    let none_left = cut(500, split(3, 100, Some(100)));
    assert!(matches!(none_left, Err(DataError::Validation { validation: 100, available: 100 })));
}

#[test]
fn samples_that_do_not_fit_are_refused() {
    assert!(matches!(Samples::new(vec![0; 7], vec![0; 3], 2, 10), Err(DataError::Shape { .. })));
    assert!(matches!(Samples::new(vec![0; 6], vec![0; 3], 0, 10), Err(DataError::Shape { .. })));
    assert!(matches!(Samples::new(vec![0; 6], vec![0; 2], 2, 10), Err(DataError::Count { .. })));
    assert!(matches!(Samples::new(vec![], vec![], 2, 10), Err(DataError::Samples { samples: 0, .. })));
    let label = Samples::new(vec![0; 4], vec![9, 10], 2, 10);
    assert!(matches!(label, Err(DataError::Label { index: 1, label: 10, classes: 10, .. })));
    let other = Samples::new(vec![0; 3], vec![1], 3, 10).unwrap();
    let mixed = Dataset::new(numbered(5), other, "mixed".to_owned(), Split::default());
    assert!(matches!(mixed, Err(DataError::Kinds { train: [2, 10], test: [3, 10] })));
}

#[test]
fn encodings_follow_their_formulas() {
    let unit = Encoding::Unit.pixel_table();
    assert_eq!((unit[0], unit[51], unit[255]), (0.0, 0.2, 1.0));
    assert_eq!(Encoding::Unit.label_table(), [0.0, 1.0]);
    // p(0) = 0.9 · 0.1 / 1.1 = 9/110, so the odds are 9 : 101; p(1) = 0.9, the odds 9 : 1.
    let logit = Encoding::Logit.pixel_table();
    // Two roundings of values near 1 and a logarithm: a few units of the last place.
    assert!((logit[0] - (9.0_f64 / 101.0).ln()).abs() < 1e-14);
    assert!((logit[255] - 9.0_f64.ln()).abs() < 1e-14);
    assert!(logit.is_sorted());
    assert_eq!(Encoding::Logit.label_table(), [logit[0], logit[255]]);
}
