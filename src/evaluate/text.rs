//! The score as people read it.

use super::{Regression, Report};
use crate::sinks::text::{confusion, outputs, percent, r2, thousands};

/// Accuracy with its standard error, loss, the confusion matrix, and a line a class with its recall and precision. The last line is
/// ended.
#[must_use]
pub fn report(r: &Report) -> String {
    format!(
        "accuracy {} (standard error {:.2} points, {} samples), loss {:.5}\n{}{}",
        percent(r.accuracy),
        100.0 * r.standard_error,
        thousands(r.samples as u64),
        r.loss,
        confusion(&r.confusion),
        classes(r),
    )
}

/// R², RMSE, loss, and a line an output. The last line is ended.
#[must_use]
pub fn regression(r: &Regression) -> String {
    let samples = thousands(r.samples as u64);
    format!("R² {}, RMSE {:.5} ({samples} samples), loss {:.5}\n{}", r2(r.r2), r.rmse, r.loss, outputs(r))
}

fn classes(r: &Report) -> String {
    let share = |v: Option<f64>| v.map_or_else(|| "-".to_owned(), |v| format!("{:.1} %", 100.0 * v));
    let mut table = String::from("class   samples    recall  precision\n");
    for (class, row) in r.confusion.iter().enumerate() {
        let samples = thousands(row.iter().sum());
        let (recall, precision) = (share(r.recall[class]), share(r.precision[class]));
        table += &format!("{class:>5}{samples:>10}{recall:>10}{precision:>11}\n");
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::Score;

    #[test]
    fn the_tables_are_aligned() {
        let score =
            Score { samples: 6, accuracy: 5.0 / 6.0, loss: 0.25, confusion: vec![vec![3, 1], vec![0, 2]] };
        // √(5/6 · 1/6 / 6) = 0.15215.
        let want = "\
accuracy 83.33 % (standard error 15.21 points, 6 samples), loss 0.25000
true \\ predicted
       0 1    right
    0: 3 1   75.0 %
    1: · 2  100.0 %
class   samples    recall  precision
    0         4    75.0 %    100.0 %
    1         2   100.0 %     66.7 %
";
        assert_eq!(report(&score.into()), want);
    }
}
