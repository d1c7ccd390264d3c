//! The words and numbers that people read: header, epoch lines, confusion matrix.

use crate::schedule::Schedule;
use crate::train::{CompletionScore, Epoch, Header, Regression, Rule, Score};

/// The block at the start of a run: several lines, the last one ended.
#[must_use]
pub fn header(h: &Header) -> String {
    let [train, validation, test] = h.samples.map(|n| thousands(n as u64));
    format!(
        "lagrange-gpu {} (commit {})\n\
         experiment  {}, seed {}\n\
         network     {}, {}, {} parameters\n\
         dynamics    {}\n\
         device      {}, {}, {}{}\n\
         data        {}: {train} training, {validation} validation, {test} test samples\n\
         training    {}, batch {}{}\n",
        h.version,
        h.commit,
        h.name,
        h.seed,
        h.network,
        h.activation,
        thousands(h.parameters as u64),
        dynamics(h),
        h.device,
        h.driver,
        h.precision,
        if h.tiles.is_empty() { String::new() } else { format!(", {}", h.tiles) },
        h.data,
        count(h.epochs, "epoch", "epochs"),
        h.batch,
        if h.schedule == Schedule::Constant.to_string() {
            String::new()
        } else {
            format!(", learning rates {}", h.schedule)
        },
    )
}

/// How the network moves and learns.
fn dynamics(h: &Header) -> String {
    if h.rule == Rule::Backprop.name() {
        return format!(
            "none: backprop (control), learning rate {:.4} of an update, times {} after each epoch",
            h.rate, h.rate_decay
        );
    }
    let solver = if h.solver.is_empty() { String::new() } else { format!(" ({})", h.solver) };
    let presentation = h.dt_ms * h.steps as f64;
    format!(
        "{}{solver}, τ = {} ms, dt = {} ms, {} ms a {} ({} steps)",
        h.integrator,
        h.tau_ms,
        h.dt_ms,
        // Without the digits that binary fractions leave: 0.1 × 3.
        (presentation * 1e9).round() / 1e9,
        h.shown,
        thousands(h.steps as u64),
    )
}

/// One epoch in one line, not ended.
#[must_use]
pub fn epoch(e: &Epoch) -> String {
    let width = e.epochs.to_string().len();
    let share =
        |what: &str, v: Option<f64>| v.map_or_else(String::new, |v| format!("  {what} {}", percent(v)));
    let (train, mut validation) =
        (share("train", e.train_accuracy), share("validation", e.validation_accuracy));
    if let Some(r2) = e.validation_r2 {
        validation = format!("  validation R² {r2:.4}");
    }
    // At the steady state, where backprop takes its gradient, f = 0: nothing to say.
    let f = e.health.f_norm;
    let mismatch = if f == 0.0 { String::new() } else { format!("  ‖f‖ {f:.2e}") };
    let left = if e.epoch < e.epochs { format!("  ETA {}", duration(e.eta_s)) } else { String::new() };
    format!(
        "epoch {:>width$}/{}  loss {:.5}{train}{validation}  {} samples/s  {} steps/s{mismatch}{left}",
        e.epoch,
        e.epochs,
        e.loss,
        rate(e.samples_per_s),
        rate(e.steps_per_s),
    )
}

/// Accuracy with its standard error, loss, and the confusion matrix; `data` says what was tested. Several lines, the
/// last one ended.
#[must_use]
pub fn score(s: &Score, data: &str) -> String {
    let error = (s.accuracy * (1.0 - s.accuracy) / s.samples as f64).sqrt();
    format!(
        "test accuracy {} (standard error {:.2} points, {} samples), loss {:.5}; {data}\n{}",
        percent(s.accuracy),
        100.0 * error,
        thousands(s.samples as u64),
        s.loss,
        confusion(&s.confusion),
    )
}

/// R², RMSE and loss; `data` says what was tested. Several lines, the last one ended.
#[must_use]
pub fn regression(s: &Regression, data: &str) -> String {
    let samples = thousands(s.samples as u64);
    format!(
        "test R² {}, RMSE {:.5} ({samples} samples), loss {:.5}; {data}\n{}",
        r2(s.r2),
        s.rmse,
        s.loss,
        outputs(s)
    )
}

/// A line an output, of the first ones.
pub(crate) fn outputs(s: &Regression) -> String {
    const SHOWN: usize = 20;
    let mut table = format!("{:<10}{:>10}{:>14}\n", "output", "R²", "RMSE");
    for (o, score) in s.outputs.iter().enumerate().take(SHOWN) {
        table += &format!("{o:<10}{:>10}{:>14.5}\n", r2(score.r2), score.rmse);
    }
    let more = s.outputs.len().saturating_sub(SHOWN);
    if more > 0 {
        table += &format!("and {more} more outputs\n");
    }
    table
}

/// R², `-` where there is none.
pub(crate) fn r2(r2: Option<f64>) -> String {
    r2.map_or_else(|| "-".to_owned(), |r2| format!("{r2:.4}"))
}

/// The network and its baselines on the free electrodes of recordings. Several lines, the last one ended.
#[must_use]
pub fn completion(s: &CompletionScore) -> String {
    let score = |v: Option<f64>| v.map_or_else(|| "-".to_owned(), |v| format!("{v:.4}"));
    let line = |name: &str, m: &crate::completion::Summary, what: &str| {
        format!("{name:<16}{:>10}{:>10.4}{:>12}   {what}\n", score(m.r2), m.rmse, score(m.correlation))
    };
    let mut table = format!(
        "test of {} free electrodes over {} rows; voltages in {}\n{:<16}{:>10}{:>10}{:>12}\n",
        s.free.len(),
        thousands(s.samples),
        s.unit,
        "",
        "R²",
        "RMSE",
        "correlation"
    );
    if let Some(before) = &s.before {
        table += &line("before training", before, "the network as it was drawn");
    }
    for m in &s.methods {
        table += &line(m.method.name(), m, m.method.describe());
    }
    table
}

/// A table: a row for each true class, a column for each predicted one, and the share of a row that was right. Zeros
/// are dots, so that mistakes can be seen.
#[must_use]
pub fn confusion(matrix: &[Vec<u64>]) -> String {
    let cells = |row: &[u64]| -> Vec<String> {
        row.iter().map(|&n| if n == 0 { "·".to_owned() } else { n.to_string() }).collect()
    };
    let rows: Vec<Vec<String>> = matrix.iter().map(|row| cells(row)).collect();
    let columns = matrix.iter().map(Vec::len).max().unwrap_or(0);
    let widest = rows.iter().flatten().map(|cell| cell.chars().count()).max().unwrap_or(1);
    let width = widest.max(columns.saturating_sub(1).to_string().len()) + 1;
    let mut table = String::from("true \\ predicted\n      ");
    for column in 0..columns {
        table += &format!("{column:>width$}");
    }
    table += "    right\n";
    for (class, (row, counts)) in rows.iter().zip(matrix).enumerate() {
        table += &format!("{class:>5}:");
        for cell in row {
            table += &format!("{cell:>width$}");
        }
        let all: u64 = counts.iter().sum();
        let right = counts.get(class).copied().unwrap_or(0);
        let share =
            if all == 0 { "-".to_owned() } else { format!("{:.1} %", 100.0 * right as f64 / all as f64) };
        table += &format!("{share:>9}\n");
    }
    table
}

/// A share as `97.12 %`.
#[must_use]
pub fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}

/// `1234567` as `1,234,567`.
#[must_use]
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A rate per second: whole numbers from 10 on, else two digits after the point.
#[must_use]
pub fn rate(per_s: f64) -> String {
    if !per_s.is_finite() {
        return "?".to_owned();
    }
    if per_s >= 10.0 { thousands(per_s.round() as u64) } else { format!("{per_s:.2}") }
}

/// Seconds as `42 s`, `12 min 03 s`, `1 h 02 min` or `3 d 04 h`; `?` if they are no time.
#[must_use]
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "?".to_owned();
    }
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative; a cast saturates"
    )]
    let s = seconds.round() as u64;
    match s {
        0..60 => format!("{s} s"),
        60..3_600 => format!("{} min {:02} s", s / 60, s % 60),
        3_600..86_400 => format!("{} h {:02} min", s / 3_600, s % 3_600 / 60),
        _ => format!("{} d {:02} h", s / 86_400, s % 86_400 / 3_600),
    }
}

/// `1 epoch`, `2 epochs`.
pub(crate) fn count(n: usize, one: &str, many: &str) -> String {
    format!("{} {}", thousands(n as u64), if n == 1 { one } else { many })
}

/// The angles of a microcircuit: one line a population.
pub(super) fn alignment(populations: &[crate::network::Alignment]) -> String {
    let angle = |a: Option<f64>| a.map_or_else(|| "-".to_owned(), |a| format!("{a:.1} deg"));
    let line = |a: &crate::network::Alignment| {
        let (b, pi) = (angle(a.feedback_deg), angle(a.interneurons_deg));
        format!("         {}: B to W transposed {b}, interneurons to B W {pi}\n", a.population)
    };
    populations.iter().map(line).collect()
}
