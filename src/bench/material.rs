//! Stimuli that do not degenerate, the same each time, and the work of a presentation.

use super::{BenchError, Case};
use crate::dynamics::Model;
use crate::engine::{Engine, EngineError, Work};
use crate::evaluate::write_parameters;
use crate::plan::{Buf, PlanId, StepControl};
use crate::train::{NUDGED, controls, work};

/// Different mini-batches, shown in turn.
const VARIANTS: usize = 4;
/// Amplitude of moving inputs and targets.
const AMPLITUDE: f64 = 0.3;

/// What a case presents.
pub(super) struct Material {
    work: Vec<Work>,
    /// Pixels and labels of the mini-batches; none where targets move.
    shown: Vec<[Vec<u8>; 2]>,
    buffers: [Buf; 2],
}

impl Material {
    /// Writes parameters, tables and targets, and starts the trajectories.
    pub(super) fn prepare(case: &Case, engine: &mut Engine) -> Result<Self, BenchError> {
        let model = std::sync::Arc::clone(engine.model());
        let (subject, l, network) = (&case.subject, &model.layout, &model.network);
        write_parameters(engine, &subject.parameters())?;
        let factors: Vec<f64> =
            network.populations.iter().flat_map(|p| std::iter::repeat_n(p.bias_factor, p.size)).collect();
        engine.write(l.bias_factors, &factors)?;
        let free = vec![0.0; subject.beta.len()];
        engine.write(l.beta, &[free, subject.beta.clone()].concat())?;
        let len = |buf: Buf| model.program.spec(buf).len();
        let mut shown = Vec::new();
        if subject.is_static {
            engine.write(l.pixel_table, &subject.tables.pixel)?;
            engine.write(l.label_table, &subject.tables.label)?;
            let classes = network.n_out().clamp(1, 256);
            shown = (0..VARIANTS)
                .map(|k| [pixels(len(l.pixels), k), labels(len(l.labels), k, classes)])
                .collect();
        } else {
            for (buf, width, seed) in [(l.x_seq, network.n_in(), 1), (l.y_seq, network.n_out(), 2)] {
                engine.write(buf, &waves(case.steps, case.batch * width, seed))?;
            }
        }
        engine.run(&[Work::once(PlanId::Start)])?;
        let work = work_of(case, &model);
        Ok(Self { work, shown, buffers: [l.pixels, l.labels] })
    }

    /// Uploads the mini-batch of presentation `k` and gives back its work.
    pub(super) fn show(&self, engine: &mut Engine, k: usize) -> Result<&[Work], EngineError> {
        if !self.shown.is_empty() {
            for (&buf, bytes) in self.buffers.iter().zip(&self.shown[k % self.shown.len()]) {
                engine.write_bytes(buf, bytes)?;
            }
        }
        Ok(&self.work)
    }
}

/// The work of a presentation.
pub(super) fn work_of(case: &Case, model: &Model) -> Vec<Work> {
    if case.subject.is_static {
        work(presented(case), model.layout.resident)
    } else {
        vec![Work { plan: PlanId::Step, controls: followed(case) }]
    }
}

/// Controls of a presentation of static samples.
fn presented(case: &Case) -> Vec<StepControl> {
    let s = &case.subject;
    let [rate_w, rate_b] = if case.learn { s.rates } else { [0.0; 2] };
    let mut all = controls(&s.ramp.values(case.steps), s.gates, rate_w, rate_b, case.batch);
    if let Some(micro) = s.network.microcircuit.as_ref().filter(|_| case.learn) {
        crate::train::microcircuit_controls(&mut all, s.gates, micro, 1.0 / case.batch as f64);
    }
    all
}

/// Controls of moving targets, nudged and learning throughout.
fn followed(case: &Case) -> Vec<StepControl> {
    let share = if case.learn { 1.0 / case.batch as f64 } else { 0.0 };
    let [rate_w, rate_b] = case.subject.rates.map(|rate| rate * share);
    let control = |k: usize| {
        let row = k as u32;
        StepControl { row, index: row, beta_row: NUDGED, rate_w, rate_b, ..StepControl::default() }
    };
    (0..case.steps).map(control).collect()
}

/// Pixels of which a third is dark.
fn pixels(len: usize, variant: usize) -> Vec<u8> {
    let pixel =
        |i: usize| if (i * 7919 + variant).is_multiple_of(3) { 0 } else { (i * (131 + 2 * variant)) % 251 };
    (0..len).map(|i| pixel(i) as u8).collect()
}

fn labels(len: usize, variant: usize, classes: usize) -> Vec<u8> {
    (0..len).map(|i| ((i * 7 + variant) % classes) as u8).collect()
}

/// `[steps, width]`: sines of whole periods, so that the end goes over into the beginning, at drawn phases.
fn waves(steps: usize, width: usize, seed: u64) -> Vec<f64> {
    let mut state = seed;
    let mut phase = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1_u32 << 31) * std::f64::consts::TAU
    };
    let phases: Vec<f64> = (0..width).map(|_| phase()).collect();
    // About 60 steps a period.
    let periods = (steps as f64 / 60.0).round().max(1.0);
    let angle = |t: usize| std::f64::consts::TAU * periods * t as f64 / steps.max(1) as f64;
    (0..steps).flat_map(|t| phases.iter().map(move |phase| AMPLITUDE * (angle(t) + phase).sin())).collect()
}
