//! A case with its figures, as files have it.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::{Case, Ceilings, Measured};
use crate::engine::Device;
use crate::sinks::{clock, cpu_model, text::count};
use crate::version;

/// Build and machine: the same in all rows of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    /// Start of the run, UTC.
    pub date: String,
    /// Model of the processor, where the system tells.
    pub processor: String,
}

impl Machine {
    /// This one, now.
    #[must_use]
    pub fn here() -> Self {
        Self { date: clock::readable(SystemTime::now()), processor: cpu_model().unwrap_or_default() }
    }
}

/// A case and what came of it. Times in milliseconds, rates in units a second, work of one time step of all trajectories.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)] // The table in `report` explains them.
pub struct Row {
    pub version: String,
    pub commit: String,
    pub date: String,
    /// `cpu` or `gpu`.
    pub kind: String,
    /// Name of the adapter, or model of the processor.
    pub device: String,
    pub driver: String,
    /// Tiles that were asked for, by name; empty where none were.
    #[serde(default)]
    pub tiles: String,
    /// Tiles that ran; empty on the processor.
    #[serde(default)]
    pub profile: String,
    pub precision: String,
    /// Threads of the processor; `None` on an adapter.
    pub threads: Option<usize>,
    pub network: String,
    pub architecture: String,
    pub activation: String,
    pub integrator: String,
    pub solver: String,
    pub dt_ms: f64,
    pub tolerance: f64,
    /// Keys of the experiment that were set on the command line, `KEY=VALUE` with a space between, in their order.
    #[serde(default)]
    pub overrides: String,
    /// What was asked for.
    pub plan: String,
    /// What ran: `plain`, `resident` or `whole`.
    pub runs: String,
    pub learn: bool,
    pub batch: usize,
    pub steps: usize,
    pub neurons: usize,
    pub weights: usize,
    pub repetitions: usize,
    pub presentations: usize,
    /// Median over the repetitions.
    pub step_ms: f64,
    pub step_ms_least: f64,
    pub step_ms_most: f64,
    /// Half the distance of the quartiles over the median.
    pub spread: f64,
    pub steps_per_s: f64,
    pub samples_per_s: f64,
    pub neuron_updates_per_s: f64,
    pub calls_per_step: f64,
    pub iterations: f64,
    /// Share of trajectories and steps in which the solver did not reach its tolerance.
    pub unconverged: f64,
    pub flops_per_step: f64,
    pub bytes_per_step: f64,
    pub gflops: f64,
    pub gb_per_s: f64,
    /// Fastest large product of the device.
    pub ceiling_gflops: Option<f64>,
    /// Copy within a working set as large as what a step touches.
    pub ceiling_gb_per_s: Option<f64>,
    /// Shortest time of a step under both ceilings.
    pub roofline_ms: Option<f64>,
    /// `roofline_ms / step_ms`.
    pub share: Option<f64>,
    /// Time of a step in which the adapter was busy, by its own clock.
    pub busy_ms: Option<f64>,
    /// `busy_ms / step_ms`.
    pub busy_share: Option<f64>,
    pub engine_bytes: u64,
    pub peak_bytes: Option<u64>,
}

/// The fields in the order in which files have them.
pub const COLUMNS: [&str; 49] = [
    "version",
    "commit",
    "date",
    "kind",
    "device",
    "driver",
    "tiles",
    "profile",
    "precision",
    "threads",
    "network",
    "architecture",
    "activation",
    "integrator",
    "solver",
    "dt_ms",
    "tolerance",
    "overrides",
    "plan",
    "runs",
    "learn",
    "batch",
    "steps",
    "neurons",
    "weights",
    "repetitions",
    "presentations",
    "step_ms",
    "step_ms_least",
    "step_ms_most",
    "spread",
    "steps_per_s",
    "samples_per_s",
    "neuron_updates_per_s",
    "calls_per_step",
    "iterations",
    "unconverged",
    "flops_per_step",
    "bytes_per_step",
    "gflops",
    "gb_per_s",
    "ceiling_gflops",
    "ceiling_gb_per_s",
    "roofline_ms",
    "share",
    "busy_ms",
    "busy_share",
    "engine_bytes",
    "peak_bytes",
];

impl Row {
    /// What is known of a case before it runs.
    #[must_use]
    pub fn of_case(case: &Case, device: &Device, machine: &Machine) -> Self {
        let (subject, on_cpu) = (&case.subject, matches!(device, Device::Cpu(_)));
        let network = &subject.network;
        let processor = &machine.processor;
        Self {
            version: version::VERSION.into(),
            commit: version::COMMIT.into(),
            date: machine.date.clone(),
            kind: if on_cpu { "cpu" } else { "gpu" }.into(),
            device: if on_cpu && !processor.is_empty() { processor.clone() } else { device.name() },
            driver: device.driver(),
            tiles: if on_cpu { "" } else { case.tiles.name() }.into(),
            profile: device.profile().into(),
            precision: case.precision.name().into(),
            threads: on_cpu.then(|| case.threads.unwrap_or_else(rayon::current_num_threads)),
            network: network.sizes(),
            architecture: subject.architecture.clone(),
            activation: network.activation.name().into(),
            integrator: case.integrator.name().into(),
            dt_ms: subject.settings.dt_ms,
            tolerance: subject.settings.tolerance,
            plan: case.plan.name().into(),
            learn: case.learn,
            batch: case.batch,
            steps: case.steps,
            neurons: network.neurons(),
            weights: network.weights(),
            ..Self::default()
        }
    }

    /// The row with the figures.
    #[must_use]
    pub fn measured(self, m: &Measured, ceilings: Option<&Ceilings>) -> Self {
        let step_s = m.step_s.median;
        let bytes = m.work.reals * m.real_bytes as f64 + m.work.bytes;
        let roof = ceilings.map(|c| c.roof(m.work.flops, bytes, m.allocated));
        let batch = self.batch as f64;
        Self {
            solver: m.solver.into(),
            runs: m.runs.into(),
            repetitions: m.repetitions,
            presentations: m.presentations,
            step_ms: 1e3 * step_s,
            step_ms_least: 1e3 * m.step_s.least,
            step_ms_most: 1e3 * m.step_s.most,
            spread: m.step_s.relative(),
            steps_per_s: 1.0 / step_s,
            samples_per_s: batch / (step_s * self.steps as f64),
            neuron_updates_per_s: batch * self.neurons as f64 / step_s,
            calls_per_step: m.work.calls,
            iterations: m.iterations,
            unconverged: m.unconverged,
            flops_per_step: m.work.flops,
            bytes_per_step: bytes,
            gflops: m.work.flops / step_s / 1e9,
            gb_per_s: bytes / step_s / 1e9,
            ceiling_gflops: roof.map(|r| r.flops / 1e9),
            ceiling_gb_per_s: roof.map(|r| r.bytes / 1e9),
            roofline_ms: roof.map(|r| 1e3 * r.least_s),
            share: roof.map(|r| r.least_s / step_s),
            busy_ms: m.busy_s.map(|s| 1e3 * s),
            busy_share: m.busy_s.map(|s| s / step_s),
            engine_bytes: m.allocated,
            peak_bytes: m.peak,
            ..self
        }
    }

    /// What makes it the same case in another run: everything that was asked for, and the kind of device.
    #[must_use]
    pub fn key(&self) -> String {
        format!(
            "{} {} {} {} dt {} tol {:e} plan {} learn {} batch {} steps {} {} {} {}{}{}",
            self.network,
            self.architecture,
            self.activation,
            self.integrator,
            self.dt_ms,
            self.tolerance,
            self.plan,
            if self.learn { "on" } else { "off" },
            self.batch,
            self.steps,
            self.kind,
            self.precision,
            self.threads.map_or_else(String::new, |n| count(n, "thread", "threads")),
            if self.tiles.is_empty() { String::new() } else { format!(" {} tiles", self.tiles) },
            if self.overrides.is_empty() { String::new() } else { format!(" with {}", self.overrides) },
        )
        .trim_end()
        .to_owned()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
pub(super) mod tests {
    use super::*;
    use crate::bench::Spread;
    use crate::engine::KernelTime;

    /// Ten repetitions' worth of made-up figures: 2 ms a step, 4 MFLOP and 8 MB.
    pub(in crate::bench) fn measured() -> Measured {
        Measured {
            runs: "plain",
            solver: "output-cg",
            step_s: Spread::of(&[1.5e-3, 2e-3, 2.5e-3]).unwrap(),
            repetitions: 3,
            presentations: 7,
            iterations: 2.5,
            unconverged: 0.0,
            work: KernelTime {
                kernel: String::new(),
                calls: 30.0,
                seconds: 1.0,
                flops: 4e6,
                reals: 1.9e6,
                bytes: 4e5,
            },
            real_bytes: 4,
            busy_s: Some(5e-4),
            allocated: 1000,
            peak: None,
        }
    }

    pub(in crate::bench) fn row() -> Row {
        let row = Row {
            network: "784-10".into(),
            kind: "cpu".into(),
            device: "a, \"b\"".into(),
            threads: Some(2),
            batch: 10,
            steps: 5,
            neurons: 794,
            learn: true,
            ..Row::default()
        };
        row.measured(&measured(), Some(&Ceilings { flops: 1e10, copies: vec![(1 << 20, 1e10)] }))
    }

    #[test]
    fn figures_follow_from_the_median() {
        let row = row();
        assert!((row.step_ms - 2.0).abs() < 1e-12 && (row.steps_per_s - 500.0).abs() < 1e-9);
        // 10 samples in 5 steps of 2 ms; 10·794 updates in 2 ms.
        assert!((row.samples_per_s - 1000.0).abs() < 1e-9);
        assert!((row.neuron_updates_per_s - 3.97e6).abs() < 1e-3);
        assert!((row.gflops - 2.0).abs() < 1e-12 && (row.gb_per_s - 4.0).abs() < 1e-12);
        // 4e6/1e10 = 0.4 ms of operations, 8e6/1e10 = 0.8 ms of traffic.
        assert!((row.roofline_ms.unwrap() - 0.8).abs() < 1e-12 && (row.share.unwrap() - 0.4).abs() < 1e-12);
        assert!((row.busy_share.unwrap() - 0.25).abs() < 1e-12);
        // Quartiles 1.75 and 2.25 ms.
        assert!((row.spread - 0.125).abs() < 1e-12);
    }

    #[test]
    fn every_field_has_a_column_and_lines_read_back() {
        let row = row();
        let value = serde_json::to_value(&row).unwrap();
        let fields = value.as_object().unwrap();
        assert_eq!(fields.len(), COLUMNS.len());
        assert!(COLUMNS.iter().all(|column| fields.contains_key(*column)), "{fields:?}");
        let again: Row = serde_json::from_str(&serde_json::to_string(&row).unwrap()).unwrap();
        assert_eq!(again, row);
    }
}
