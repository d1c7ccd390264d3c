//! A column of times, and the rate that follows from it.

use crate::data::recording::labels;

/// How far a time may lie from equal steps, in steps: more than times that were rounded to ms are off at 512 Hz (0.26), less than what
/// one sample too many or too few shifts the others by (0.5).
const TOLERANCE: f64 = 0.35;
/// Beyond this the steps are called uneven, in steps.
const EVEN: f64 = 0.01;

/// Rates below this make one ask for the unit of the times, Hz.
const SLOW: f64 = 10.0;

/// A column of times.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Times {
    pub column: usize,
    /// Seconds of its unit; `None` where none is written, which stands for seconds.
    unit: Option<f64>,
}

/// A name and the unit in brackets behind it, if it has one: `A1 (uV)`, `A1 [mV]`.
pub(super) fn name_and_unit(name: &str) -> (&str, &str) {
    let inner = |open: char, close: char| {
        let (before, unit) = name.strip_suffix(close)?.rsplit_once(open)?;
        let short = unit.chars().count() <= 8 && !before.trim().is_empty();
        short.then(|| (before.trim_end(), unit.trim()))
    };
    inner('(', ')').or_else(|| inner('[', ']')).unwrap_or((name, ""))
}

impl Times {
    /// Times in seconds that are no column of a table.
    #[cfg(feature = "hdf5")]
    pub const SECONDS: Self = Self { column: 0, unit: Some(1.0) };

    /// The column of times, if a name tells one. `t` is one only as the first column: elsewhere it may be an electrode.
    ///
    /// # Errors
    /// If there are two.
    pub fn find(names: &[String]) -> Result<Option<Self>, String> {
        let known = |(column, name): (usize, &String)| {
            let unit = unit_of(&name.to_lowercase()).filter(|_| column == 0 || name.len() > 2)?;
            Some(Self { column, unit })
        };
        let mut found = names.iter().enumerate().filter_map(known);
        let first = found.next();
        match (first, found.next()) {
            (Some(a), Some(b)) => Err(format!(
                "two columns of times, '{}' and '{}'; remove one",
                names[a.column], names[b.column]
            )),
            _ => Ok(first),
        }
    }

    /// The rate, Hz, and what is to be told about it; what is wrong, and where.
    pub fn rate(&self, times: &[f64]) -> Result<(f64, Option<String>), (String, String)> {
        let place = |row: usize| format!("row {} of samples", row + 1);
        let [first, .., last] = times else {
            return Err((place(0), "one time tells no rate; two samples are needed".into()));
        };
        let step = (last - first) / (times.len() - 1) as f64;
        if !(step.is_finite() && step > 0.0) {
            return Err((
                place(times.len() - 1),
                format!("times go from {first} to {last}; they have to rise"),
            ));
        }
        let mut worst = 0.0_f64;
        for (i, time) in times.iter().enumerate() {
            let off = (time - (first + step * i as f64)).abs() / step;
            if off > TOLERANCE {
                let what = format!(
                    "time {time} is {off:.2} samples away from equal steps of {step} that start at {first}, more than {TOLERANCE}; samples are \
                     missing, doubled or out of order: resample first"
                );
                return Err((place(i), what));
            }
            worst = worst.max(off);
        }
        let mut rate = 1.0 / (step * self.unit.unwrap_or(1.0));
        if !rate.is_finite() {
            return Err((place(1), format!("steps of {step} are too small")));
        }
        // Times are printed with few digits; the whole number that they agree with is what was meant.
        let whole = rate.round();
        let slack = (2.0 * worst / (times.len() - 1) as f64).max(1e-9);
        if (rate / whole - 1.0).abs() <= slack {
            rate = whole;
        }
        let uneven = (worst > EVEN)
            .then(|| format!("times lie up to {worst:.2} samples away from equal steps; {rate} Hz is taken"));
        let slow = (self.unit.is_none() && rate < SLOW)
            .then(|| format!("times are taken in seconds, so that the rate is {rate} Hz; name the column time_ms if they are ms"));
        Ok((rate, slow.or(uneven)))
    }
}

/// Seconds of the unit of a column of times, `None` if it has none; `None` altogether if it is no such column.
fn unit_of(name: &str) -> Option<Option<f64>> {
    let (name, brackets) = name_and_unit(name);
    let rest =
        ["timestamps", "timestamp", "times", "time", "t"].iter().find_map(|word| name.strip_prefix(word));
    let suffix = match rest {
        Some("") => brackets,
        Some(rest) => rest.strip_prefix(['_', ' ', '-', '.'])?,
        None if brackets.is_empty() && labels::rank(&["seconds", "sec"], name).is_some() => "s",
        None => return None,
    };
    let seconds = match suffix {
        "" => return Some(None),
        "s" | "sec" | "secs" | "seconds" | "second" => 1.0,
        "ms" | "msec" | "milliseconds" => 1e-3,
        "us" | "µs" | "μs" | "usec" | "microseconds" => 1e-6,
        "ns" | "nanoseconds" => 1e-9,
        "min" | "minutes" => 60.0,
        _ => return None,
    };
    Some(Some(seconds))
}
