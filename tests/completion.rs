//! Scores and baselines of pattern completion against closed forms.

#![allow(clippy::unwrap_used)] // A test fails by panicking.

use lagrange_gpu::completion::{
    Baselines, FitError, How, LAMBDAS, Method, Moments, Nearest, Ridge, Scorer, Sums, contact,
};
use lagrange_gpu::data::series::{Format, Series, SeriesSet, Span};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn names(n: usize) -> Vec<String> {
    (1..=n).map(|i| format!("A{i}")).collect()
}

/// Rows of independent uniform values in (−1, 1), plus an offset.
fn noise(seed: u64, rows: usize, cols: usize, offset: f64) -> Vec<Vec<f64>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..rows).map(|_| (0..cols).map(|_| offset + rng.random_range(-1.0..1.0)).collect()).collect()
}

fn moments(rows: &[Vec<f64>]) -> Moments {
    let mut m = Moments::new(rows[0].clone());
    rows.iter().for_each(|row| m.add(row));
    m
}

#[test]
fn scores_have_their_closed_forms() {
    // y = 1, 2, 3, 4: mean 2.5, Σ(y − ȳ)² = 5. p = y + 1: Σ(y − p)² = 4.
    let mut sums = Sums::default();
    [1.0, 2.0, 3.0, 4.0].iter().for_each(|&y| sums.add(y, y + 1.0));
    let e = sums.electrode();
    assert!((e.r2.unwrap() - (1.0 - 4.0 / 5.0)).abs() < 1e-15);
    assert!((e.rmse - 1.0).abs() < 1e-15 && (e.cost - 0.5).abs() < 1e-15);
    assert!((e.correlation.unwrap() - 1.0).abs() < 1e-15);
    // p = −y: correlation −1; Σ(2y)² = 120.
    let mut sums = Sums::default();
    [1.0, 2.0, 3.0, 4.0].iter().for_each(|&y| sums.add(y, -y));
    let e = sums.electrode();
    assert!((e.correlation.unwrap() + 1.0).abs() < 1e-15);
    assert!((e.r2.unwrap() - (1.0 - 120.0 / 5.0)).abs() < 1e-13);
}

/// An offset of 1e6 costs six digits of a difference of 1: 1e-10 of 16 are left; the constant ones are undefined exactly.
#[test]
fn offsets_and_constants_do_no_harm() {
    let mut sums = Sums::default();
    [1.0, 2.0, 3.0, 4.0].iter().for_each(|&y| sums.add(1e6 + y, 1e6 + y + 1.0));
    assert!((sums.electrode().r2.unwrap() - 0.2).abs() < 1e-9);
    let mut flat = Sums::default();
    (0..9).for_each(|i| flat.add(0.1, f64::from(i)));
    assert_eq!((flat.electrode().r2, flat.electrode().correlation), (None, None));
    let mut constant = Sums::default();
    (0..9).for_each(|i| constant.add(f64::from(i), 0.1));
    assert_eq!(constant.electrode().correlation, None);
    assert!(constant.electrode().r2.unwrap() < 0.0);
}

/// Against sums over the rows themselves; 200 rows of size 5, 1e-10 of it.
#[test]
fn what_a_predictor_leaves_is_known_from_moments() {
    let rows = noise(1, 200, 4, 4.0);
    let m = moments(&rows);
    let (slopes, intercept, from) = ([0.7, -1.3], 0.4, [0, 3]);
    let direct: f64 =
        rows.iter().map(|r| (r[2] - intercept - slopes[0] * r[0] - slopes[1] * r[3]).powi(2)).sum();
    assert!((m.residual(2, &from, &slopes, intercept) - direct).abs() < 1e-10 * direct);
    // Blocks add up, and can be taken away again.
    let (a, b) = rows.split_at(70);
    let shifted = |rows: &[Vec<f64>]| {
        let mut m = Moments::new(vec![4.0; 4]);
        rows.iter().for_each(|row| m.add(row));
        m
    };
    let both = shifted(a).with(&shifted(b), 1.0);
    assert!((both.covariance(0, 1) - m.covariance(0, 1)).abs() < 1e-12);
    let rest = both.with(&shifted(a), -1.0);
    assert!((rest.mean(2) - shifted(b).mean(2)).abs() < 1e-12);
    assert!((rest.correlation(1, 2).unwrap() - shifted(b).correlation(1, 2).unwrap()).abs() < 1e-12);
}

/// Predictors at right angles with deviations 1 and 2: `(1 + λ) w_i = cov(x_i, y)/σ_i`, so slope_i = slope/(1 + λ). One block: λ = 1.
#[test]
fn the_ridge_shrinks_as_it_should() {
    let mut rows = Vec::new();
    for i in 0..8 {
        let (a, b) = (if i & 1 == 0 { 1.0 } else { -1.0 }, if i & 2 == 0 { 2.0 } else { -2.0 });
        rows.push(vec![a + 10.0, b - 5.0, 3.0 + 0.6 * a - 0.2 * b]);
    }
    let fit = &Ridge::fit(&[moments(&rows)], &[2], &[0, 1])[0];
    assert_eq!(fit.lambda, 1.0);
    assert!((fit.slopes[0] - 0.3).abs() < 1e-12 && (fit.slopes[1] + 0.1).abs() < 1e-12, "{:?}", fit.slopes);
    // At the means of the predictors it gives the mean of the target.
    assert!((fit.predict(&[10.0, -5.0], &[0, 1]) - 3.0).abs() < 1e-12);
}

/// A target that is linear in the predictors wants the smallest ridge; one at right angles to them in every block, the largest.
#[test]
fn cross_validation_chooses_the_ridge() {
    let blocks = |target: &dyn Fn(&[f64]) -> f64| -> Vec<Moments> {
        (0..5)
            .map(|block| {
                let rows = noise(10 + block, 100, 3, 0.0);
                let mut m = Moments::new(vec![0.0; 4]);
                // Each row with its mirror image: an even target has no covariance with the predictors.
                for row in rows {
                    for sign in [1.0, -1.0] {
                        let x: Vec<f64> = row.iter().map(|x| sign * x).collect();
                        m.add(&[x[0], x[1], x[2], target(&x)]);
                    }
                }
                m
            })
            .collect()
    };
    let linear = &Ridge::fit(&blocks(&|x| 2.0 * x[0] - x[2] + 0.5), &[3], &[0, 1, 2])[0];
    assert_eq!(linear.lambda, LAMBDAS[0]);
    for (slope, want) in linear.slopes.iter().zip([2.0, 0.0, -1.0]) {
        assert!((slope - want).abs() < 10.0 * LAMBDAS[0], "{:?}", linear.slopes);
    }
    assert!((linear.intercept - 0.5).abs() < 1e-6);
    let even = &Ridge::fit(&blocks(&|x| x[0] * x[0]), &[3], &[0, 1, 2])[0];
    assert!(even.slopes.iter().all(|s| s.abs() < 1e-12), "{:?}", even.slopes);
}

/// A predictor that never changes, and one twice: neither is a reason to fail.
#[test]
fn flat_and_equal_predictors_are_no_harm() {
    let mut blocks = Vec::new();
    for block in 0..5 {
        let mut m = Moments::new(vec![0.0; 4]);
        for row in noise(30 + block, 50, 1, 0.0) {
            m.add(&[7.0, row[0], row[0], 3.0 * row[0]]);
        }
        blocks.push(m);
    }
    let fit = &Ridge::fit(&blocks, &[3], &[0, 1, 2])[0];
    assert_eq!(fit.slopes[0], 0.0);
    // By symmetry each of the equal ones has half, but for the ridge.
    assert!((fit.slopes[1] - 1.5).abs() < 1e-5 && (fit.slopes[2] - 1.5).abs() < 1e-5, "{:?}", fit.slopes);
}

#[test]
fn contacts_are_read_from_their_names() {
    assert_eq!(contact("L'12"), Some(("L'", 12)));
    assert_eq!(contact("IAR1"), Some(("IAR", 1)));
    assert_eq!(contact("POL A3-Ref"), Some(("POL A", 3)));
    assert_eq!(contact("L'1-L'2"), Some(("L'", 1)));
    assert_eq!(contact("EKG"), None);
    assert_eq!(contact("12"), None);
    assert_eq!(contact("A99999999999"), None);
}

#[test]
fn the_nearest_contact_is_on_the_same_shaft() {
    let names: Vec<String> = ["A1", "A2", "A4", "A9", "B3", "EKG"].map(String::from).to_vec();
    let rows: Vec<Vec<f64>> = noise(3, 60, 6, 1.0)
        .into_iter()
        .map(|mut r| {
            // A2 follows A4; the EKG follows B3 upside down.
            r[1] = 5.0 - 2.0 * r[2];
            r[5] = 1.0 - r[4];
            r
        })
        .collect();
    let m = moments(&rows);
    // A2: A1 is at distance 1, but free itself; A4 at 2, A9 at 7.
    let near = Nearest::fit(&names, 1, &[2, 3, 4], &m);
    assert_eq!((near.from, near.how), (2, How::Shaft));
    assert!((near.slope + 2.0).abs() < 1e-12 && (near.intercept - 5.0).abs() < 1e-12);
    let far = Nearest::fit(&names, 5, &[2, 3, 4], &m);
    assert_eq!((far.from, far.how), (4, How::Correlation));
    assert!((far.slope + 1.0).abs() < 1e-12);
}

/// A set of two series in 16-bit integers; the third target is the sum of the first two, the first column an input.
fn set() -> SeriesSet {
    let gain = vec![1.0, 0.5, 0.5, 0.5];
    let offset = vec![0.0, 1.0, -1.0, 0.0];
    let series = |seed: u64| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut bytes = Vec::new();
        for _ in 0..300 {
            let (a, b): (i16, i16) = (rng.random_range(-1000..1000), rng.random_range(-1000..1000));
            [7, a, b, a + b].iter().for_each(|d: &i16| bytes.extend(d.to_le_bytes()));
        }
        let names = ["in", "A1", "A2", "B1"].map(String::from).to_vec();
        Series::in_memory(names, 2.0, Format::I16, (gain.clone(), offset.clone()), bytes).unwrap()
    };
    let span = |series, rows| Span { series, rows };
    SeriesSet {
        series: vec![series(1), series(2)],
        inputs: 1,
        train: vec![span(0, 0..200), span(1, 50..150)],
        validation: Vec::new(),
        test: vec![span(0, 200..300)],
        unit: "µV".into(),
        description: "a made-up recording".into(),
    }
}

#[test]
fn baselines_of_a_set() {
    let set = set();
    let fit = Baselines::fit(&set, &[2]).unwrap();
    assert_eq!((&fit.free[..], &fit.given[..]), (&[2][..], &[0, 1, 2][..]));
    // Mean over both training spans, directly.
    let mut all = set.series[0].values(0..200).unwrap();
    all.extend(set.series[1].values(50..150).unwrap());
    let mean = all.chunks_exact(4).map(|row| row[3]).sum::<f64>() / 300.0;
    assert!((fit.mean[0] - mean).abs() < 1e-9);
    // B1 = 0.5 (a + b) = A1 − 1 + A2 + 1: the ridge finds it, with the relative error of its λ.
    let test = set.series[0].values(200..300).unwrap();
    let rows: Vec<&[f64]> = test.chunks_exact(4).collect();
    let mut scorer = Scorer::new(&fit);
    for (i, row) in rows.iter().enumerate().skip(1) {
        assert!((fit.predict(Method::Ridge, 0, row, None) - row[3]).abs() < 1e-3);
        scorer.row(row, Some(rows[i - 1]), &row[1..]);
    }
    let names: Vec<String> = set.series[0].names[1..].to_vec();
    let table = scorer.table(&names, "µV");
    let of = |m: Method| table.summaries().into_iter().find(|s| s.method == m).unwrap();
    assert_eq!(table.samples, 99);
    // Perfect, by construction.
    assert_eq!((of(Method::Network).r2, of(Method::Network).rmse), (Some(1.0), 0.0));
    assert!(of(Method::Ridge).r2.unwrap() > 1.0 - 1e-9);
    // Independent samples, of which the one before says nothing: R² = 1 − 2σ²/σ² = −1, with a deviation of about 2/√99.
    assert!((of(Method::Persistence).r2.unwrap() + 1.0).abs() < 0.8);
    // The mean of another stretch: R² = −(difference of means)²/variance ≤ 0.
    assert!(of(Method::Mean).r2.unwrap() <= 0.0 && of(Method::Mean).correlation.is_none());
    // No contact of shaft B is nudged: the more alike of A1 and A2, with half of the variance: R² about ½.
    assert_eq!(fit.nearest[0].how, How::Correlation);
    assert!((of(Method::Nearest).r2.unwrap() - 0.5).abs() < 0.3);
}

/// What the inputs tell counts: `y = 3 − 2x` is found by ridge regression and by the electrode that is most alike, the input itself.
#[test]
fn inputs_are_given_to_baselines() {
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let mut bytes = Vec::new();
    for _ in 0..300 {
        let x: i16 = rng.random_range(-1000..1000);
        [x, 3 - 2 * x].iter().for_each(|d: &i16| bytes.extend(d.to_le_bytes()));
    }
    let names = ["in", "out"].map(String::from).to_vec();
    let series = Series::in_memory(names, 1.0, Format::I16, (vec![1.0; 2], vec![0.0; 2]), bytes).unwrap();
    let span = |rows| vec![Span { series: 0, rows }];
    let set = SeriesSet { series: vec![series], train: span(0..200), test: span(200..300), ..set() };
    let fit = Baselines::fit(&set, &[0]).unwrap();
    assert_eq!((&fit.given[..], fit.nearest[0].from), (&[0][..], 0));
    for row in set.series[0].values(200..300).unwrap().chunks_exact(2) {
        // The regression is exact; the ridge shrinks by its λ, 1e-7 of values up to 2000.
        assert!((fit.predict(Method::Nearest, 0, row, None) - row[1]).abs() < 1e-6);
        assert!((fit.predict(Method::Ridge, 0, row, None) - row[1]).abs() < 1e-3);
    }
}

#[test]
fn what_cannot_be_fitted_is_said() {
    let mut set = set();
    let error = Baselines::fit(&set, &[]).unwrap_err();
    assert!(matches!(error, FitError::Free { .. }), "{error}");
    // The input is given when all targets are free; without it nothing is.
    assert_eq!(Baselines::fit(&set, &[0, 1, 2]).unwrap().given, [0]);
    let bare = SeriesSet { inputs: 0, ..set.clone() };
    let error = Baselines::fit(&bare, &[0, 1, 2, 3]).unwrap_err();
    assert!(matches!(error, FitError::Free { .. }), "{error}");
    set.train = vec![Span { series: 0, rows: 5..5 }];
    assert!(matches!(Baselines::fit(&set, &[0]), Err(FitError::Empty(_))));
    set.train = vec![Span { series: 0, rows: 250..301 }];
    let error = Baselines::fit(&set, &[0]).unwrap_err().to_string();
    assert!(error.contains("made-up") && error.contains("301"), "{error}");
}

/// The table is what files hold.
#[test]
fn tables_are_written_and_read() {
    let set = set();
    let fit = Baselines::fit(&set, &[0, 2]).unwrap();
    let mut scorer = Scorer::new(&fit);
    for row in set.series[0].values(200..300).unwrap().chunks_exact(4) {
        scorer.row(row, None, &[0.0; 3]);
    }
    let table = scorer.table(&names(3), "µV");
    assert_eq!(table.rows.len(), Method::ALL.len() * 2);
    assert_eq!(table.free, ["A1", "A3"]);
    let text = serde_json::to_string(&table).unwrap();
    assert!(text.contains("\"method\":\"persistence\"") && text.contains("\"correlation\":null"), "{text}");
    assert_eq!(serde_json::from_str::<lagrange_gpu::completion::Table>(&text).unwrap().free, table.free);
}
