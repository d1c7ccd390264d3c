//! The network on a device, for answers alone.

use std::sync::Arc;

use super::rest::{Rest, States, rest, states};
use super::{EvaluateError, Inputs};
use crate::cpu::status;
use crate::dynamics::{Features, Model, OnIndefinite, Settings};
use crate::engine::{Device, Engine, EngineError, Precision, Snapshot, Work};
use crate::kernels::solver;
use crate::network::{Network, Parameters};
use crate::plan::{PlanId, StepControl};
use crate::simulate::place;
use crate::tune::Rehearsal;

/// Solver iterations that a GPU records at first.
const FIRST_ITERATIONS: usize = 8;

/// Which voltages are the answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Readout {
    /// The steady state at β = 0; of networks that [`Network::settling_order`] says have one that a sweep gives.
    SteadyState,
    /// The end of a presentation at β = 0 that starts from the equilibrium for x = 0; `s` of each time step, as
    /// [`crate::train::Ramp::values`] gives it.
    Trajectory(Vec<f64>),
}

/// Steps of trajectories whose solver did not do as it should.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trouble {
    /// Samples times steps with an indefinite H.
    pub indefinite: u64,
    /// Samples times steps in which the solver did not reach its tolerance.
    pub unconverged: u64,
}

impl Trouble {
    /// Takes in what the solver booked of some steps, `[batch, solver::LEN]`.
    pub(super) fn add(&mut self, books: &[f64]) {
        let sum = |c: usize| books.chunks_exact(solver::LEN).map(|book| book[c]).sum::<f64>() as u64;
        self.unconverged += sum(solver::UNCONVERGED);
        self.indefinite += sum(solver::INDEFINITE);
    }
}

/// Trajectories of their own, which never touch those of training.
pub struct Predictor {
    engine: Engine,
    readout: Readout,
    precision: Precision,
    iterations: usize,
    trouble: Trouble,
    /// Of networks that one sweep does not settle: the state at rest with the present parameters, once found, and how it was.
    at_rest: Option<(States, Rest)>,
}

impl Predictor {
    /// Allocates `batch` trajectories on the device; parameters are 0 until [`Predictor::set_parameters`].
    ///
    /// # Errors
    /// If network and settings do not fit one another, the network has no steady state that a sweep gives and is to be read there, or
    /// the device cannot hold them.
    pub fn new(
        network: &Network,
        settings: Settings,
        batch: usize,
        readout: Readout,
        device: &Device,
    ) -> Result<Self, EvaluateError> {
        let model = Model::new(network.clone(), settings, batch, Features::samples(false))?;
        if readout == Readout::SteadyState && network.settling_order().is_none() {
            return Err(EvaluateError::NeedsTrajectory(network.sizes()));
        }
        let engine = Engine::new(Arc::new(model), device)?;
        // The processor iterates until all have converged; a GPU records a count.
        let on_gpu = matches!(device, Device::Gpu(_));
        let iterations = if on_gpu { FIRST_ITERATIONS } else { usize::MAX };
        Ok(Self {
            engine,
            readout,
            precision: device.precision(),
            iterations: iterations.min(settings.max_iterations),
            trouble: Trouble::default(),
            at_rest: None,
        })
    }

    /// The model of [`Predictor::new`], and the work of a batch of samples.
    ///
    /// # Errors
    /// If network and settings do not fit one another.
    pub fn rehearsal(
        network: &Network,
        settings: Settings,
        batch: usize,
        readout: &Readout,
    ) -> Result<Rehearsal, EvaluateError> {
        let model = Arc::new(Model::new(network.clone(), settings, batch, Features::samples(false))?);
        let work = match readout {
            Readout::SteadyState => Work::once(PlanId::Predict),
            Readout::Trajectory(ramp) => Work { plan: PlanId::Step, controls: controls(ramp) },
        };
        Ok(Rehearsal { model, work: vec![work] })
    }

    /// Weights and biases from now on.
    ///
    /// # Errors
    /// If a block has the wrong size, or the device is lost.
    pub fn set_parameters(&mut self, parameters: &Parameters) -> Result<(), EvaluateError> {
        self.at_rest = None;
        Ok(write_parameters(&mut self.engine, parameters)?)
    }

    /// Steps in trouble since this was made.
    #[must_use]
    pub fn trouble(&self) -> Trouble {
        self.trouble
    }

    /// How the network came to rest before the first presentation with the present parameters; `None` where a sweep is all it takes.
    #[must_use]
    pub fn start(&self) -> Option<Rest> {
        self.at_rest.as_ref().map(|(_, rest)| *rest)
    }

    /// The model that runs.
    #[must_use]
    pub fn model(&self) -> &Model {
        self.engine.model()
    }

    /// Calls `each` with the place (from 0) and the output voltages `[n_out]` of every sample, in their order.
    ///
    /// # Errors
    /// Inputs of another size, an output that is not finite, a trajectory that diverges, an indefinite H where the settings say so,
    /// or a lost device.
    pub fn run(
        &mut self,
        inputs: &Inputs<'_>,
        mut each: impl FnMut(usize, &[f64]),
    ) -> Result<(), EvaluateError> {
        let model = Arc::clone(self.engine.model());
        let (n, n_in, outputs) = (model.network.neurons(), model.network.n_in(), model.network.outputs());
        if !inputs.len().is_multiple_of(n_in) {
            return Err(EvaluateError::Inputs { got: inputs.len(), n_in });
        }
        if n_in == 0 {
            return Ok(());
        }
        let (samples, batch) = (inputs.len() / n_in, model.program.batch);
        let mut rows = vec![0.0; batch * n_in];
        for first in (0..samples).step_by(batch) {
            let count = batch.min(samples - first);
            let (filled, rest) = rows.split_at_mut(count * n_in);
            inputs.read(first * n_in, filled);
            rest.fill(0.0);
            match self.readout.clone() {
                Readout::SteadyState => self.settle(&rows)?,
                Readout::Trajectory(ramp) => self.present(&rows, &ramp, first, count)?,
            }
            let u = self.engine.read(model.layout.u)?;
            for (i, row) in u.chunks_exact(n).take(count).enumerate() {
                let (sample, out) = (first + i, &row[outputs.range()]);
                if out.iter().any(|v| !v.is_finite()) {
                    return Err(EvaluateError::NotFinite { sample, precision: self.precision.name() });
                }
                each(sample, out);
            }
        }
        Ok(())
    }

    fn settle(&mut self, rows: &[f64]) -> Result<(), EvaluateError> {
        self.engine.write(self.engine.model().layout.x_new, rows)?;
        self.engine.run(&[Work::once(PlanId::Predict)])?;
        Ok(())
    }

    /// The equilibrium for x = 0: by one sweep, or as it was found once with these parameters.
    fn start_anew(&mut self) -> Result<(), EvaluateError> {
        let model = Arc::clone(self.engine.model());
        if model.network.settling_order().is_some() {
            self.engine.run(&[Work::once(PlanId::Start)])?;
            return Ok(());
        }
        if self.at_rest.is_none() {
            let rest = rest(&mut self.engine, self.precision)?;
            self.at_rest = Some((states(&mut self.engine)?, rest));
        }
        for (buf, values) in self.at_rest.iter().flat_map(|(states, _)| states) {
            self.engine.write(*buf, values)?;
        }
        // What the solver remembers of other samples must not tell.
        let age = model.layout.age;
        self.engine.write(age, &vec![0.0; model.program.spec(age).len()])?;
        Ok(())
    }

    /// A presentation from the equilibrium for x = 0. A GPU that recorded too few iterations for one of the samples does it
    /// again with more: a solve that has converged does not change with the count, so neither do the others.
    fn present(
        &mut self,
        rows: &[f64],
        ramp: &[f64],
        first: usize,
        count: usize,
    ) -> Result<(), EvaluateError> {
        let model = Arc::clone(self.engine.model());
        let controls = controls(ramp);
        let most = model.settings.max_iterations;
        loop {
            self.start_anew()?;
            self.engine.set_iterations(self.iterations);
            // The start of the ramp, x_old, is 0 from the beginning.
            self.engine.write(model.layout.x_new, rows)?;
            let shot = self.engine.run(&[Work { plan: PlanId::Step, controls: controls.clone() }])?;
            let sum = |column: usize| -> f64 {
                shot.solver.chunks_exact(solver::LEN).take(count).map(|row| row[column]).sum()
            };
            let unconverged = sum(solver::UNCONVERGED) as u64;
            if unconverged > 0 && self.iterations < most {
                self.iterations = (2 * self.iterations).min(most);
                continue;
            }
            self.trouble.add(&shot.solver);
            return verdict(&model, &shot, first, count);
        }
    }
}

/// Controls of the steps of a presentation at β = 0.
fn controls(ramp: &[f64]) -> Vec<StepControl> {
    let control = |(k, &ramp): (usize, &f64)| StepControl { ramp, index: k as u32, ..StepControl::default() };
    ramp.iter().enumerate().map(control).collect()
}

/// What the record of a presentation says, if a sample of it went wrong.
fn verdict(model: &Model, shot: &Snapshot, first: usize, count: usize) -> Result<(), EvaluateError> {
    if model.settings.on_indefinite == OnIndefinite::Error {
        let rows = shot.solver.chunks_exact(solver::LEN).take(count);
        if let Some(i) = rows.map(|row| row[solver::INDEFINITE]).position(|n| n > 0.0) {
            return Err(EvaluateError::Indefinite { sample: first + i });
        }
    }
    let slower = if model.network.settling_order().is_some() {
        "take a smaller dt-ms, a slower ramp, or the steady state (without --trajectory)"
    } else {
        "take a smaller dt-ms, a slower ramp, or smaller recurrent weights"
    };
    let kinds = [
        (status::INPUT, "an input that is not finite", "look for NaN or infinity in the data"),
        (status::STATE, "a voltage that is not finite", slower),
        (status::LIMIT, "a voltage beyond u-limit (divergence)", slower),
    ];
    let (batch, neurons) = (model.program.batch, model.network.neurons());
    for (row, what, advice) in kinds {
        for (i, &word) in shot.status[row * batch..][..count].iter().enumerate() {
            if let Some((step, neuron)) = status::decode(word, neurons) {
                let place = place(&model.network, neuron);
                return Err(EvaluateError::Bad { what, sample: first + i, step, place, advice });
            }
        }
    }
    Ok(())
}

/// Writes all weights and biases.
///
/// # Errors
/// If a block has the wrong size, or the device is lost.
pub fn write_parameters(engine: &mut Engine, parameters: &Parameters) -> Result<(), EngineError> {
    let layout = engine.model().layout.clone();
    for (&buf, w) in layout.weights.iter().zip(&parameters.weights) {
        engine.write(buf, w)?;
    }
    engine.write(layout.biases, &parameters.biases)?;
    engine.write_microcircuit(&parameters.microcircuit)
}
