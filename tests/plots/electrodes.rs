//! Traces and scores of free electrodes.

use lagrange_gpu::plot::{LOWEST, MOST_ROWS, Method, PlotError, Scores, Trace, Traces, scores, traces};

use proptest::prelude::*;

use super::svg::{elements, texts, those};

const TRUTH: &str = "#404040";
const BEFORE: &str = "#56B4E9";
const AFTER: &str = "#D55E00";
const NAN: f64 = f64::NAN;

/// Electrodes E0, E1, … over `steps` steps of 2 ms.
fn recording(electrodes: usize, steps: usize) -> Traces {
    let wave = |phase: f64| (0..steps).map(|i| (0.1 * i as f64 + phase).sin()).collect::<Vec<f64>>();
    let rows = (0..electrodes).map(|e| Trace {
        name: format!("E{e}"),
        truth: wave(e as f64),
        before: vec![0.0; steps],
        after: wave(e as f64 + 0.1),
        r2: 0.5,
    });
    Traces {
        title: "free electrodes".into(),
        time_ms: (0..steps).map(|i| 2.0 * i as f64).collect(),
        rows: rows.collect(),
        unit: "µV".into(),
        ..Traces::default()
    }
}

#[test]
fn each_electrode_has_its_row_with_three_lines() {
    let svg = traces(&recording(3, 200)).unwrap();
    for colour in [TRUTH, BEFORE, AFTER] {
        // One of the legend.
        let lines = those(&svg, "polyline", "stroke", colour);
        assert_eq!(lines.len(), 1 + 3, "{colour}");
        assert!(lines[1..].iter().all(|line| line.points().len() == 200), "{colour}");
        assert_eq!(lines[1].get("stroke-dasharray").is_empty(), colour != BEFORE);
    }
    let texts = texts(&svg);
    for text in
        ["E0", "E1", "E2", "time (ms)", "value (µV)", "recorded", "R² 0.50", "predicted before training"]
    {
        assert!(texts.contains(&text.to_owned()), "{text}: {texts:?}");
    }
    assert_eq!(svg, traces(&recording(3, 200)).unwrap());
}

/// The same sine has the same shape in every row: rows are one below the other, and time runs from left to right.
#[test]
fn rows_share_the_axis_of_time() {
    let mut all = recording(2, 100);
    all.rows[1].truth = all.rows[0].truth.clone();
    all.rows[1].after = all.rows[0].after.clone();
    let svg = traces(&all).unwrap();
    let lines: Vec<_> = those(&svg, "polyline", "stroke", TRUTH)[1..].iter().map(|l| l.points()).collect();
    let down = lines[1][0].1 - lines[0][0].1;
    assert!(down > 0);
    for (a, b) in lines[0].iter().zip(&lines[1]) {
        assert_eq!((a.0, a.1 + down), *b);
    }
    assert!(lines[0].windows(2).all(|w| w[0].0 < w[1].0));
}

#[test]
fn missing_samples_are_gaps() {
    let mut all = recording(1, 100);
    all.rows[0].truth[40] = NAN;
    all.rows[0].after[0] = f64::INFINITY;
    all.rows[0].before = vec![NAN; 100];
    let svg = traces(&all).unwrap();
    let parts = |colour| {
        those(&svg, "polyline", "stroke", colour).iter().skip(1).map(|l| l.points().len()).collect::<Vec<_>>()
    };
    assert_eq!((parts(TRUTH), parts(AFTER)), (vec![40, 59], vec![99]));
    assert!(those(&svg, "polyline", "stroke", BEFORE).is_empty(), "nothing to explain in the legend");
}

/// An untrained network may be anywhere: it must not press the others flat. The truth keeps at least half of its row (58 pixels of four
/// units): room is added for it up to half the range on each side, and 4 % of the whole at the edges.
#[test]
fn a_wild_prediction_before_training_leaves_room_for_the_truth() {
    let mut all = recording(1, 100);
    all.rows[0].before = (0..100).map(|i| if i % 2 == 0 { 1e6 } else { -1e6 }).collect();
    let svg = traces(&all).unwrap();
    let truth = those(&svg, "polyline", "stroke", TRUTH)[1].points();
    let (low, high) = (truth.iter().map(|p| p.1).min().unwrap(), truth.iter().map(|p| p.1).max().unwrap());
    assert!(f64::from(high - low) > 0.45 * 58.0 * 4.0, "{low} {high}");
}

#[test]
fn what_is_not_shown_is_said() {
    let svg = traces(&recording(20, 6001)).unwrap();
    let texts = texts(&svg);
    assert!(texts.contains(&format!("E{}", MOST_ROWS - 1)) && !texts.contains(&format!("E{MOST_ROWS}")));
    let said = "shown: the first 14 of 20 free electrodes, the first 10.0 s (5,001 of 6,001 time steps)";
    assert!(texts.contains(&said.to_owned()), "{texts:?}");
    assert!(texts.contains(&"time (s)".to_owned()));
}

/// Two spans of one recording, then another recording, whose time starts anew: the spans are two lines, and the picture ends with them.
#[test]
fn spans_are_not_joined() {
    let mut all = recording(1, 90);
    for (i, t) in all.time_ms.iter_mut().enumerate() {
        *t = 2.0
            * (if i < 30 {
                i
            } else if i < 70 {
                i + 100
            } else {
                i - 70
            }) as f64;
    }
    let svg = traces(&all).unwrap();
    let parts: Vec<usize> =
        those(&svg, "polyline", "stroke", TRUTH).iter().skip(1).map(|l| l.points().len()).collect();
    assert_eq!(parts, [30, 40]);
    assert!(
        texts(&svg).contains(&"shown: the first 0.3 s (70 of 90 time steps)".to_owned()),
        "{:?}",
        texts(&svg)
    );
}

#[test]
fn odd_recordings_are_refused() {
    let spoilt: [fn(&mut Traces); 6] = [
        |all| all.rows.clear(),
        |all| all.time_ms.truncate(1),
        |all| all.time_ms[0] = NAN,
        |all| all.time_ms[1] = all.time_ms[0],
        |all| all.rows[0].truth.truncate(5),
        |all| all.rows[0].after.push(1.0),
    ];
    for (i, spoil) in spoilt.iter().enumerate() {
        let mut all = recording(2, 20);
        spoil(&mut all);
        assert!(matches!(traces(&all), Err(PlotError::Empty(_))), "{i}");
    }
    // All missing is no error: the rows are there, without lines.
    let mut all = recording(1, 20);
    (all.rows[0].truth, all.rows[0].before, all.rows[0].after) = (vec![NAN; 20], vec![], vec![]);
    assert!(texts(&traces(&all).unwrap()).contains(&"E0".to_owned()));
}

fn table(methods: &[(&str, &[f64])]) -> Scores {
    Scores {
        title: "R²".into(),
        electrodes: (0..methods[0].1.len()).map(|e| format!("E{e}")).collect(),
        methods: methods.iter().map(|(name, r2)| Method { name: (*name).into(), r2: r2.to_vec() }).collect(),
        ..Scores::default()
    }
}

/// R² 0, ½ and 1 are equally far apart; below stands the median, ½.
#[test]
fn scores_lie_on_a_linear_axis() {
    let svg = scores(&table(&[("network", &[0.0, 0.5, 1.0]), ("ridge", &[0.9, NAN, 0.7])])).unwrap();
    let x: Vec<f64> = those(&svg, "circle", "fill", AFTER).iter().skip(1).map(|c| c.number("cx")).collect();
    assert_eq!(x.len(), 4, "three electrodes and the median");
    assert!(x[0] < x[1] && ((x[2] - x[1]) - (x[1] - x[0])).abs() <= 1.0, "{x:?}");
    assert_eq!(x[3], x[1]);
    // Squares are polygons: one of the legend, two electrodes, the median.
    assert_eq!(those(&svg, "polygon", "fill", "#0072B2").len(), 4);
    let texts = texts(&svg);
    for text in ["E0", "E2", "median", "the network", "R² on the test part"] {
        assert!(texts.contains(&text.to_owned()), "{text}: {texts:?}");
    }
}

#[test]
fn scores_far_below_the_axis_are_numbers_at_its_edge() {
    let svg =
        scores(&table(&[("network", &[0.5]), ("nearest", &[LOWEST - 6.5]), ("persistence", &[-12345.0])]))
            .unwrap();
    let texts = texts(&svg);
    for text in ["−7.5", "−1e4", "−1.0"] {
        assert!(texts.contains(&text.to_owned()), "{text}: {texts:?}");
    }
    assert!(texts.iter().any(|text| text.contains("own past")), "{texts:?}");
}

#[test]
fn scores_without_numbers_are_refused() {
    for odd in [table(&[("network", &[NAN])]), Scores::default()] {
        assert!(matches!(scores(&odd), Err(PlotError::Empty(_))));
    }
    let mut odd = table(&[("network", &[0.5])]);
    odd.electrodes.push("one more".into());
    assert!(matches!(scores(&odd), Err(PlotError::Empty(_))));
}

proptest! {
    /// Whatever the numbers are, nothing is drawn outside the picture.
    #[test]
    fn any_numbers_stay_in_the_picture(
        values in prop::collection::vec(prop::num::f64::ANY, 60),
        r2 in prop::collection::vec(prop::num::f64::ANY, 6),
        jumps in prop::collection::vec(0.1..1e6_f64, 20),
    ) {
        let mut all = recording(1, 20);
        let row = &mut all.rows[0];
        (row.truth, row.before, row.after) = (values[..20].to_vec(), values[20..40].to_vec(), values[40..].to_vec());
        row.r2 = r2[0];
        all.time_ms = jumps.iter().scan(0.0, |t, jump| { *t += jump; Some(*t) }).collect();
        let drawn = [traces(&all), scores(&table(&[("network", &r2[..3]), ("another", &r2[3..])]))];
        for svg in drawn.into_iter().flatten() {
            let view = elements(&svg)[0].get("viewBox").split(' ').map(|n| n.parse().unwrap()).collect::<Vec<i32>>();
            for element in elements(&svg) {
                for (x, y) in element.points() {
                    prop_assert!((0..=view[2]).contains(&x) && (0..=view[3]).contains(&y), "{:?}", element);
                }
            }
            prop_assert!(!svg.contains("NaN") && !svg.contains("inf"));
        }
    }
}
