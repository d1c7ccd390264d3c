//! `data info` and `data convert`, from outside.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod cli_support;

use cli_support::Place;
use serde_json::Value;

#[test]
fn the_embedded_recording_is_described() {
    let place = Place::new();
    let ran = place.run(&["data", "info", "embedded-ieeg"]).ends(0);
    assert!(
        ran.stdout.starts_with("embedded-ieeg: BrainVision, 50 channels, 512 Hz, 5.000 s\n"),
        "{}",
        ran.stdout
    );
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), 2 + 1 + 50);
    let cells: Vec<&str> = lines[3].split_whitespace().collect();
    assert_eq!(cells[..5], ["IAR1", "SEEG", "µV", "512", "2560"]);
    // SciPy before rounding to 16 bits: −18.3872 and 125.0849; a step is 0.0105 µV.
    let [mean, sd] = [5, 6].map(|i| cells[i].parse::<f64>().unwrap());
    assert!((mean + 18.3872).abs() < 0.006 && (sd - 125.0849).abs() < 0.006, "{mean} {sd}");
    // Aligned: every line ends where the head does.
    let width = |line: &str| line.chars().count();
    assert!(lines[3..].iter().all(|line| width(line) == width(lines[2])));
    let json = place.run(&["data", "info", "embedded-ieeg", "--json", "--flat-ms", "50"]).ends(0);
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((json["format"].as_str(), json["flat_ms"].as_f64()), (Some("BrainVision"), Some(50.0)));
    let first = &json["channels"][0];
    assert_eq!((first["name"].as_str(), first["duration_s"].as_f64()), (Some("IAR1"), Some(5.0)));
    assert!((first["mean"].as_f64().unwrap() - mean).abs() < 1e-4);
    assert_eq!((first["nan"].as_u64(), first["bad"].as_bool()), (Some(0), Some(false)));
}

#[test]
fn a_part_is_converted_and_read_back() {
    let place = Place::new();
    let args = [
        "data",
        "convert",
        "embedded-ieeg",
        "part.npz",
        "--channels",
        "AL1,IAR1",
        "--from-s",
        "1",
        "--to-s",
        "3",
    ];
    place.run(&args).ends(0).says(&["part.npz: 1024 samples of 2 channels at 512 Hz"]);
    let ran = place.run(&["data", "info", "part.npz"]).ends(0);
    assert!(ran.stdout.contains("2 channels, 512 Hz, 2.000 s"), "{}", ran.stdout);
    let names: Vec<&str> =
        ran.stdout.lines().skip(3).filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, ["AL1", "IAR1"]);
    assert!(!place.path("part.npz.part").exists());
}

#[test]
fn what_is_wrong_is_named() {
    let place = Place::new();
    std::fs::write(place.path("x.dat"), b"what is this").unwrap();
    std::fs::write(place.path("x.edf"), b"0       X").unwrap();
    let cases: [(&[&str], &str); 7] = [
        (&["data", "info", "missing.edf"], "missing.edf"),
        (&["data", "info", "x.dat"], "known are EDF, EDF+ and BDF (.edf"),
        (&["data", "info", "x.edf"], "x.edf: length: 9 bytes; an EDF header has at least 256"),
        (&["data", "info", "embedded-ieeg", "--flat-ms", "nan"], "--flat-ms has to be a time"),
        (&["data", "info", "x.edf", "--rate-hz", "0"], "--rate-hz has to be a number above 0"),
        (&["data", "convert", "embedded-ieeg", "x.csv"], "x.csv: an .npz archive is written"),
        (
            &["data", "convert", "embedded-ieeg", "x.npz", "--channels", "Fp1"],
            "channel 'Fp1': there is no such channel",
        ),
    ];
    for (args, words) in cases {
        place.run(args).ends(2).says(&[words]);
    }
    assert!(!place.path("x.npz").exists());
}
