//! Time and counted work of each kernel.

use serde::Serialize;

use crate::plan::Cost;

/// Stands for the time in which threads of the processor wait for each other.
pub const WAITING: &str = "(waiting)";

/// What is watched while plans run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Watch {
    /// Nothing: no cost.
    #[default]
    Off,
    /// Calls are counted; on an adapter each submission is timed as a whole, which costs nothing to speak of. The processor counts nothing.
    Submissions,
    /// Each call is timed. On an adapter it gets a pass of its own and every submission is waited for.
    Kernels,
}

/// A kernel, or another part of a run that takes time.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct KernelTime {
    /// Name, as its files have it.
    pub kernel: String,
    /// Calls of the plan; where threads share one, each has its part of it.
    pub calls: f64,
    /// Seconds, the sum over all threads; 0 where nothing is timed.
    pub seconds: f64,
    /// Counted operations.
    pub flops: f64,
    /// Numbers of the executor's floating-point type read and written.
    pub reals: f64,
    /// Bytes of other types.
    pub bytes: f64,
}

/// What an engine did since it was last asked.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Timings {
    /// In the order of their first call.
    pub kernels: Vec<KernelTime>,
    /// Seconds in which the adapter was busy with submissions, by its own clock; `None` where nothing tells.
    pub submissions_s: Option<f64>,
    /// Whether kernels are timed, not only counted.
    pub timed: bool,
}

impl Timings {
    /// Adds `share` of a call.
    pub(crate) fn add(&mut self, kernel: &str, share: f64, cost: Cost, seconds: f64) {
        let calls = share * cost.calls as f64;
        let entry = self.entry(kernel);
        entry.calls += calls;
        entry.seconds += seconds;
        entry.flops += share * cost.flops as f64;
        entry.reals += share * cost.reals as f64;
        entry.bytes += share * cost.bytes as f64;
    }

    /// Adds what another engine or thread did.
    pub fn merge(&mut self, other: &Self) {
        for one in &other.kernels {
            let entry = self.entry(&one.kernel);
            entry.calls += one.calls;
            entry.seconds += one.seconds;
            entry.flops += one.flops;
            entry.reals += one.reals;
            entry.bytes += one.bytes;
        }
        if let Some(more) = other.submissions_s {
            *self.submissions_s.get_or_insert(0.0) += more;
        }
        self.timed |= other.timed;
    }

    fn entry(&mut self, kernel: &str) -> &mut KernelTime {
        let at = self.kernels.iter().position(|k| k.kernel == kernel).unwrap_or_else(|| {
            self.kernels.push(KernelTime { kernel: kernel.to_owned(), ..KernelTime::default() });
            self.kernels.len() - 1
        });
        &mut self.kernels[at]
    }

    /// Sum over all kernels; its name is empty.
    #[must_use]
    pub fn total(&self) -> KernelTime {
        self.kernels.iter().fold(KernelTime::default(), |sum, k| KernelTime {
            kernel: String::new(),
            calls: sum.calls + k.calls,
            seconds: sum.seconds + k.seconds,
            flops: sum.flops + k.flops,
            reals: sum.reals + k.reals,
            bytes: sum.bytes + k.bytes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_have_shares_of_a_call() {
        let cost = Cost { calls: 1, flops: 100, reals: 40, bytes: 8 };
        let mut mine = Timings::default();
        mine.add("forward", 0.25, cost, 1.0);
        mine.add("copy", 1.0, Cost { flops: 0, ..cost }, 0.5);
        let mut other = Timings { submissions_s: Some(2.0), timed: true, ..Timings::default() };
        other.add("forward", 0.75, cost, 3.0);
        mine.merge(&other);
        let names: Vec<&str> = mine.kernels.iter().map(|k| k.kernel.as_str()).collect();
        assert_eq!(names, ["forward", "copy"]);
        let forward = &mine.kernels[0];
        assert_eq!((forward.calls, forward.seconds, forward.flops), (1.0, 4.0, 100.0));
        let total = mine.total();
        assert_eq!(
            (total.calls, total.seconds, total.flops, total.reals, total.bytes),
            (2.0, 4.5, 100.0, 80.0, 16.0)
        );
        assert_eq!((mine.submissions_s, mine.timed), (Some(2.0), true));
    }
}
