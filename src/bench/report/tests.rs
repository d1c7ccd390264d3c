#![allow(clippy::unwrap_used)]

use csv_core::{ReadRecordResult, Reader};

use super::*;
use crate::bench::row::tests::row;

/// The records of a CSV text, read by another's hands.
fn records(text: &str) -> Vec<Vec<String>> {
    let (mut reader, mut rest) = (Reader::new(), text.as_bytes());
    let (mut out, mut ends) = (vec![0; 1 << 16], vec![0; 256]);
    let mut all = Vec::new();
    loop {
        let (result, read, _, fields) = reader.read_record(rest, &mut out, &mut ends);
        rest = &rest[read..];
        match result {
            ReadRecordResult::Record => {
                let from = |i: usize| if i == 0 { 0 } else { ends[i - 1] };
                let cell = |i: usize| String::from_utf8(out[from(i)..ends[i]].to_vec()).unwrap();
                all.push((0..fields).map(cell).collect());
            }
            ReadRecordResult::End => return all,
            // The end of the text ends the record.
            _ if read == 0 => rest = &[],
            _ => {}
        }
    }
}

#[test]
fn deep_networks_are_named_briefly() {
    assert_eq!(brief("784-300-100-10"), "784-300-100-10");
    assert_eq!(brief("100-50-50-50-10"), "100-50-50-50-10");
    assert_eq!(brief("100-50-50-50-50-10-10"), "100-50x4-10-10");
    assert_eq!(brief("0-20"), "0-20");
}

#[test]
fn csv_reads_back_with_its_names() {
    let report = Report::new(Format::Csv, &[row()]);
    let text = report.head() + &report.line(&row()).unwrap() + &report.line(&row()).unwrap();
    let all = records(&text);
    assert_eq!(all.len(), 3);
    assert_eq!(all[0], COLUMNS);
    let of = |name: &str| &all[2][COLUMNS.iter().position(|c| *c == name).unwrap()];
    // A name with a comma and quotes.
    assert_eq!(of("device"), "a, \"b\"");
    assert_eq!((of("threads").as_str(), of("peak_bytes").as_str(), of("learn").as_str()), ("2", "", "true"));
    assert!((of("step_ms").parse::<f64>().unwrap() - row().step_ms).abs() < 1e-12);
}

#[test]
fn json_lines_read_back() {
    let report = Report::new(Format::Jsonl, &[row()]);
    assert_eq!(report.head(), "");
    let line = report.line(&row()).unwrap();
    assert!(line.ends_with('\n') && line.matches('\n').count() == 1);
    assert_eq!(serde_json::from_str::<Row>(&line).unwrap(), row());
}

#[test]
fn people_see_what_differs() {
    let other = Row { batch: 100, learn: false, ..row() };
    let report = Report::new(Format::Table, &[row(), other.clone()]);
    let head = report.head();
    let (about, names) = head.trim_end().split_once('\n').unwrap();
    assert!(names.contains("learn") && !names.contains("threads") && !names.contains("GPU"), "{names}");
    assert!(about.contains("2 threads") && about.contains("5 steps"), "{about}");
    let line = report.line(&other).unwrap();
    assert!(line.starts_with("784-10 ") && line.contains(" off "), "{line}");
    // Columns stand below their names.
    assert_eq!(line.find("off").unwrap() + 3, names.find("learn").unwrap() + 5);
    let markdown = Report::new(Format::Markdown, &[row()]);
    let text = markdown.head() + &markdown.line(&row()).unwrap();
    let cells: Vec<usize> = text.lines().skip(2).map(|l| l.matches('|').count()).collect();
    assert!(cells.len() == 3 && cells.iter().all(|n| *n == cells[0]), "{text}");
}

#[test]
fn numbers_have_three_digits() {
    let all = [(0.0, "0"), (0.001_234, "1.2e-3"), (0.123_456, "0.1235"), (1.234_5, "1.23"), (12.345, "12.3")];
    for (value, text) in all.into_iter().chain([(1234.5, "1234")]) {
        assert_eq!(short(value), text);
    }
    assert_eq!((rate(12_345.6).as_str(), rate(3.0).as_str()), ("12,346", "3.00"));
}
