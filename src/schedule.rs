//! Learning-rate schedules: one factor on all learning rates, as a function of simulated time.
//!
//! [`Schedule::factor`] depends on the position of a run alone, so that a run that was stopped and goes on has the same rates as one
//! that was not. It is taken at the start of a time step and holds during the step, for every rate alike
//! ([`crate::plan::StepControl::scale_rates`]). Time is that of the network, which a mini-batch passes together: a presentation
//! of `steps` steps lasts `steps·dt`, however many trajectories it has.

use std::fmt;

/// From some time on, another factor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateStep {
    /// Simulated time at which it begins, ms.
    pub at_ms: f64,
    /// Factor on the rates of the experiment (not on those of the step before).
    pub factor: f64,
}

/// How learning rates change with simulated time.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Schedule {
    /// They do not.
    #[default]
    Constant,
    /// 1 up to the first step, then the factor of the latest one; in the order of time.
    Step(Vec<RateStep>),
    /// `f + (1 − f)·½(1 + cos πs)` with s from 0 at the end of the warm-up to 1 at `duration_ms`, then f. During the warm-up, `t / warm_up_ms`.
    Cosine {
        /// Where the final factor is reached, ms; `None` = at the end of the run.
        duration_ms: Option<f64>,
        /// f.
        final_factor: f64,
        /// Time in which the factor rises from 0 to 1 first, ms; 0 = none.
        warm_up_ms: f64,
    },
}

/// A time is a number of steps times dt: both, and the time of a change, are rounded. What differs by rounding alone has been reached.
fn reached(t_ms: f64, at_ms: f64) -> bool {
    t_ms >= at_ms * (1.0 - 8.0 * f64::EPSILON)
}

impl Schedule {
    /// Factor of all learning rates in a step that starts at `t_ms`, in a run of `run_ms` in all.
    #[must_use]
    pub fn factor(&self, t_ms: f64, run_ms: f64) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::Step(steps) => {
                steps.iter().rev().find(|s| reached(t_ms, s.at_ms)).map_or(1.0, |s| s.factor)
            }
            Self::Cosine { warm_up_ms, .. } if !reached(t_ms, *warm_up_ms) => t_ms / warm_up_ms,
            Self::Cosine { duration_ms, final_factor, warm_up_ms } => {
                let end = duration_ms.unwrap_or(run_ms);
                if reached(t_ms, end) {
                    return *final_factor;
                }
                let share = ((t_ms - warm_up_ms) / (end - warm_up_ms)).clamp(0.0, 1.0);
                final_factor + (1.0 - final_factor) * 0.5 * (1.0 + (std::f64::consts::PI * share).cos())
            }
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant => f.write_str("constant"),
            Self::Step(steps) => {
                f.write_str("step")?;
                for (i, s) in steps.iter().enumerate() {
                    let comma = if i == 0 { "" } else { "," };
                    write!(f, "{comma} times {} from {} s", s.factor, s.at_ms / 1000.0)?;
                }
                Ok(())
            }
            Self::Cosine { duration_ms, final_factor, warm_up_ms } => {
                write!(f, "cosine to {final_factor}")?;
                match duration_ms {
                    Some(end) => write!(f, " at {} s", end / 1000.0)?,
                    None => f.write_str(" at the end")?,
                }
                if *warm_up_ms > 0.0 {
                    write!(f, " after {} s of warm-up", warm_up_ms / 1000.0)?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_taken_at_its_time_and_not_after_it() {
        let steps = [(0.9, 0.5), (4.0, 0.1)].map(|(at_ms, factor)| RateStep { at_ms, factor });
        let schedule = Schedule::Step(steps.to_vec());
        // 3 · 0.3 < 0.9 in binary.
        let at = |n: f64| schedule.factor(n * 0.3, f64::NAN);
        assert_eq!([0.0, 2.0, 3.0, 13.0, 14.0, 1e9].map(at), [1.0, 1.0, 0.5, 0.5, 0.1, 0.1]);
    }

    #[test]
    fn a_cosine_has_its_ends_its_middle_and_its_warm_up() {
        let cosine =
            |duration_ms, warm_up_ms| Schedule::Cosine { duration_ms, final_factor: 0.2, warm_up_ms };
        let whole = cosine(None, 0.0);
        assert_eq!([0.0, 100.0, 200.0].map(|t| whole.factor(t, 100.0)), [1.0, 0.2, 0.2]);
        // Half-way the mean of both ends; a third of the way ½(1 + cos 60°) = ¾ of the difference is left.
        assert!((whole.factor(50.0, 100.0) - 0.6).abs() < 1e-15);
        assert!((whole.factor(100.0 / 3.0, 100.0) - (0.2 + 0.8 * 0.75)).abs() < 1e-15);
        let warm = cosine(Some(60.0), 20.0);
        assert_eq!([0.0, 5.0, 20.0, 60.0].map(|t| warm.factor(t, 1e3)), [0.0, 0.25, 1.0, 0.2]);
        assert!((warm.factor(40.0, 1e3) - 0.6).abs() < 1e-15);
        // A run that ends during its warm-up.
        assert_eq!(cosine(None, 20.0).factor(10.0, 15.0), 0.5);
    }

    #[test]
    fn it_reads_as_a_sentence() {
        let step = Schedule::Step(vec![RateStep { at_ms: 2.2e7, factor: 0.1 }]);
        assert_eq!(step.to_string(), "step times 0.1 from 22000 s");
        let cosine = Schedule::Cosine { duration_ms: None, final_factor: 0.0, warm_up_ms: 500.0 };
        assert_eq!(cosine.to_string(), "cosine to 0 at the end after 0.5 s of warm-up");
    }
}
