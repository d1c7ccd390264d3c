//! IDX files: what is read, and what is said of files that cannot be.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use lagrange_gpu::data::idx::{
    IdxError, encode_images, encode_labels, parse_images, parse_labels, read_images, read_labels,
};
use lagrange_gpu::data::{DataError, Dataset, IdxPaths, Split};
use proptest::prelude::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The bytes of an IDX header, written out by hand.
fn header(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|w| w.to_be_bytes()).collect()
}

/// Two images of 2 × 3 pixels, by hand.
fn two_images() -> Vec<u8> {
    [header(&[2051, 2, 2, 3]), (1..=12).collect()].concat()
}

fn images_error(bytes: &[u8]) -> IdxError {
    parse_images("some-file", bytes).unwrap_err()
}

#[test]
fn reads_images_and_labels_plain_and_gzip() {
    for bytes in [two_images(), gzip(&two_images())] {
        let images = parse_images("f", &bytes).unwrap();
        assert_eq!((images.count, images.rows, images.cols), (2, 2, 3));
        assert_eq!(images.pixels, (1..=12).collect::<Vec<u8>>());
    }
    let labels = [header(&[2049, 3]), vec![7, 0, 9]].concat();
    assert_eq!(parse_labels("f", &labels).unwrap(), [7, 0, 9]);
    assert_eq!(parse_labels("f", &gzip(&labels)).unwrap(), [7, 0, 9]);
}

#[test]
fn gzip_is_known_by_its_bytes_not_by_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("no-suffix");
    std::fs::write(&path, gzip(&two_images())).unwrap();
    assert_eq!(read_images(&path).unwrap().count, 2);
}

#[test]
fn a_missing_file_is_named() {
    let error = read_labels("/nowhere/at/all".as_ref()).unwrap_err();
    assert!(matches!(error, IdxError::Missing { .. }));
    assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(read_images(dir.path()), Err(IdxError::Read { .. })), "a folder is not a file");
}

#[test]
fn truncation_says_how_much_is_missing() {
    let whole = two_images();
    for bytes in [whole[..20].to_vec(), gzip(&whole[..20])] {
        let error = images_error(&bytes);
        assert!(matches!(error, IdxError::Truncated { expected: 28, found: 20, .. }), "{error}");
        let text = error.to_string();
        assert!(
            text.contains("some-file") && text.contains("expected 28") && text.contains("got 20"),
            "{text}"
        );
    }
    assert!(matches!(images_error(&whole[..9]), IdxError::Truncated { expected: 16, found: 9, .. }));
    assert!(matches!(images_error(&[]), IdxError::Truncated { expected: 16, found: 0, .. }));
}

#[test]
fn bytes_after_the_data_are_refused() {
    let mut bytes = two_images();
    bytes.push(0);
    for bytes in [bytes.clone(), gzip(&bytes)] {
        assert!(matches!(images_error(&bytes), IdxError::Trailing { expected: 28, .. }));
    }
    let after = [gzip(&two_images()), b"after".to_vec()].concat();
    assert!(matches!(images_error(&after), IdxError::Gzip { .. }));
}

#[test]
fn damaged_gzip_is_called_so() {
    let good = gzip(&two_images());
    let cut = &good[..good.len() - 6];
    let mut checksum = good.clone();
    let at = checksum.len() - 8;
    checksum[at] ^= 1;
    for bytes in [cut, &checksum, &[0x1f, 0x8b], &[0x1f, 0x8b, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9]] {
        let error = images_error(bytes);
        assert!(matches!(error, IdxError::Gzip { .. }), "{error}");
        assert!(error.to_string().contains("gzip"), "{error}");
    }
}

#[test]
fn swapped_files_are_recognised() {
    let labels = [header(&[2049, 3]), vec![7, 0, 9]].concat();
    for (error, found) in
        [(images_error(&labels), "2049"), (parse_labels("some-file", &two_images()).unwrap_err(), "2051")]
    {
        let text = error.to_string();
        assert!(text.contains("swapped") && text.contains(found) && text.contains("some-file"), "{text}");
    }
    let text = images_error(b"hello, world, hello").to_string();
    assert!(text.contains("not an IDX file") && !text.contains("swapped"), "{text}");
}

#[test]
fn impossible_headers_are_refused_without_taking_memory() {
    let overflow = header(&[2051, u32::MAX, u32::MAX, u32::MAX]);
    assert!(matches!(images_error(&overflow), IdxError::TooLarge { .. }));
    let huge = header(&[2051, u32::MAX, 28, 28]);
    assert!(matches!(images_error(&huge), IdxError::Truncated { found: 16, .. }));
    assert!(matches!(images_error(&gzip(&huge)), IdxError::TooLarge { .. }));
    for empty in [[2051, 0, 28, 28], [2051, 5, 0, 28]] {
        assert!(matches!(images_error(&header(&empty)), IdxError::Empty { .. }));
    }
    assert!(matches!(parse_labels("f", &header(&[2049, 0])), Err(IdxError::Empty { .. })));
}

/// A folder with `train` and `test` labels for 2 × 2 images, one a label.
fn folder(train: &[u8], test: &[u8], images: usize) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: Vec<u8>| std::fs::write(dir.path().join(name), bytes).unwrap();
    write("train-images-idx3-ubyte", encode_images(2, 2, &vec![5; images * 4]).unwrap());
    write("train-labels-idx1-ubyte.gz", gzip(&encode_labels(train).unwrap()));
    write("t10k-images-idx3-ubyte.gz", gzip(&encode_images(2, 2, &vec![9; test.len() * 4]).unwrap()));
    write("t10k-labels-idx1-ubyte", encode_labels(test).unwrap());
    dir
}

#[test]
fn a_folder_of_files_becomes_a_data_set() {
    let dir = folder(&[0, 1, 2], &[1, 1], 3);
    let data = Dataset::from_idx(&IdxPaths::in_folder(dir.path()).unwrap(), 4, 3, Split::default()).unwrap();
    assert_eq!(data.counts(), [3, 0, 2]);
    assert_eq!(data.test.labels(), [1, 1]);
    assert_eq!(data.test.image(1), [9; 4]);
    assert!(data.description.contains(&dir.path().display().to_string()), "{}", data.description);
    std::fs::remove_file(dir.path().join("t10k-labels-idx1-ubyte")).unwrap();
    let text = IdxPaths::in_folder(dir.path()).unwrap_err().to_string();
    assert!(text.contains("t10k-labels-idx1-ubyte.gz"), "{text}");
}

#[test]
fn files_that_do_not_fit_each_other_or_the_network_are_refused() {
    let load = |dir: &tempfile::TempDir, n_in| {
        Dataset::from_idx(&IdxPaths::in_folder(dir.path()).unwrap(), n_in, 3, Split::default()).unwrap_err()
    };
    let error = load(&folder(&[0, 1, 2], &[1], 2), 4);
    assert!(matches!(error, DataError::Count { images: 2, labels: 3, .. }), "{error}");
    let error = load(&folder(&[0, 1, 3], &[1], 3), 4);
    assert!(matches!(error, DataError::Label { index: 2, label: 3, classes: 3, .. }), "{error}");
    assert!(error.to_string().contains("train-labels-idx1-ubyte.gz"), "{error}");
    let error = load(&folder(&[0, 1, 2], &[1], 3), 784);
    assert!(matches!(error, DataError::Size { pixels: 4, n_in: 784, .. }), "{error}");
    assert!(error.to_string().contains("2×2"), "{error}");
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>, magic in prop_oneof![Just(2051_u32), Just(2049)], zip: bool) {
        let with_magic = [magic.to_be_bytes().to_vec(), bytes.clone()].concat();
        for bytes in [bytes, with_magic] {
            let bytes = if zip { gzip(&bytes) } else { bytes };
            let _ = parse_images("f", &bytes);
            let _ = parse_labels("f", &bytes);
        }
    }

    #[test]
    fn broken_gzip_never_panics(at in 0_usize..60, value: u8) {
        let mut bytes = gzip(&two_images());
        let at = at % bytes.len();
        bytes[at] = value;
        let _ = parse_images("f", &bytes);
    }

    #[test]
    fn what_is_written_is_read_back(rows in 1_u32..9, cols in 1_u32..9, count in 1_usize..9, fill: u8, zip: bool) {
        let pixels: Vec<u8> = (0..count * (rows * cols) as usize).map(|i| fill.wrapping_mul(i as u8)).collect();
        let labels: Vec<u8> = pixels[..count].to_vec();
        let [images, names] = [encode_images(rows, cols, &pixels), encode_labels(&labels)].map(|bytes| {
            let bytes = bytes.unwrap();
            if zip { gzip(&bytes) } else { bytes }
        });
        let read = parse_images("f", &images).unwrap();
        prop_assert_eq!((read.count, read.rows, read.cols), (count, rows as usize, cols as usize));
        prop_assert_eq!(read.pixels, pixels);
        prop_assert_eq!(parse_labels("f", &names).unwrap(), labels);
    }
}
