//! Learning curves.

use lagrange_gpu::plot::{
    Arm, Axis, EpochPoint, GroupCurves, Learning, PlotError, binned, group_curves, learning_curve, segments,
    thinned,
};
use proptest::prelude::*;

use super::svg::{elements, texts, those};

const BLUE: &str = "#0072B2";
const VERMILLION: &str = "#D55E00";
const SKY: &str = "#56B4E9";
/// Raster units of the width and height of a frame: 340 × 250 pixels, four units each.
const FRAME: (f64, f64) = (1360.0, 1000.0);
const NAN: f64 = f64::NAN;

fn epoch(epoch: usize, loss: f64) -> EpochPoint {
    EpochPoint { loss, ..EpochPoint::unknown(epoch as f64) }
}

fn run(losses: &[f64]) -> Learning {
    Learning {
        title: "name, seed 7: learning curve".into(),
        epochs: losses.iter().enumerate().map(|(i, l)| epoch(i + 1, *l)).collect(),
        epoch_s: NAN,
        test_accuracy: NAN,
        test_loss: NAN,
        test_r2: NAN,
        ..Learning::default()
    }
}

/// The lines of a colour but the first, which is that of the legend.
fn lines(svg: &str, colour: &str) -> Vec<Vec<(i32, i32)>> {
    those(svg, "polyline", "stroke", colour).iter().skip(1).map(|line| line.points()).collect()
}

#[track_caller]
fn near(got: i32, want: f64) {
    assert!((f64::from(got) - want).abs() <= 1.0, "{got} in place of {want}");
}

/// 4, 2, 1 on an axis from 0 to 4, in the middles of three epochs.
#[test]
fn a_linear_axis_keeps_differences() {
    let svg = learning_curve(&run(&[4.0, 2.0, 1.0])).unwrap();
    let all = lines(&svg, BLUE);
    assert_eq!(all.len(), 1);
    let p = &all[0];
    assert_eq!(p.len(), 3);
    near(p[1].0 - p[0].0, FRAME.0 / 3.0);
    near(p[2].0 - p[0].0, FRAME.0 * 2.0 / 3.0);
    near(p[1].1 - p[0].1, FRAME.1 / 2.0);
    near(p[2].1 - p[0].1, FRAME.1 * 3.0 / 4.0);
    assert_eq!(texts(&svg)[0], "name, seed 7: learning curve");
    assert!(texts(&svg).contains(&"epoch".to_owned()));
    // Ticks at whole epochs and whole costs.
    for tick in ["0", "1", "2", "3", "4"] {
        assert!(texts(&svg).contains(&tick.to_owned()), "{tick}");
    }
}

/// The axis is logarithmic where the cost falls by more than a factor of 8: the same factor is the same distance.
#[test]
fn a_logarithmic_axis_keeps_ratios() {
    let svg = learning_curve(&run(&[1.0, 0.1, 0.01])).unwrap();
    let p = lines(&svg, BLUE).remove(0);
    let (first, second) = (p[1].1 - p[0].1, p[2].1 - p[1].1);
    assert!((first - second).abs() <= 2 && first > 0, "{p:?}");
    for tick in ["1", "0.1", "0.01"] {
        assert!(texts(&svg).contains(&tick.to_owned()), "{tick}");
    }
    // Not with a cost of zero or below.
    let svg = learning_curve(&run(&[8.0, 4.0, 0.0])).unwrap();
    let p = lines(&svg, BLUE).remove(0);
    near(p[1].1 - p[0].1, f64::from(p[2].1 - p[1].1));
}

#[test]
fn what_is_not_finite_splits_the_line() {
    for gap in [NAN, f64::INFINITY, 1e200] {
        let svg = learning_curve(&run(&[5.0, 4.0, gap, 3.0, 2.0])).unwrap();
        let parts: Vec<usize> = lines(&svg, BLUE).iter().map(Vec::len).collect();
        assert_eq!(parts, [2, 2], "{gap}");
        assert_eq!(those(&svg, "circle", "fill", BLUE).len(), 1 + 4, "one in the legend, one an epoch");
    }
}

#[test]
fn one_epoch_alone_is_a_mark() {
    let svg = learning_curve(&run(&[0.5])).unwrap();
    assert!(lines(&svg, BLUE).is_empty());
    assert_eq!(those(&svg, "circle", "fill", BLUE).len(), 1 + 1);
}

/// No epoch has ended: what there is of mini-batches is drawn.
#[test]
fn mini_batches_are_drawn_without_epochs() {
    let run = Learning { batches: vec![(0.25, 2.0), (0.5, 1.5), (0.75, 1.25)], ..run(&[]) };
    let svg = learning_curve(&run).unwrap();
    let p = lines(&svg, SKY).remove(0);
    assert_eq!(p.len(), 3);
    near(p[2].0 - p[0].0, FRAME.0 * 0.5);
}

#[test]
fn nothing_finite_is_an_error() {
    for losses in [&[][..], &[NAN], &[f64::INFINITY, NAN]] {
        assert!(matches!(learning_curve(&run(losses)), Err(PlotError::Empty(_))), "{losses:?}");
    }
}

/// Two panels as soon as there are accuracies; the second axis ends at the simulated time of all epochs.
#[test]
fn accuracies_have_a_panel_of_their_own() {
    let mut run = run(&[4.0, 3.0]);
    for (e, accuracy) in run.epochs.iter_mut().zip([0.5, 0.9]) {
        (e.validation_accuracy, e.train_accuracy) = (accuracy, accuracy + 0.1);
    }
    (run.test_accuracy, run.epoch_s) = (0.7, 2.0);
    let svg = learning_curve(&run).unwrap();
    assert_eq!(lines(&svg, VERMILLION).len(), 1);
    let p = lines(&svg, VERMILLION).remove(0);
    // From the end of the first epoch to that of the second; 50 % and 90 % on an axis from 50 to 100.
    near(p[1].0 - p[0].0, FRAME.0 / 2.0);
    near(p[0].1 - p[1].1, FRAME.1 * 0.8);
    assert!(!those(&svg, "polyline", "stroke", VERMILLION)[1].get("stroke-dasharray").is_empty());
    let texts = texts(&svg);
    for text in
        ["accuracy (%)", "simulated time (s)", "training, mean of the epoch", "validation", "test", "4"]
    {
        assert!(texts.contains(&text.to_owned()), "{text}: {texts:?}");
    }
    // The mark of the test: in the legend and at the end.
    assert_eq!(those(&svg, "polygon", "fill", "#009E73").len(), 2);
}

/// Recordings have no classes: R² in place of accuracies, 0 and ½ on an axis from 0 to ½; far below it is a gap.
#[test]
fn r2_has_a_panel_of_its_own() {
    let mut run = run(&[4.0, 3.0, 2.0]);
    for (e, r2) in run.epochs.iter_mut().zip([-30.0, 0.0, 0.5]) {
        (e.validation_r2, e.validation_loss) = (r2, 3.0);
    }
    run.test_r2 = 0.25;
    let svg = learning_curve(&run).unwrap();
    let all = lines(&svg, VERMILLION);
    // The legend of the second panel is between them.
    let p = &all[all.len() - 1];
    assert_eq!((all[0].len(), p.len()), (3, 2));
    near(p[0].1 - p[1].1, FRAME.1);
    assert!(texts(&svg).contains(&"validation; gaps are below −1".to_owned()));
    assert!(!svg.contains("accuracy"));
}

/// Means of 6 and 2, 3 and 1 are 4 and 2, sd √8 and √2; the band goes there and back. The unit comes from a distance of 2, off by 1 raster
/// unit at most, and is taken 2.83 times at most: with the rounding of the distance itself less than 3.
#[test]
fn a_group_has_mean_and_band() {
    let arm = |name: &str, runs: &[&[f64]]| Arm {
        name: name.into(),
        runs: runs.iter().map(|losses| run(losses).epochs).collect(),
    };
    let arms = vec![arm("least action", &[&[6.0, 3.0], &[2.0, 1.0]]), arm("backprop", &[&[5.0, 5.0]])];
    let group = GroupCurves { title: "name: 2 seeds".into(), arms, epoch_s: NAN, ..GroupCurves::default() };
    let svg = group_curves(&group).unwrap();
    let p = lines(&svg, BLUE).remove(0);
    let band = those(&svg, "polygon", "opacity", "0.2").remove(0).points();
    assert_eq!(band.len(), 4);
    // Units a cost: from the two means.
    let unit = f64::from(p[1].1 - p[0].1) / 2.0;
    for (distance, sd) in [
        (band[0].1 - p[0].1, 8_f64.sqrt()),
        (p[0].1 - band[3].1, 8_f64.sqrt()),
        (band[1].1 - p[1].1, 2_f64.sqrt()),
    ] {
        assert!((f64::from(distance) - sd * unit).abs() < 3.0, "{distance} {sd} {unit}");
    }
    let texts = texts(&svg);
    assert!(texts.contains(&"least action (mean ± sd, 2 seeds)".to_owned()), "{texts:?}");
    assert!(texts.contains(&"backprop (1 seed)".to_owned()), "{texts:?}");
    assert!(texts.contains(&"mean training cost ½‖u* − a‖²".to_owned()), "{texts:?}");
    assert!(group_curves(&GroupCurves::default()).is_err());
    // Recordings have R² beside it.
    let mut group = group;
    group.arms[0].runs[0][1].validation_r2 = 0.5;
    let svg = group_curves(&group).unwrap();
    assert!(svg.contains("validation R²") && !svg.contains("accuracy"));
}

#[test]
fn titles_are_escaped_and_kept_in_the_picture() {
    let title = format!("<&\"{}\n", "x".repeat(500));
    let svg = learning_curve(&Learning { title, ..run(&[2.0, 1.0]) }).unwrap();
    let first = &texts(&svg)[0];
    assert!(first.starts_with("&lt;&amp;&quot;xxx") && first.ends_with('…'), "{first}");
    assert!(first.chars().count() < 200);
}

#[test]
fn lines_are_split_binned_and_thinned() {
    let points = [(0.0, 1.0), (1.0, NAN), (2.0, 3.0), (3.0, 4.0), (NAN, 1.0)];
    assert_eq!(segments(&points), [vec![(0.0, 1.0)], vec![(2.0, 3.0), (3.0, 4.0)]]);
    // Bins [0, 1), [1, 2): 1 and 3 in the first, 5 in the second, which holds the end too.
    let binned = binned(&[(0.0, 1.0), (0.5, 3.0), (1.5, 5.0), (2.0, 7.0), (1.0, NAN)], 2.0, 2);
    assert_eq!(binned, [(0.25, 2.0), (1.75, 6.0)]);
    let few = vec![(0.0, 1.0), (1.0, 2.0)];
    assert_eq!(thinned(few.clone(), 2), few);
}

#[test]
fn ticks_are_round_numbers() {
    let labels = |axis: &Axis| axis.ticks.iter().map(|(_, label)| label.clone()).collect::<Vec<_>>();
    assert_eq!(labels(&Axis::fixed("", 0.0, 1.0, 5)), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
    assert_eq!(labels(&Axis::fixed("", -3.0, 7.0, 5)), ["−2", "0", "2", "4", "6"]);
    assert_eq!(labels(&Axis::whole("", 3.0, 8)), ["0", "1", "2", "3"]);
    assert_eq!(
        labels(&Axis::of_losses("", &[1e-7, 1e-5], 5)),
        ["1e−7", "2e−7", "5e−7", "1e−6", "2e−6", "5e−6", "1e−5"]
    );
    let narrow = Axis::linear("", &[2.0, 2.0], 5);
    assert!(narrow.lo < 2.0 && narrow.hi > 2.0);
}

proptest! {
    /// A thinned line has its first, last, lowest and highest point, points of the line alone, in order.
    #[test]
    fn a_thinned_line_keeps_its_outline(values in prop::collection::vec(-1e3..1e3_f64, 1..400), columns in 1..20_usize) {
        let line: Vec<(f64, f64)> = values.iter().enumerate().map(|(i, v)| (i as f64, *v)).collect();
        let thin = thinned(line.clone(), columns);
        prop_assert!(thin.len() <= (4 * columns).max(4));
        prop_assert!(thin.windows(2).all(|w| w[0].0 < w[1].0) && thin.iter().all(|p| line.contains(p)));
        prop_assert_eq!((thin[0], thin[thin.len() - 1]), (line[0], line[line.len() - 1]));
        let least = |l: &[(f64, f64)]| l.iter().map(|p| p.1).fold(f64::INFINITY, f64::min);
        let most = |l: &[(f64, f64)]| l.iter().map(|p| p.1).fold(-f64::INFINITY, f64::max);
        prop_assert_eq!((least(&thin), most(&thin)), (least(&line), most(&line)));
    }

    /// Whatever the numbers are, nothing is drawn outside the picture, and the same numbers give the same bytes.
    #[test]
    fn any_numbers_stay_in_the_picture(
        losses in prop::collection::vec(prop::num::f64::ANY, 0..30),
        batches in prop::collection::vec((0.0..30.0_f64, prop::num::f64::ANY), 0..50),
        other in prop::array::uniform4(prop::num::f64::ANY),
    ) {
        let mut run = Learning { batches, ..run(&losses) };
        [run.epoch_s, run.test_accuracy, run.test_loss, _] = other;
        if let Some(e) = run.epochs.first_mut() {
            (e.epoch, e.validation_loss) = (other[3], other[1]);
        }
        let Ok(svg) = learning_curve(&run) else { return Ok(()) };
        prop_assert_eq!(&svg, &learning_curve(&run).unwrap());
        let view = elements(&svg)[0].get("viewBox").split(' ').map(|n| n.parse().unwrap()).collect::<Vec<i32>>();
        for element in elements(&svg) {
            for (x, y) in element.points() {
                prop_assert!((0..=view[2]).contains(&x) && (0..=view[3]).contains(&y), "{:?}", element);
            }
        }
        prop_assert!(!svg.contains("NaN") && !svg.contains("inf"));
    }
}
