//! Tables as recordings: what users and spreadsheets write, and what is refused, with line and column.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod table_support;

use std::path::Path;

use lagrange_gpu::data::recording::{Hints, Recording, RecordingError, Store, open, table};
use table_support::{all, assert_rule, assert_says, names, value, words};

const AT_512: Hints = Hints { rate_hz: Some(512.0) };

fn from(text: &str, hints: &Hints) -> Result<Recording, RecordingError> {
    bytes(text.as_bytes(), hints)
}

fn bytes(bytes: &[u8], hints: &Hints) -> Result<Recording, RecordingError> {
    table::open(Store::in_memory(Path::new("a.csv"), bytes.to_vec()), hints)
}

/// The rule of the support module as text; `time` writes the first cell of a row.
fn text(header: &str, delimiter: &str, end: &str, time: impl Fn(u64) -> Option<String>) -> String {
    let row = |t: u64| {
        let cells: Vec<String> = time(t).into_iter().chain((0..4).map(|c| value(c, t).to_string())).collect();
        cells.join(delimiter) + end
    };
    header.to_owned() + end + &(0..50).map(row).collect::<String>()
}

#[test]
fn delimiters_ends_of_lines_and_marks() {
    for (delimiter, end) in [(",", "\n"), (";", "\r\n"), ("\t", "\n"), (",", "\r\n")] {
        for mark in ["", "\u{feff}"] {
            let header = ["A1", "\"A 2\"", " B1 ", "C (uV)"].join(delimiter);
            let text = mark.to_owned() + &text(&header, delimiter, end, |_| None);
            // The end of the last line may be missing.
            for text in [text.as_str(), text.trim_end(), &(text.clone() + end + end)] {
                let mut recording =
                    from(text, &AT_512).unwrap_or_else(|e| panic!("{delimiter:?} {end:?}: {e}"));
                assert_rule(&mut recording, 1.0, 0.0, 0.0);
                assert_eq!(names(&recording), ["A1", "A 2", "B1", "C"]);
                assert_eq!(
                    (recording.channels[3].microvolts(), recording.channels[0].microvolts()),
                    (Some(1.0), None)
                );
                assert!(recording.notices.is_empty(), "{:?}", recording.notices);
            }
        }
    }
}

#[test]
fn the_rate_follows_from_the_times() {
    let times: [(&str, f64, f64); 7] = [
        ("time", 1.0, 0.0),
        ("t", 1.0, 12.5),
        ("Time_S", 1.0, -3.0),
        ("time_ms", 1e3, 0.0),
        ("Time (ms)", 1e3, 7.0),
        ("timestamps [us]", 1e6, 0.0),
        ("sec", 1.0, 0.0),
    ];
    for (name, per_second, start) in times {
        let time = |t: u64| Some((start + t as f64 * per_second / 512.0).to_string());
        let text = text(&format!("{name},A,B,C,D"), ",", "\n", time);
        let mut recording = from(&text, &Hints::default()).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_rule(&mut recording, 1.0, 0.0, 0.0);
        assert_eq!(names(&recording), ["A", "B", "C", "D"]);
    }
    let last = "A,time\n1,0\n2,0.5\n3,1\n";
    let mut recording = from(last, &Hints::default()).expect("times in the last column");
    assert_eq!((recording.channels[0].rate_hz, all(&mut recording, 0)), (2.0, vec![1.0, 2.0, 3.0]));
    assert!(recording.notices[0].contains("time_ms"), "{:?}", recording.notices);
    // An electrode of this name elsewhere is an electrode.
    assert_eq!(names(&from("A,T\n1,0\n2,1\n", &AT_512).expect("two electrodes")), ["A", "T"]);
}

/// Times printed with three decimals at 512 Hz are up to 0.5 ms, which is 0.256 samples, off their place; the rate of the grid is 512 Hz within
/// two roundings over the duration: 1 ms of 49/512 s, which whole numbers from 507 to 517 fulfil; more rows narrow it.
#[test]
fn rounded_times_are_told_and_missing_samples_refused() {
    let rows = |keep: &dyn Fn(u64) -> bool| -> String {
        let row = |t: u64| format!("{:.3},{}\n", t as f64 / 512.0, t);
        "time,A\n".to_owned() + &(0..4096).filter(|&t| keep(t)).map(row).collect::<String>()
    };
    let recording = from(&rows(&|_| true), &Hints::default()).expect("rounded times");
    // 1 ms of 8 s: 512 Hz within 0.064 Hz, and the whole number within that is 512.
    assert_eq!(recording.channels[0].rate_hz, 512.0);
    assert!(recording.notices[0].contains("equal steps"), "{:?}", recording.notices);
    for missing in [1, 1000, 2048, 4000] {
        assert_says(
            &words(from(&rows(&|t| t != missing), &Hints::default())),
            &["a.csv: row", "missing, doubled"],
        );
    }
    for (text, say) in [
        ("time,A\n0,1\n0,2\n", vec!["row 2", "have to rise"]),
        ("time,A\n1,1\n0,2\n", vec!["have to rise"]),
        ("time,A\n0,1\n", vec!["two samples are needed"]),
        ("time,A\n0,1\n,2\n", vec!["line 3, column 1 ('time')", "no time"]),
        ("time,A,time_ms\n0,1,0\n", vec!["line 1", "two columns of times, 'time' and 'time_ms'"]),
        ("A,B\n0,1\n", vec!["time_ms", "data.rate-hz"]),
    ] {
        assert_says(&words(from(text, &Hints::default())), &say);
    }
}

#[test]
fn missing_values_are_nan() {
    let mut recording =
        from("A,B\n1,\n,2\nNaN,n/a\n NULL ,+4e-1\n\"5\",.5\n", &AT_512).expect("missing values");
    let bits = |v: Vec<f64>| v.iter().map(|v| if v.is_nan() { None } else { Some(*v) }).collect::<Vec<_>>();
    assert_eq!(bits(all(&mut recording, 0)), [Some(1.0), None, None, None, Some(5.0)]);
    assert_eq!(bits(all(&mut recording, 1)), [None, Some(2.0), None, Some(0.4), Some(0.5)]);
}

#[test]
fn first_rows_of_numbers_and_columns_of_row_numbers() {
    let mut recording = from("0.5,1\n2,3\n", &AT_512).expect("no names");
    assert_eq!((all(&mut recording, 0), all(&mut recording, 1)), (vec![0.5, 2.0], vec![1.0, 3.0]));
    assert!(recording.notices[0].contains("taken as samples"));
    assert_eq!(names(&from("0,1\n2,3\n", &AT_512).expect("numbered")), ["0", "1"]);
    let mut pandas = from(",A\n0,7\n1,8\n", &AT_512).expect("an index");
    assert_eq!((names(&pandas), pandas.notices.len()), (vec!["A"], 1));
    assert_eq!(all(&mut pandas, 0), [7.0, 8.0]);
    assert_eq!(names(&from("# A,B\n2,3\n", &AT_512).expect("a comment")), ["A", "B"]);
}

#[test]
fn cells_and_rows_that_do_not_fit_are_named() {
    for (text, say) in [
        ("A,B\n1,2\n3,x4\n", vec!["a.csv: line 3, column 2 ('B')", "'x4' is no number"]),
        ("A;B\n1;2\n3;4,5\n", vec!["line 3, column 2 ('B')", "decimal comma", "4.5"]),
        ("A\tB\r\n1\t2\r\n3\t\"-0,5\"\r\n", vec!["line 3, column 2", "decimal comma", "-0.5"]),
        ("A,B\n1,2\n3\n", vec!["line 3", "has 1 cells, but line 1 has 2"]),
        ("A,B\n1,2,3\n", vec!["line 2", "has 3 cells, but line 1 has 2"]),
        ("A,B\n1,2\n\n3,4\n", vec!["line 3", "blank"]),
        ("A\n1\n\n3\n", vec!["line 3", "blank", "nan"]),
        ("A,B\n", vec!["2 channels with 0 samples"]),
        ("", vec!["empty"]),
        ("A B\n1 2\n", vec!["line 2, column 1", "'1 2'", "commas, semicolons or tabs"]),
        ("A,B\n1,1e999\n", vec!["line 2, column 2", "'1e999'", "infinite"]),
        ("A,B\n1,-inf\n", vec!["'-inf'", "infinite"]),
        ("A,B\n1,\"2\n3\",4\n", vec!["line 3, column 1"]),
        ("A,B\r1,2\r3,4\r", vec!["0 samples"]),
        ("A,B\n1,2\r3,4\n", vec!["line 2"]),
    ] {
        assert_says(&words(from(text, &AT_512)), &say);
    }
    assert_says(&words(bytes(b"\xff\xfeA\0,\0", &AT_512)), &["UTF-16", "UTF-8"]);
    assert_says(&words(bytes(b"A,B\n1,\xff\xfe\n", &AT_512)), &["line 2, column 2", "no number"]);
    assert_says(&words(bytes(&[b','; 70_000], &AT_512)), &["70001 columns"]);
}

/// Several blocks: 300 columns make blocks of 3495 rows (2²⁰ numbers), and 8000 rows make three.
#[test]
fn long_tables_are_read_in_blocks() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("long.tsv");
    let rule = |c: usize, t: usize| ((t * 31 + c * 17) % 1000) as f64;
    let row = |cells: Vec<String>| cells.join("\t") + "\n";
    let mut text = row((0..300).map(|c| format!("e{c}")).collect());
    for t in 0..8000 {
        text += &row((0..300).map(|c| rule(c, t).to_string()).collect());
    }
    std::fs::write(&path, text).expect("written");
    let mut recording = lagrange_gpu::data::recording::open_with(&path, &AT_512).expect("a long table");
    for (c, range) in [(0, 0..8000), (299, 3490..3500), (7, 6989..6992), (150, 7999..8000), (1, 0..1)] {
        let mut got = Vec::new();
        recording.read(c, range.clone(), &mut got).expect("a stretch");
        assert_eq!(got, range.map(|t| rule(c, t as usize)).collect::<Vec<_>>());
    }
    std::fs::write(&path, "e0\te1\n").expect("written");
    let mut got = Vec::new();
    let error = recording.read(3, 5000..5001, &mut got).expect_err("the file became shorter").to_string();
    assert_says(&error, &["long.tsv"]);
    assert_says(&words(open(&path)), &["2 channels with 0 samples"]);
}
