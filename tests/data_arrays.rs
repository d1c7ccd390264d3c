//! Arrays and pictures of the user: how they are read, split and scaled, what is refused, and that networks learn them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)] // A test fails by panicking.

mod array_support;
mod resume_support;

use std::path::Path;
use std::sync::Arc;

use array_support::{bytes, doubles, grey, longs, npy, singles, write};
use lagrange_gpu::data::arrays::{
    AnswerKind, ArrayFiles, ArraysConfig, InputScale, Loaded, PicturesConfig, Scaling, Shape, TestPart, load,
    load_pictures,
};
use lagrange_gpu::data::{Answers, DataError, Dataset, Encoding, Split, Values};
use lagrange_gpu::dynamics::Resident;
use lagrange_gpu::engine::{Device, Precision};
use resume_support::{BATCHES, CLASSES, Kind, PIXELS, Plan, run};
use tempfile::TempDir;

const SHAPE: Shape = Shape { n_in: 2, n_out: 1, encoding: Encoding::Unit };

/// An experiment on `x.npy` and `y.npy` in a folder, with a test part that is drawn.
fn config(folder: &Path, answers: AnswerKind, test: usize) -> ArraysConfig {
    ArraysConfig {
        train: ArrayFiles { inputs: folder.join("x.npy"), answers: folder.join("y.npy") },
        answers,
        test: TestPart::Count(test),
        scale: InputScale::None,
    }
}

fn split(validation: usize) -> Split {
    Split { seed: 3, validation, train_limit: None }
}

/// Samples that are numbers.
fn values(loaded: Loaded) -> (Dataset<Values>, Option<Scaling>) {
    match loaded {
        Loaded::Values(data, scaling) => (data, scaling),
        Loaded::Bytes(_) => panic!("bytes"),
    }
}

fn refused(config: &ArraysConfig, shape: Shape, says: &[&str]) {
    let error = load(config, shape, split(0)).expect_err(says[0]).to_string();
    assert!(says.iter().all(|s| error.contains(s)), "{error}");
}

/// Samples 0 to 11 with inputs (i, −i) and target 10 i: each is in one part, and parts do not mix inputs and targets.
#[test]
fn every_sample_is_in_one_part() {
    let place = TempDir::new().unwrap();
    let all: Vec<f32> = (0..12).map(|i| i as f32).collect();
    write(place.path(), "x.npy", singles(&[12, 2], &all.iter().flat_map(|&i| [i, -i]).collect::<Vec<_>>()));
    write(place.path(), "y.npy", singles(&[12], &all.iter().map(|i| 10.0 * i).collect::<Vec<_>>()));
    let config = config(place.path(), AnswerKind::Targets, 3);
    let (data, scaling) = values(load(&config, SHAPE, split(2)).unwrap());
    assert!(scaling.is_none());
    assert_eq!(data.counts(), [7, 2, 3]);
    let mut seen = Vec::new();
    for part in [&data.train, data.validation.as_ref().unwrap(), &data.test] {
        for (i, x) in part.inputs().chunks(2).enumerate() {
            assert_eq!(x[1], -x[0]);
            assert_eq!(part.targets(i), Some(&[10.0 * x[0]][..]));
            seen.push(x[0]);
        }
    }
    seen.sort_by(f32::total_cmp);
    assert_eq!(seen, all);
    let (again, _) = values(load(&config, SHAPE, split(2)).unwrap());
    assert_eq!(again, data);
    let other = Split { seed: 4, ..split(2) };
    assert_ne!(values(load(&config, SHAPE, other).unwrap()).0.test, data.test, "another seed draws others");
    let share = ArraysConfig { test: TestPart::Share(0.25), ..config };
    assert_eq!(values(load(&share, SHAPE, split(2)).unwrap()).0, data, "a quarter of twelve is three");
}

/// The same numbers in each layout that NumPy writes: both orders, both byte orders, floats, integers, more axes.
#[test]
fn layouts_of_numpy_are_the_same_samples() {
    let place = TempDir::new().unwrap();
    let shape = Shape { n_in: 6, n_out: 1, encoding: Encoding::Unit };
    let all: Vec<u8> = (0..24).collect();
    write(place.path(), "y.npy", longs(&[0, 0, 0, 0]));
    // [4, 2, 3] in Fortran order: the first axis varies fastest.
    let fortran: Vec<u8> = (0..3)
        .flat_map(|c| (0..2).flat_map(move |b| (0..4).map(move |a| a * 6 + b * 3 + c)))
        .flat_map(|v: u16| (v as i16).to_be_bytes())
        .collect();
    let doubled: Vec<f64> = all.iter().map(|&v| f64::from(v)).collect();
    let files = [
        doubles(&[4, 6], &doubled),
        doubles(&[4, 2, 3], &doubled),
        npy(">i2", true, &[4, 2, 3], &fortran),
        singles(&[4, 3, 2, 1], &doubled.iter().map(|&v| v as f32).collect::<Vec<_>>()),
    ];
    let mut read = Vec::new();
    for file in files {
        write(place.path(), "x.npy", file);
        let config = config(place.path(), AnswerKind::Labels, 1);
        read.push(values(load(&config, shape, split(0)).unwrap()).0);
    }
    assert!(read.iter().all(|data| *data == read[0]));
    let sum: f32 = read[0].train.inputs().iter().chain(read[0].test.inputs()).sum();
    assert_eq!(sum, 276.0, "0 + 1 + … + 23");
}

/// Bytes with labels stay bytes: the samples of IDX files with the same content. With targets they are brightness, byte / 255.
#[test]
fn bytes_are_brightness() {
    let place = TempDir::new().unwrap();
    let pixels = [0_u8, 51, 102, 153, 204, 255];
    for (name, part) in [("x.npy", &pixels[..4]), ("tx.npy", &pixels[2..])] {
        write(place.path(), name, bytes(&[2, 2], part));
    }
    let [y, ty] = ["y.npy", "ty.npy"].map(|name| write(place.path(), name, longs(&[1, 0])));
    let files = ArrayFiles { inputs: place.path().join("tx.npy"), answers: ty };
    let shape = Shape { n_out: 2, ..SHAPE };
    let config = ArraysConfig { test: TestPart::Files(files), ..config(place.path(), AnswerKind::Labels, 1) };
    let Loaded::Bytes(data) = load(&config, shape, split(0)).unwrap() else { panic!("bytes") };
    assert_eq!((data.train.images(), data.train.labels()), (&pixels[..4], &[1, 0][..]));
    assert_eq!((data.test.images(), data.test.labels()), (&pixels[2..], &[1, 0][..]));
    std::fs::write(y, singles(&[2], &[0.5, 0.25])).unwrap();
    std::fs::write(place.path().join("ty.npy"), singles(&[2], &[0.5, 0.25])).unwrap();
    let config = ArraysConfig { answers: AnswerKind::Targets, ..config };
    let (data, _) = values(load(&config, SHAPE, split(0)).unwrap());
    assert_eq!(data.train.inputs(), [0.0, 0.2, 0.4, 0.6]);
}

/// Fitted on the samples that are learned and applied to all: of those the mean is 0 and the variance 1, or the ends are 0 and 1. Samples lie at
/// 10⁹ + i, where single precision has a spacing of 64: scaling comes before rounding. 12 values of a spread of order 10 about 10⁹ lose
/// ε·10⁹/10 ≈ 1e-8 in double precision; then single precision rounds by 6e-8, so mean and variance agree within 1e-6.
#[test]
fn scales_are_fitted_on_what_is_learned() {
    let place = TempDir::new().unwrap();
    let inputs: Vec<f64> = (0..16).flat_map(|i| [1e9 + f64::from(i), 7.0]).collect();
    write(place.path(), "x.npy", doubles(&[16, 2], &inputs));
    write(place.path(), "y.npy", doubles(&[16], &[0.0; 16]));
    let scaled = |scale| {
        let config = ArraysConfig { scale, ..config(place.path(), AnswerKind::Targets, 2) };
        values(load(&config, SHAPE, split(2)).unwrap())
    };
    let column = |values: &Values| values.inputs().chunks(2).map(|x| f64::from(x[0])).collect::<Vec<_>>();
    let (data, scaling) = scaled(InputScale::ZScore);
    let z = column(&data.train);
    let mean = z.iter().sum::<f64>() / 12.0;
    let variance = z.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 12.0;
    assert!(mean.abs() < 1e-6 && (variance - 1.0).abs() < 1e-6, "{mean} {variance}");
    assert!(data.train.inputs().chunks(2).all(|x| x[1] == 0.0), "a constant is 0");
    let (data, _) = scaled(InputScale::Unit);
    let unit = column(&data.train);
    assert_eq!(unit.iter().copied().fold(f64::INFINITY, f64::min), 0.0);
    assert_eq!(unit.iter().copied().fold(0.0, f64::max), 1.0);
    assert!(data.train.in_unit_range());
    // It survives its file.
    let (scaling, file) = (scaling.unwrap(), place.path().join(Scaling::FILE));
    scaling.save(&file).unwrap();
    assert_eq!(Scaling::open(&file, 2).unwrap(), scaling);
    assert!(Scaling::open(&file, 3).unwrap_err().to_string().contains("expected [3]"));
}

#[test]
fn what_is_wrong_is_named() {
    let place = TempDir::new().unwrap();
    let put = |name: &str, content: Vec<u8>| drop(write(place.path(), name, content));
    let targets = config(place.path(), AnswerKind::Targets, 1);
    let labels = config(place.path(), AnswerKind::Labels, 1);
    put("y.npy", longs(&[0, 1, 0]));
    refused(&targets, SHAPE, &["x.npy", "cannot be opened"]);
    put("x.npy", b"no array at all".to_vec());
    refused(&targets, SHAPE, &["x.npy", "no NumPy array"]);
    put("x.npy", npy("<f4", false, &[3, 2], &[0; 20]));
    refused(&targets, SHAPE, &["x.npy", "cut off after 20 bytes"]);
    put("x.npy", npy("<c8", false, &[3, 2], &[0; 48]));
    refused(&targets, SHAPE, &["x.npy", "type '<c8'"]);
    put("x.npy", singles(&[0, 2], &[]));
    refused(&targets, SHAPE, &["x.npy", "inputs of shape [0, 2]"]);
    put("x.npy", singles(&[3, 2], &[0.0, 1.0, 2.0, 3.0, 4.0, f32::NAN]));
    refused(&targets, SHAPE, &["x.npy", "NaN in sample 2, feature 1"]);
    put("x.npy", doubles(&[3, 2], &[0.0, 1.0, 2.0, 1e300, 4.0, 5.0]));
    refused(&targets, SHAPE, &["x.npy", "sample 1, feature 1"]);
    put("x.npy", singles(&[3, 2], &[0.0; 6]));
    refused(&targets, Shape { n_in: 3, ..SHAPE }, &["x.npy", "[3, 2]", "2 values a sample", "3 neurons"]);
    refused(&targets, Shape { n_out: 2, ..SHAPE }, &["y.npy", "1 values a sample", "output", "2 neurons"]);
    refused(&labels, SHAPE, &["y.npy", "the label of sample 1 (from 0) is 1", "0 to 0"]);
    let two = Shape { n_out: 2, ..SHAPE };
    put("y.npy", singles(&[3], &[0.0, 0.5, 1.0]));
    refused(&labels, two, &["y.npy", "the label of sample 1 (from 0) is 0.5"]);
    put("y.npy", longs(&[0, -1, 1]));
    refused(&labels, two, &["y.npy", "is -1"]);
    put("y.npy", singles(&[3, 2], &[0.0; 6]));
    refused(&labels, two, &["y.npy", "labels of shape [3, 2]", "one class each"]);
    put("y.npy", longs(&[0, 1]));
    refused(&labels, two, &["3 samples in", "x.npy", "2 in", "y.npy"]);
    put("y.npy", longs(&[0, 1, 0]));
    refused(&ArraysConfig { test: TestPart::Count(3), ..labels.clone() }, two, &["3 of 3 samples"]);
    refused(&ArraysConfig { test: TestPart::Share(0.1), ..labels.clone() }, two, &["0 of 3 samples"]);
    let error = load(&labels, two, split(2)).unwrap_err();
    assert!(matches!(error, DataError::Validation { validation: 2, available: 2 }), "{error}");
}

/// Sub-folders by name are classes 0, 1; they take turns.
#[test]
fn pictures_by_folder() {
    let place = TempDir::new().unwrap();
    let train = place.path().join("train");
    for (name, pixels) in [("cat/a.png", [1, 2]), ("cat/b.png", [3, 4]), ("ape/z.png", [5, 6])] {
        grey(&train, name, 2, &pixels);
    }
    write(&train, "cat/notes.txt", "not a picture");
    let shape = Shape { n_out: 2, ..SHAPE };
    let drawn = PicturesConfig { train: train.clone(), test: TestPart::Count(1), colour: false };
    let data = load_pictures(&drawn, shape, split(0)).unwrap();
    assert_eq!(data.counts(), [2, 0, 1]);
    let test = place.path().join("test");
    grey(&test, "cat/a.png", 2, &[9, 9]);
    let own = PicturesConfig { test: TestPart::Files(test.clone()), ..drawn };
    let refused = |config: &PicturesConfig, says: &[&str]| {
        let error = load_pictures(config, shape, split(0)).unwrap_err().to_string();
        assert!(says.iter().all(|s| error.contains(s)), "{error}");
    };
    refused(&own, &["test", "are cat, those of the training pictures ape, cat"]);
    grey(&test, "ape/a.png", 2, &[8, 8]);
    let data = load_pictures(&own, shape, split(0)).unwrap();
    assert_eq!((data.train.images(), data.train.labels()), (&[5, 6, 1, 2, 3, 4][..], &[0, 1, 1][..]));
    assert_eq!((data.test.images(), data.test.labels()), (&[8, 8, 9, 9][..], &[0, 1][..]));
    // In colour, grey is three equal bytes a pixel.
    let colour = PicturesConfig { colour: true, ..own.clone() };
    let six = Shape { n_in: 6, ..shape };
    assert_eq!(load_pictures(&colour, six, split(0)).unwrap().train.images()[..6], [5, 5, 5, 6, 6, 6]);
    refused(&colour, &["[3, 1, 2, 3]", "6 values a sample", "2 neurons"]);
    grey(&train, "cat/c.png", 1, &[7, 7]);
    refused(&own, &["c.png", "2 × 1 pixels", "z.png has 1 × 2"]);
    std::fs::write(train.join("cat/c.png"), "no picture").unwrap();
    refused(&own, &["c.png", "no PNG"]);
    std::fs::create_dir(train.join("dog")).unwrap();
    refused(&own, &["dog", "no .png file"]);
    refused(&PicturesConfig { train: train.join("ape"), ..own.clone() }, &["ape", "no sub-folders"]);
    refused(&PicturesConfig { train: train.join("none"), ..own }, &["none", "cannot be read"]);
}

/// The stripes of the tests of checkpoints as numbers: byte / 255 and classes.
fn as_values(data: &Dataset) -> Dataset<Values> {
    let of = |samples: &lagrange_gpu::data::Samples| {
        let inputs = samples.images().iter().map(|&b| (f64::from(b) / 255.0) as f32).collect();
        let levels = Encoding::Unit.label_table();
        let answers = Answers::Classes { labels: Arc::new(samples.labels().to_vec()), levels };
        Values::new(inputs, answers, [PIXELS, CLASSES]).unwrap()
    };
    Dataset {
        train: of(&data.train),
        validation: data.validation.as_ref().map(of),
        test: of(&data.test),
        description: data.description.clone(),
    }
}

/// In single precision the table of pixels holds the same numbers, rounded once from byte / 255: the same bits all along, with resident weights and
/// without.
#[test]
fn numbers_train_as_the_bytes_they_are() {
    let (bytes, device) = (resume_support::data(), Device::Cpu(Precision::F32));
    let numbers = as_values(&bytes);
    for resident in [Resident::Never, Resident::Always] {
        let kind = Kind::exact(resident);
        let (a, _) = run(&kind, &bytes, &device, Plan::default());
        let (b, _) = run(&kind, &numbers, &device, Plan::default());
        let (a, b) = (a.unwrap(), b.unwrap());
        assert_eq!(a.parameters, b.parameters, "{resident:?}");
        assert_eq!((a.epochs, a.batches, a.test), (b.epochs, b.batches, b.test), "{resident:?}");
    }
}

/// Wherever a run on numbers is stopped, it goes on to the same bits.
#[test]
fn a_run_on_numbers_goes_on_to_the_same_bits() {
    let numbers = as_values(&resume_support::data());
    let device = Device::Cpu(Precision::F32);
    let kind = Kind::exact(Resident::Auto);
    let whole = run(&kind, &numbers, &device, Plan::default()).0.unwrap();
    for point in [1, BATCHES, BATCHES + 3] {
        let plan = Plan { stop_after: Some(point), ..Plan::default() };
        let (none, mut kept) = run(&kind, &numbers, &device, plan);
        assert!(none.is_none() && kept.len() == 1, "{point}");
        let plan = Plan { from: Some(kept.remove(0).1), ..Plan::default() };
        let rest = run(&kind, &numbers, &device, plan).0.unwrap();
        assert_eq!((&rest.parameters, &rest.test), (&whole.parameters, &whole.test), "{point}");
        assert_eq!(rest.buffers, whole.buffers, "{point}");
    }
}
