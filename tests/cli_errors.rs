//! Data and folders that are no good: the file is named, before any work on a device, and nothing is left behind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod cli_support;

use std::io::Write;

use cli_support::{MiniData, Place};
use flate2::{Compression, write::GzEncoder};
use lagrange_gpu::data::idx::{encode_images, encode_labels};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Trains on data that `spoil` has changed. The device is impossible as well, and would end with 3: the data come first.
#[track_caller]
fn refused(spoil: impl FnOnce(&mut MiniData), words: &[&str]) {
    let place = Place::new();
    let mut data = MiniData::new();
    spoil(&mut data);
    let config = data.put(&place);
    let ran = place.train(config, &["--device", "99"]).ends(2).says(words);
    assert!(ran.stdout.is_empty() && !place.path("runs").exists(), "{}", ran.stderr);
}

#[test]
fn sound_data_reach_the_device() {
    // What the other tests change: with nothing changed, the impossible device is the error.
    let place = Place::new();
    let config = MiniData::new().put(&place);
    place.train(config, &["--device", "99"]).ends(3);
    place.train(config, &["--device", "cpu"]).ends(0);
    // Compressed files do as well, whatever they are called.
    let mut data = MiniData::new();
    data.train_images = gzip(&data.train_images);
    data.test_labels = gzip(&data.test_labels);
    data.put(&place);
    place.train(config, &["--device", "cpu"]).ends(0);
}

#[test]
fn a_missing_file_is_named() {
    for name in ["train-images", "train-labels", "test-images", "test-labels"] {
        let place = Place::new();
        let config = MiniData::new().put(&place);
        std::fs::remove_file(place.path(name)).unwrap();
        place.train(config, &["--device", "99"]).ends(2).says(&[name, "no such file"]);
        // A folder in its place is no file either.
        std::fs::create_dir(place.path(name)).unwrap();
        place.train(config, &["--device", "99"]).ends(2).says(&[name]);
        assert!(!place.path("runs").exists());
    }
}

#[test]
fn damaged_files_are_named() {
    refused(|d| d.train_images.truncate(30), &["train-images", "truncated"]);
    refused(|d| d.test_labels.truncate(3), &["test-labels", "truncated"]);
    refused(|d| d.test_images.clear(), &["test-images", "truncated"]);
    refused(|d| d.train_labels.push(0), &["train-labels", "after"]);
    refused(
        |d| {
            d.train_images = gzip(&d.train_images);
            let middle = d.train_images.len() / 2;
            d.train_images[middle] ^= 0xff;
        },
        &["train-images", "gzip"],
    );
    refused(
        |d| {
            d.train_labels = gzip(&d.train_labels);
            let short = d.train_labels.len() - 6;
            d.train_labels.truncate(short);
        },
        &["train-labels", "gzip"],
    );
}

#[test]
fn files_of_another_kind_are_named() {
    refused(|d| d.train_images[3] = 7, &["train-images", "magic", "2051"]);
    refused(|d| d.test_labels = b"PK\x03\x04 a zip file".to_vec(), &["test-labels", "magic", "2049"]);
    refused(|d| std::mem::swap(&mut d.train_images, &mut d.train_labels), &["train-images", "swapped"]);
}

#[test]
fn files_that_do_not_belong_together_are_named() {
    refused(
        |d| d.train_labels = encode_labels(&[0, 1, 0]).unwrap(),
        &["10 images", "train-images", "3 labels", "train-labels"],
    );
    refused(
        |d| d.test_labels = encode_labels(&[0, 1, 0, 1, 0, 2]).unwrap(),
        &["test-labels", "label 5 is 2"],
    );
    refused(
        |d| d.train_images = encode_images(3, 3, &[9; 90]).unwrap(),
        &["train-images", "3×3", "9 pixels", "4 neurons"],
    );
    refused(
        |d| d.test_images = encode_images(1, 3, &[9; 18]).unwrap(),
        &["test-images", "3 pixels", "4 neurons"],
    );
}

#[test]
fn a_split_that_leaves_nothing_is_refused() {
    let place = Place::new();
    let config = MiniData::new().put(&place);
    for (validation, words) in [("10", "10 validation"), ("11", "11 validation")] {
        let set = format!("data.validation={validation}");
        let ran = place.train(config, &["--device", "99", "--set", &set]).ends(2);
        ran.says(&[words, "10 training", "nothing to train on"]);
    }
    // The limit comes before the split.
    let set = ["--set", "data.validation=5", "--set", "data.train-limit=5"];
    place
        .train(config, &[&["--device", "99"], &set[..]].concat())
        .ends(2)
        .says(&["5 validation", "5 training"]);
    assert!(!place.path("runs").exists());
}

#[test]
fn a_file_in_the_way_of_the_run_directory_is_named() {
    let place = Place::new();
    let config = MiniData::new().put(&place);
    place.write("file", "not a folder");
    for runs in ["file", "file/deeper"] {
        let args = ["train", "--config", config, "--device", "cpu", "--runs", runs];
        place.run(&args).ends(1).says(&["cannot create the folder", runs, "a file is in the way"]);
    }
    assert_eq!(std::fs::read(place.path("file")).unwrap(), b"not a folder");
}

/// The folder stands in the config of the run, which has to be read again.
#[test]
fn a_folder_without_a_name_is_refused() {
    let place = Place::new();
    let config = MiniData::new().put(&place);
    let before = cli_support::names(&place.path(""));
    place.run(&["train", "--config", config, "--device", "99", "--runs", ""]).ends(2).says(&["--runs"]);
    assert_eq!(cli_support::names(&place.path("")), before);
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_is_named() {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;

    let place = Place::new();
    let config = MiniData::new().put(&place);
    std::fs::create_dir(place.path("closed")).unwrap();
    let args = ["train", "--config", config, "--device", "cpu", "--runs", "closed"];
    let mut command = place.command(&args);
    set_permissions(place.path("closed"), Permissions::from_mode(0o555)).unwrap();
    if std::fs::create_dir(place.path("closed/probe")).is_ok() {
        // Root may write anywhere: the program runs as somebody else, from a place that anyone may read.
        std::fs::remove_dir(place.path("closed/probe")).unwrap();
        set_permissions(place.path(""), Permissions::from_mode(0o755)).unwrap();
        std::fs::copy(cli_support::PROGRAM, place.path("program")).unwrap();
        command = std::process::Command::new(place.path("program"));
        command.args(args).current_dir(place.path("")).uid(65_534).gid(65_534);
    }
    // A child that another test has just forked may hold the copy open for writing, until it runs its own program.
    let output = loop {
        match command.output() {
            Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => std::thread::yield_now(),
            output => break output.unwrap(),
        }
    };
    let ran = cli_support::Ran::of(&output).ends(1);
    ran.says(&["cannot create the folder", "closed", "choose a folder that you may write to"]);
    set_permissions(place.path("closed"), Permissions::from_mode(0o755)).unwrap();
    assert!(cli_support::names(&place.path("closed")).is_empty());
}
