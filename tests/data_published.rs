//! Published sets: found in the data directory, recognised by their sums, read into memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod data_support;

use std::path::Path;

use data_support::{NAMES, directory, gzip, sha256, small_set};
use lagrange_gpu::data::{DataError, Dataset, PublishedSet, SetError, Split};
use tempfile::tempdir;

/// Puts the files of the small set into a folder.
fn put(folder: &Path, contents: &[Vec<u8>; 4]) {
    std::fs::create_dir_all(folder).unwrap();
    for (name, content) in NAMES.iter().zip(contents) {
        std::fs::write(folder.join(name), content).unwrap();
    }
}

#[test]
fn the_known_sets_are_those_of_their_publishers() {
    for (name, set) in PublishedSet::NAMES {
        let about = set.about();
        assert_eq!(about.name, name);
        // 16 bytes of header and 784 an image, 8 bytes of header and 1 a label; 60,000 and 10,000 of them.
        assert_eq!(about.files.map(|f| f.bytes), [47_040_016, 60_008, 7_840_016, 10_008]);
        assert_eq!(about.files.map(|f| f.name), NAMES);
        let digits = |sum: &str| sum.len() == 64 && sum.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
        assert!(about.files.iter().all(|f| digits(f.sha256)), "{name}");
        assert!(about.mirrors.len() >= 2 && about.mirrors.iter().all(|url| url.ends_with('/')), "{name}");
    }
    // The embedded subset was made from the same MNIST files.
    let licences =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/LICENSES.md")).unwrap();
    assert!(PublishedSet::Mnist.about().files.iter().all(|f| licences.contains(f.sha256)));
}

#[test]
fn files_are_found_plain_or_gzip_in_either_folder() {
    let (set, contents) = small_set();
    let dir = tempdir().unwrap();
    let load = || Dataset::published(&set, &directory(dir.path()), Split::default()).unwrap();
    put(dir.path(), &contents);
    let plain = load();
    assert_eq!(plain.counts(), [300, 0, 40]);
    assert_eq!((plain.train.images(), plain.test.labels()), (&contents[0][16..], &contents[3][8..]));
    assert_eq!(plain.description, "Small, official split");
    // Compressed, in the folder of the set, which goes first.
    std::fs::write(dir.path().join(NAMES[0]), "something else").unwrap();
    std::fs::create_dir(dir.path().join("small")).unwrap();
    for (name, content) in NAMES.iter().zip(&contents) {
        std::fs::write(dir.path().join(format!("small/{name}.gz")), gzip(content)).unwrap();
    }
    assert_eq!(load(), plain);
}

#[test]
fn the_split_is_drawn_from_the_training_part() {
    let (set, contents) = small_set();
    let dir = tempdir().unwrap();
    put(dir.path(), &contents);
    let split = Split { seed: 3, validation: 100, train_limit: None };
    let data = Dataset::published(&set, &directory(dir.path()), split).unwrap();
    assert_eq!(data.counts(), [200, 100, 40]);
    let too_many = Split { validation: 300, ..split };
    let refused = Dataset::published(&set, &directory(dir.path()), too_many);
    assert!(matches!(refused, Err(DataError::Validation { validation: 300, available: 300 })));
}

#[test]
fn a_missing_set_is_an_error_that_says_what_to_do() {
    let (set, contents) = small_set();
    let dir = tempdir().unwrap();
    let load = || Dataset::published(&set, &directory(dir.path()), Split::default()).unwrap_err().to_string();
    let text = load();
    assert!(text.contains("4 of its 4 files are missing"), "{text}");
    for file in &set.files {
        assert!(text.contains(file.name) && text.contains(file.sha256), "{text}");
    }
    let folder = dir.path().display().to_string();
    for words in [folder.as_str(), "from --data-dir", "LAGRANGE_DATA_DIR", "`directory` in [data]"] {
        assert!(text.contains(words), "'{words}' is missing in:\n{text}");
    }
    if cfg!(feature = "fetch") {
        assert!(text.contains(&format!("lagrange-gpu data fetch small --data-dir '{folder}'")), "{text}");
    }
    // What is there is not asked for, and the folder that has some of the files is the one that is named.
    put(dir.path(), &contents);
    std::fs::remove_file(dir.path().join(NAMES[2])).unwrap();
    let text = load();
    assert!(text.contains(&format!("1 of its 4 files are missing in '{folder}'")), "{text}");
    assert!(text.contains(set.files[2].sha256) && !text.contains(set.files[0].sha256), "{text}");
}

#[test]
fn a_wrong_sum_names_file_wanted_and_found() {
    let (set, contents) = small_set();
    let dir = tempdir().unwrap();
    for (i, name) in NAMES.iter().enumerate() {
        put(dir.path(), &contents);
        let mut changed = contents[i].clone();
        // The last byte alone: everything else about the file is right.
        *changed.last_mut().unwrap() ^= 1;
        for bytes in [changed.clone(), gzip(&changed)] {
            std::fs::write(dir.path().join(name), bytes).unwrap();
            let error = Dataset::published(&set, &directory(dir.path()), Split::default()).unwrap_err();
            assert!(matches!(&error, DataError::Set(SetError::Sum(_))), "{error}");
            let text = error.to_string();
            for words in [*name, set.files[i].sha256, &sha256(&changed), &format!("{} bytes", changed.len())]
            {
                assert!(text.contains(words), "'{words}' is missing in:\n{text}");
            }
        }
    }
}

#[test]
fn damaged_files_are_named() {
    let (set, contents) = small_set();
    let dir = tempdir().unwrap();
    let load = || Dataset::published(&set, &directory(dir.path()), Split::default()).unwrap_err().to_string();
    put(dir.path(), &contents);
    let compressed = gzip(&contents[0]);
    std::fs::write(dir.path().join(NAMES[0]), &compressed[..compressed.len() / 2]).unwrap();
    let text = load();
    assert!(text.contains(NAMES[0]) && text.contains("gzip") && text.contains("fetch it again"), "{text}");
    for bytes in [&b""[..], &contents[0][..100], &[&contents[0][..], b"x"].concat()] {
        std::fs::write(dir.path().join(NAMES[0]), bytes).unwrap();
        let text = load();
        assert!(
            text.contains(&format!("{} bytes", bytes.len())) && text.contains(set.files[0].sha256),
            "{text}"
        );
    }
    // Endless content in a small file costs time, not memory, and is refused.
    std::fs::write(dir.path().join(NAMES[0]), gzip(&vec![0; 50_000_000])).unwrap();
    assert!(load().contains("50000000 bytes"));
}
