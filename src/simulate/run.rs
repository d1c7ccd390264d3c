//! Runs a sequence step by step.

use std::sync::Arc;

use super::microcircuit::targets;
use super::stop::{Stop, StopReason, place};
use super::{Record, Setup, SimulationError, SimulationInput, SimulationOutput, Snap, SolverStep};
use crate::cpu::status;
use crate::dynamics::{Features, Integrator, Model, OnIndefinite, Settings, Solver, StimulusKind};
use crate::engine::{Device, Engine, Snapshot, Work};
use crate::kernels::{record, solver};
use crate::network::Parameters;
use crate::plan::{PlanId, StepControl};
use crate::probe::{Fields, Moment, Recording, Samples};
use crate::tune::Rehearsal;

/// Values of x and u* that are kept on the device at a time.
const SEQUENCE_VALUES: usize = 1 << 22;

/// Steps of a rehearsal.
const REHEARSED: usize = 32;

/// Simulates all steps, or as many as go well: a run that diverges, meets a value that is not finite, or an indefinite H under
/// `on_indefinite = "error"`, ends with [`SimulationOutput::stop`], and what was computed before is kept.
///
/// # Errors
/// If the input does not match the network, the settings do not apply to it, or the device fails.
pub fn run(
    setup: &Setup,
    device: &Device,
    input: &SimulationInput,
    keep: &Record,
) -> Result<SimulationOutput, SimulationError> {
    setup.network.check().map_err(crate::dynamics::SettingsError::from)?;
    input.check(&setup.network)?;
    let mut runner = Runner::new(setup, device, input, keep)?;
    for t in 0..input.steps {
        if let Some(stop) = runner.step(t)? {
            runner.out.stop = Some(stop);
            break;
        }
    }
    runner.out.end = runner.parameters()?;
    Ok(runner.out)
}

/// `output-cg` and `woodbury` split β into √β √β.
fn refuse_negative_beta(model: &Model, input: &SimulationInput) -> Result<(), SimulationError> {
    let Some(solver @ (Solver::OutputCg | Solver::Woodbury)) = model.solver else { return Ok(()) };
    let n_out = model.network.n_out();
    match input.beta.iter().position(|b| *b < 0.0) {
        Some(at) => Err(SimulationError::NegativeBeta {
            step: at / n_out,
            output: at % n_out,
            value: input.beta[at],
            solver: solver.name(),
        }),
        None => Ok(()),
    }
}

/// u^I and u̇^I at the start.
fn write_interneurons(
    engine: &mut Engine,
    model: &Model,
    input: &SimulationInput,
) -> Result<(), SimulationError> {
    let Some(l) = &model.layout.micro else { return Ok(()) };
    let start = &input.microcircuit;
    match &start.u {
        Some(u) => engine.write(l.u, u)?,
        None => engine.write(l.u, &targets(&model.network, &input.parameters, &input.u0, &input.x_prev))?,
    }
    // Instantaneous interneurons have no derivative.
    match &start.u_dot {
        Some(u_dot) if !model.program.spec(l.u_dot).is_empty() => engine.write(l.u_dot, u_dot)?,
        _ => {}
    }
    Ok(())
}

/// The model that runs, and the steps whose input and targets it holds at a time.
fn model(setup: &Setup, input: &SimulationInput) -> Result<(Model, usize), SimulationError> {
    let hard_targets = setup.settings.hard_targets || input.beta.contains(&f64::INFINITY);
    let (network, settings) = (&setup.network, Settings { hard_targets, ..setup.settings });
    let width = input.batch * (network.n_in() + network.n_out());
    let rows = (SEQUENCE_VALUES / width.max(1)).clamp(1, input.steps.max(1));
    let features = Features {
        stimulus: StimulusKind::Sequence { steps: rows },
        beta_rows: input.steps.max(1),
        entry_norms: true,
        // Clips hold after every step, whether or not it learns.
        learning: input.learn.contains(&true)
            || input.microcircuit.learn.iter().flatten().any(|&on| on)
            || network.projections.iter().any(|p| p.clip.is_some())
            || network.populations.iter().any(|p| p.bias_clip.is_some()),
        unit_range: false,
    };
    let model = Model::new(network.clone(), settings, input.batch, features)?;
    refuse_negative_beta(&model, input)?;
    Ok((model, rows))
}

/// The model of [`run`], and the work of its first steps.
///
/// # Errors
/// If the input does not match the network, or the settings do not apply to it.
pub fn rehearsal(setup: &Setup, input: &SimulationInput) -> Result<Rehearsal, SimulationError> {
    setup.network.check().map_err(crate::dynamics::SettingsError::from)?;
    input.check(&setup.network)?;
    let (model, rows) = model(setup, input)?;
    let share = 1.0 / input.active_count().max(1) as f64;
    let control = |t: usize| {
        let (rate_w, rate_b) =
            if input.learn[t] { (setup.rate_w * share, setup.rate_b * share) } else { (0.0, 0.0) };
        let (row, beta_row) = (t as u32, t as u32);
        StepControl { row, beta_row, rate_w, rate_b, ..StepControl::default() }
    };
    let controls: Vec<_> = (0..input.steps.min(rows).min(REHEARSED)).map(control).collect();
    let work = [PlanId::Step, PlanId::Observe].map(|plan| Work { plan, controls: controls.clone() });
    Ok(Rehearsal { model: Arc::new(model), work: work.into() })
}

struct Runner<'a> {
    setup: &'a Setup,
    input: &'a SimulationInput,
    keep: &'a Record,
    engine: Engine,
    model: Arc<Model>,
    rows: usize,
    out: SimulationOutput,
}

impl<'a> Runner<'a> {
    fn new(
        setup: &'a Setup,
        device: &Device,
        input: &'a SimulationInput,
        keep: &'a Record,
    ) -> Result<Self, SimulationError> {
        let (model, rows) = model(setup, input)?;
        let (network, settings) = (&setup.network, model.settings);
        let model = Arc::new(model);
        let mut engine = Engine::new(Arc::clone(&model), device)?;
        engine.set_iterations(settings.max_iterations);
        let out = SimulationOutput {
            steps_completed: 0,
            batch: input.batch,
            neurons: network.neurons(),
            u: Vec::new(),
            u_dot: Vec::new(),
            u_i: Vec::new(),
            u_i_dot: Vec::new(),
            f_entry_norm: Vec::new(),
            f_norm: Vec::new(),
            solver_steps: Vec::new(),
            snapshots: Vec::new(),
            recordings: keep.probes.iter().map(|p| Recording::new(p, &model)).collect::<Result<_, _>>()?,
            end: Parameters::default(),
            solver: model.solver,
            stop: None,
        };
        let mut runner = Self { setup, input, keep, engine, model, rows, out };
        runner.write_state()?;
        Ok(runner)
    }

    /// Parameters, voltages and what came before the first step.
    fn write_state(&mut self) -> Result<(), SimulationError> {
        let (l, input, engine) = (&self.model.layout, self.input, &mut self.engine);
        for (&buf, w) in l.weights.iter().zip(&input.parameters.weights) {
            engine.write(buf, w)?;
        }
        engine.write(l.biases, &input.parameters.biases)?;
        let populations = &self.model.network.populations;
        let factors: Vec<f64> =
            populations.iter().flat_map(|p| std::iter::repeat_n(p.bias_factor, p.size)).collect();
        engine.write(l.bias_factors, &factors)?;
        engine.write_microcircuit(&input.parameters.microcircuit)?;
        engine.write(l.u, &input.u0)?;
        if let Some(u_dot) = &input.u_dot0 {
            engine.write(l.u_dot, u_dot)?;
        }
        for (&buf, past) in l.history.iter().zip(&input.history) {
            engine.write(buf, past)?;
        }
        engine.write(l.x, &input.x_prev)?;
        write_interneurons(engine, &self.model, input)?;
        engine.write(l.y, &input.y_prev)?;
        if let Some(active) = &input.active {
            let mask: Vec<f64> = active.iter().map(|&on| f64::from(u8::from(on))).collect();
            engine.write(l.active, &mask)?;
        }
        if input.steps > 0 {
            engine.write(l.beta, &input.beta)?;
        }
        Ok(())
    }

    /// Writes the next rows of the sequences, the last ones padded with zeros that no step reads.
    fn write_rows(&mut self, from: usize) -> Result<(), SimulationError> {
        let to = (from + self.rows).min(self.input.steps);
        for (buf, data) in
            [(self.model.layout.x_seq, &self.input.x), (self.model.layout.y_seq, &self.input.y)]
        {
            let width = data.len() / self.input.steps;
            let mut part = data[from * width..to * width].to_vec();
            part.resize(self.rows * width, 0.0);
            self.engine.write(buf, &part)?;
        }
        Ok(())
    }

    fn parameters(&mut self) -> Result<Parameters, SimulationError> {
        let l = &self.model.layout;
        let mut weights = Vec::with_capacity(l.weights.len());
        for &buf in &l.weights {
            weights.push(self.engine.read(buf)?);
        }
        let biases = self.engine.read(l.biases)?;
        Ok(Parameters { weights, biases, microcircuit: self.engine.read_microcircuit()? })
    }

    /// One time step; a stop if it went wrong.
    fn step(&mut self, t: usize) -> Result<Option<Stop>, SimulationError> {
        if let Some(stop) = self.bad_input(t) {
            return Ok(Some(stop));
        }
        if t.is_multiple_of(self.rows) {
            self.write_rows(t)?;
        }
        let share = 1.0 / self.input.active_count().max(1) as f64;
        let mut control =
            StepControl { row: (t % self.rows) as u32, beta_row: t as u32, ..self.rates(t, share) };
        control.scale_rates(self.schedule_factor(t));
        let work = [PlanId::Step, PlanId::Observe].map(|plan| Work { plan, controls: vec![control] });
        let snapshot = self.engine.run(&work)?;
        if let Some(stop) = self.verdict(t, &snapshot) {
            return Ok(Some(stop));
        }
        self.record(t, &snapshot)?;
        Ok(None)
    }

    fn schedule_factor(&self, t: usize) -> f64 {
        let ms = |steps: usize| steps as f64 * self.setup.settings.dt_ms;
        self.setup.schedule.factor(ms(t), ms(self.input.steps))
    }

    /// The learning rates of step `t`, `share` = 1 over the number of trajectories that take part.
    fn rates(&self, t: usize, share: f64) -> StepControl {
        let on = |yes: bool, rate: f64| if yes { rate * share } else { 0.0 };
        let weights = self.input.learn[t];
        let plain = StepControl {
            rate_w: on(weights, self.setup.rate_w),
            rate_b: on(weights, self.setup.rate_b),
            ..StepControl::default()
        };
        let Some(micro) = &self.model.network.microcircuit else { return plain };
        let [ip, pi, feedback] = self.input.microcircuit.at(t, weights);
        StepControl {
            rate_ip: on(ip, micro.rate_ip),
            rate_pi: on(pi, micro.rate_pi),
            rate_feedback: on(feedback, micro.rate_feedback),
            rate_bi: on(if micro.is_tied() { pi } else { ip }, micro.rate_bi),
            ..plain
        }
    }

    /// Keeps what was asked for of a completed step.
    fn record(&mut self, t: usize, snapshot: &Snapshot) -> Result<(), SimulationError> {
        let norms = |rows: &[f64]| -> Vec<f64> {
            rows.chunks_exact(record::LEN).map(|row| row[record::F_NORM]).collect()
        };
        let entry = self.engine.read(self.model.layout.entry_record)?;
        self.out.f_entry_norm.extend(norms(&entry));
        self.out.f_norm.extend(norms(&snapshot.record));
        self.out.solver_steps.push(SolverStep::of(&snapshot.solver));
        if self.keep.voltages {
            self.out.u.extend(self.engine.read(self.model.layout.u)?);
            self.out.u_dot.extend(self.engine.read(self.model.layout.u_dot)?);
            if let Some(l) = &self.model.layout.micro {
                self.out.u_i.extend(self.engine.read(l.u)?);
                self.out.u_i_dot.extend(self.engine.read(l.u_dot)?);
            }
        }
        if self.keep.snapshots.contains(&t) {
            let parameters = self.parameters()?;
            self.out.snapshots.push(Snap { step: t, parameters });
        }
        self.probe(t)?;
        self.out.steps_completed = t + 1;
        Ok(())
    }

    /// Takes the samples that are due after step `t`.
    fn probe(&mut self, t: usize) -> Result<(), SimulationError> {
        let at = Moment { steps: t as u64 + 1, epoch: 0, mini_batch: 0 };
        let n_out = self.model.network.n_out();
        let mut fields = Fields::new(&self.model, &self.input.beta[t * n_out..(t + 1) * n_out]);
        for recording in self.out.recordings.iter_mut().filter(|r| r.is_due(at)) {
            recording.take(&mut self.engine, &mut fields, at, Samples::default())?;
        }
        Ok(())
    }

    /// A value of step `t` that is not finite: found before the step, so that it spoils nothing.
    fn bad_input(&self, t: usize) -> Option<Stop> {
        let input = self.input;
        let on = |b: usize| input.active.as_ref().is_none_or(|a| a[b]);
        for (name, data, rows) in
            [("x", &input.x, input.batch), ("y", &input.y, input.batch), ("beta", &input.beta, 1)]
        {
            let width = data.len() / (input.steps * rows).max(1);
            for b in 0..rows {
                let from = (t * rows + b) * width;
                // β = ∞ clamps an output to its target.
                let fits = |v: &f64| v.is_finite() || (name == "beta" && *v == f64::INFINITY);
                let bad = data[from..from + width].iter().position(|v| !fits(v));
                if let (Some(index), true) = (bad, rows == 1 || on(b)) {
                    let reason = StopReason::NonFiniteInput { name, index };
                    return Some(Stop { step: t, trajectory: b, reason });
                }
            }
        }
        None
    }

    /// What the status words and the solver's record say about a step.
    fn verdict(&self, t: usize, snapshot: &Snapshot) -> Option<Stop> {
        let (batch, n) = (self.input.batch, self.out.neurons);
        let first = |row: usize| {
            let words = &snapshot.status[row * batch..(row + 1) * batch];
            words.iter().enumerate().find_map(|(b, &w)| status::decode(w, n).map(|(_, neuron)| (b, neuron)))
        };
        let stop = |trajectory, reason| Some(Stop { step: t, trajectory, reason });
        if let Some((b, neuron)) = first(status::INPUT) {
            let (name, index) = if neuron < n { ("x", neuron) } else { ("y", neuron - n) };
            return stop(b, StopReason::NonFiniteInput { name, index });
        }
        // A Newton iterate of `equilibrium` may meet an indefinite H on its way without harm.
        let exact = self.model.settings.integrator == Integrator::Exact;
        if exact && self.model.settings.on_indefinite == OnIndefinite::Error {
            let bad = |row: &[f64]| row[solver::INDEFINITE] > 0.0;
            if let Some(b) = snapshot.solver.chunks_exact(solver::LEN).position(bad) {
                return stop(b, StopReason::IndefiniteHessian);
            }
        }
        let network = &self.model.network;
        if let Some((b, neuron)) = first(status::STATE) {
            return stop(b, StopReason::NonFiniteState { neuron, place: place(network, neuron) });
        }
        let (b, neuron) = first(status::LIMIT)?;
        let limit = self.model.settings.u_limit;
        stop(b, StopReason::Diverged { neuron, place: place(network, neuron), limit })
    }
}
