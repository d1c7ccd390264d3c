//! The table of several seeds: means, sample standard deviations, paired differences, and what was not run.
#![allow(clippy::unwrap_used, missing_docs)]

use std::time::{Duration, SystemTime};

use lagrange_gpu::sinks::{Group, RunDir, SeedResult, SeedTable, Spread};

fn result(accuracy: f64, loss: f64, seconds: f64) -> SeedResult {
    SeedResult { directory: "runs/x".into(), accuracy: Some(accuracy), loss, samples: 10_000, seconds }
}

/// Deviations -1, 0, 1: the sample variance is (1 + 0 + 1)/2.
#[test]
fn the_spread_is_that_of_a_sample() {
    assert_eq!(Spread::of(&[1.0, 2.0, 3.0]), Some(Spread { mean: 2.0, sd: Some(1.0) }));
    assert_eq!(Spread::of(&[5.0]), Some(Spread { mean: 5.0, sd: None }));
    assert_eq!(Spread::of(&[]), None);
}

fn cells(line: &str) -> Vec<&str> {
    line.trim_matches('|').split('|').map(str::trim).collect()
}

#[test]
fn the_table_pairs_each_seed_with_its_control() {
    let mut table = SeedTable::new(&[7, 8, 9], true);
    table.about = "digits on a device".into();
    let (runs, controls) = ([0.97, 0.98, 0.96], [0.98, 0.985, 0.975]);
    for ((row, run), control) in table.rows.iter_mut().zip(runs).zip(controls) {
        row.run = Some(result(run, 0.03, 100.0));
        row.control = Some(result(control, 0.02, 10.0));
    }
    table.summarise();
    assert!(table.is_complete());
    // Differences in points: -1, -0.5, -1.5.
    let Spread { mean, sd } = table.difference.unwrap();
    assert!((mean + 0.01).abs() < 1e-12 && (sd.unwrap() - 0.005).abs() < 1e-12, "{mean} {sd:?}");
    let text = table.markdown();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "digits on a device; 10,000 test samples");
    assert_eq!(cells(lines[4]), ["7", "97.00", "0.03000", "100", "98.00", "0.02000", "10", "-1.00"]);
    let means = cells(lines[7]);
    assert_eq!(means[..2], ["mean ± sd", "97.00 ± 1.00"]);
    assert_eq!((means[4], means[7]), ("98.00 ± 0.50", "-1.00 ± 0.50"));
    assert!(lines[2..].iter().all(|line| cells(line).len() == 8), "{text}");
}

#[test]
fn what_was_not_run_is_called_so() {
    let mut table = SeedTable::new(&[1, 2], true);
    table.rows[0].run = Some(result(0.5, 0.1, 3.0));
    table.summarise();
    assert!(!table.is_complete());
    let text = table.markdown();
    let rows: Vec<Vec<&str>> = text.lines().skip(4).map(cells).collect();
    let no = "not run";
    assert_eq!(rows[0], ["1", "50.00", "0.10000", "3", no, no, no, no]);
    assert_eq!(rows[1], ["2", no, no, no, no, no, no, no]);
    assert_eq!(rows[2], ["mean ± sd", "50.00", "0.10000", "3", no, no, no, no]);
    let alone = SeedTable::new(&[1], false).markdown();
    assert!(alone.lines().skip(2).all(|line| cells(line).len() == 4), "{alone}");
}

/// R² of targets that do not move is not defined: neither are means of it.
#[test]
fn what_is_not_defined_has_a_dash() {
    let mut table = SeedTable::new(&[1, 2], false);
    let still = || SeedResult { accuracy: None, ..result(0.0, 0.25, 1.0) };
    table.completion = true;
    table.rows[0].run = Some(still());
    table.rows[1].run = Some(still());
    table.summarise();
    assert_eq!(table.accuracy, None);
    let text = table.markdown();
    assert!(!text.contains("not run"), "{text}");
    assert_eq!(cells(text.lines().last().unwrap()), ["mean ± sd", "-", "0.25000 ± 0.00000", "1 ± 0"]);
    table.rows[1].run = Some(result(0.5, 0.25, 1.0));
    table.summarise();
    assert_eq!(table.accuracy.unwrap().mean, 0.5);
}

#[test]
fn a_group_is_found_again_and_knows_its_runs() {
    let base = tempfile::tempdir().unwrap();
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let group = Group::create(base.path(), "digits", "seed = 1\n", start).unwrap();
    assert!(group.path().ends_with("digits/20010909T014640Z-seeds"));
    let older = RunDir::create(base.path(), "digits", 1, start - Duration::from_secs(1)).unwrap();
    let newer = RunDir::create(base.path(), "digits", 1, start).unwrap();
    assert!(!group.may_have_run(older.path()) && group.may_have_run(newer.path()));
    assert_eq!(Group::all(base.path(), "digits"), std::slice::from_ref(&group));
    assert_eq!(Group::open(newer.path()), None);
    assert_eq!(RunDir::runs(base.path(), "digits", 1).len(), 2);
    assert_eq!(group.table(), None);
    let mut table = SeedTable::new(&[1], false);
    table.rows[0].run = Some(result(0.9, 0.1, 1.5));
    table.summarise();
    group.write(&table).unwrap();
    assert_eq!(group.table(), Some(table));
    assert!(group.path().join("seeds.md").is_file());
}
