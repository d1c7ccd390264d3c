//! The trainer: epochs of presentations, pipelined with the device; emits events and prints nothing.

mod exam;
mod probing;
mod rates;
mod resume;
mod watching;

use exam::{Exam, Validation};

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::error::{indefinite, verdict};
use super::evaluate::{Tables, read_parameters, write_parameters};
use super::feed::Feed;
use super::flight::{Flight, Need, Pass, Shot};
use super::{Epoch, Event, Gates, KeepNothing, Keeper, Material, Moment, Ramp, Rule, Sink, TrainError};
use crate::data::MiniBatch;
use crate::dynamics::{Model, OnIndefinite, Settings};
use crate::engine::{Device, Engine};
use crate::evaluate::{Rest, rest};
use crate::network::{Network, Parameters};
use crate::probe::Recording;
use crate::schedule::Schedule;

/// Presentations in flight: the device integrates one while the next is assembled and uploaded.
const IN_FLIGHT: usize = 2;

/// Solver iterations that a GPU records before it is known how many are needed.
const FIRST_ITERATIONS: usize = 8;

/// What a run needs beside network, data and device.
#[derive(Clone, Debug, PartialEq)]
pub struct Protocol {
    /// Seed of all random streams.
    pub seed: u64,
    /// How the network learns.
    pub rule: Rule,
    /// Epochs.
    pub epochs: usize,
    /// Trajectories at once.
    pub batch: usize,
    /// Time steps a presentation; 1 with backprop, which has none.
    pub steps: usize,
    /// Ramp from sample to sample.
    pub ramp: Ramp,
    /// When in a presentation nudging and plasticity are on.
    pub gates: Gates,
    /// β of each output neuron.
    pub beta: Vec<f64>,
    /// η of the weights, per ms; with backprop, the rate of an update.
    pub rate_w: f64,
    /// η_b of the biases, as `rate_w`.
    pub rate_b: f64,
    /// Both are multiplied by this after each epoch.
    pub rate_decay: f64,
    /// Both are multiplied by its factor in each step.
    pub schedule: Schedule,
    /// Simulated time of a step for the schedule, ms: dt; with backprop, which has no time, that of a presentation by the
    /// least-action rule, so that a control has the rates of its experiment at the same sample.
    pub step_ms: f64,
    /// Bytes and classes to voltages and targets.
    pub tables: Tables,
}

/// A network in training on a device.
pub struct Trainer<'a> {
    model: Arc<Model>,
    engine: Engine,
    exam: Exam<'a>,
    protocol: Protocol,
    feed: Feed<'a>,
    ramp: Vec<f64>,
    rest: Rest,
    parameters: Parameters,
    active: Vec<f64>,
    iterations: usize,
    started: Instant,
    /// Seconds that the run took before this process went on with it.
    before_s: f64,
    /// The epoch that a restored state is in the middle of.
    restored: Option<Pass>,
    recordings: Vec<Recording>,
    /// What is to be told at the next opportunity.
    notices: Vec<Event>,
    stop: &'a AtomicBool,
    /// Name of the device.
    device: String,
    /// Wall time of the epochs whose kernels were timed.
    watched_s: Option<f64>,
}

impl<'a> Trainer<'a> {
    /// Allocates everything on the device and brings all trajectories to the equilibrium for x = 0.
    ///
    /// # Errors
    /// If data, network and settings do not fit one another, or the device cannot hold them.
    pub fn new(
        network: Network,
        settings: Settings,
        parameters: Parameters,
        protocol: Protocol,
        data: impl Into<Material<'a>>,
        device: &Device,
        stop: &'a AtomicBool,
    ) -> Result<Self, TrainError> {
        let data = data.into();
        let feed = Feed::new(&data, &network, &settings, &protocol)?;
        if let (Rule::Backprop, Some(k)) = (protocol.rule, network.first_backward()) {
            return Err(TrainError::NeedsFeedforward(network.projection_name(k)));
        }
        let model = Arc::new(Model::new(network, settings, protocol.batch, feed.features(&protocol))?);
        let ramp = protocol.ramp.values(protocol.steps);
        let exam = Exam::new(data, &model, device, &protocol, &ramp)?;
        let mut engine = Engine::new(Arc::clone(&model), device)?;
        write_parameters(&mut engine, &parameters)?;
        let net = &model.network;
        let factors: Vec<f64> =
            net.populations.iter().flat_map(|p| std::iter::repeat_n(p.bias_factor, p.size)).collect();
        engine.write(model.layout.bias_factors, &factors)?;
        let free = vec![0.0; protocol.beta.len()];
        engine.write(model.layout.beta, &[free, protocol.beta.clone()].concat())?;
        let rest = rest(&mut engine, device.precision())?;
        feed.write(&mut engine, &protocol)?;
        Ok(Self {
            ramp,
            rest,
            active: vec![1.0; protocol.batch],
            iterations: FIRST_ITERATIONS,
            started: Instant::now(),
            before_s: 0.0,
            restored: None,
            recordings: Vec::new(),
            notices: Vec::new(),
            model,
            engine,
            exam,
            protocol,
            feed,
            parameters,
            stop,
            device: device.name(),
            watched_s: None,
        })
    }

    /// The model that runs.
    #[must_use]
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// How the trajectories came to rest before the first presentation.
    #[must_use]
    pub fn rest(&self) -> Rest {
        self.rest
    }

    /// Time steps of the trajectories of an epoch, all together.
    #[must_use]
    pub fn trajectory_steps(&self) -> usize {
        match &self.feed {
            Feed::Samples(_) | Feed::Values(_) => self.feed.samples() * self.protocol.steps,
            Feed::Windows { windows, .. } => windows.trajectory_steps(),
        }
    }

    /// Time steps of a presentation, or of a window.
    #[must_use]
    pub fn presentation_steps(&self) -> usize {
        match &self.feed {
            Feed::Samples(_) | Feed::Values(_) => self.protocol.steps,
            Feed::Windows { windows, .. } => windows.steps(),
        }
    }

    /// Weights and biases after the last complete epoch, or where [`Trainer::epoch`] was asked to stop.
    #[must_use]
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Seconds since the start of the run, in all processes that worked on it.
    #[must_use]
    pub fn elapsed_s(&self) -> f64 {
        self.before_s + self.started.elapsed().as_secs_f64()
    }

    /// As [`Trainer::epoch_keeping`], nothing of which is kept.
    ///
    /// # Errors
    /// As there.
    pub fn epoch(&mut self, epoch: usize, sink: &mut dyn Sink) -> Result<Option<Epoch>, TrainError> {
        self.epoch_keeping(epoch, sink, &mut KeepNothing)
    }

    /// Presents every training sample once, then validates. `None` if the run was asked to stop on the way; `keeper` then has the
    /// state. An epoch that a restored state is in goes on from there.
    ///
    /// # Errors
    /// Divergence, data that are not finite, an indefinite H where the settings say so, a lost device, a sink that cannot write.
    pub fn epoch_keeping(
        &mut self,
        epoch: usize,
        sink: &mut dyn Sink,
        keeper: &mut dyn Keeper,
    ) -> Result<Option<Epoch>, TrainError> {
        let restored = self.restored.take().filter(|pass| pass.epoch == epoch);
        let mut pass = restored.unwrap_or_else(|| Pass::new(epoch, &self.model));
        let begun = Instant::now();
        let presented = self.present(&mut pass, sink, keeper);
        self.watched_s = self.watched_s.map(|s| s + begun.elapsed().as_secs_f64());
        presented?;
        if self.stop.load(Ordering::Relaxed) {
            self.land_all(&mut pass, sink)?;
            let state = self.state(&pass)?;
            keeper.record(&self.recordings, pass.epoch, sink)?;
            keeper.keep(&state, Moment::Stop, sink)?;
            self.parameters = read_parameters(&mut self.engine)?;
            return Ok(None);
        }
        while !pass.flights.is_empty() {
            self.book(&mut pass, sink)?;
        }
        let seconds = pass.seconds();
        let after = read_parameters(&mut self.engine)?;
        let before = std::mem::replace(&mut self.parameters, after);
        let change = mean_change(&before, &self.parameters);
        self.report(&pass, change, seconds).map(Some)
    }

    /// Presents the mini-batches of an epoch that are left, until asked to stop.
    fn present(
        &mut self,
        pass: &mut Pass,
        sink: &mut dyn Sink,
        keeper: &mut dyn Keeper,
    ) -> Result<(), TrainError> {
        let mut batches = self.feed.batches(&self.protocol, pass.epoch, pass.presented)?;
        while let Some(batch) = batches.next() {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            if pass.flights.len() == IN_FLIGHT
                && let Some(used) = self.book(pass, sink)?
            {
                batches.recycle(used);
            }
            let shot = self.launch(&batch, (pass.epoch, pass.presented))?;
            pass.presented += 1;
            pass.flights.push_back(Flight::Away { shot, batch: Box::new(batch), number: pass.presented });
            for notice in std::mem::take(&mut self.notices) {
                sink.take(&notice)?;
            }
            if keeper.due() {
                self.land_all(pass, sink)?;
                let state = self.state(pass)?;
                keeper.record(&self.recordings, pass.epoch, sink)?;
                keeper.keep(&state, Moment::Periodic, sink)?;
            }
        }
        self.feed.failed(&mut batches)
    }

    /// Uploads a mini-batch and submits its presentation; `at` is its epoch and the number of mini-batches before it there.
    fn launch(&mut self, batch: &MiniBatch, at: (usize, usize)) -> Result<Shot, TrainError> {
        self.feed.upload(&mut self.engine, batch)?;
        if self.active != batch.active {
            self.engine.write(self.model.layout.active, &batch.active)?;
            self.active.clone_from(&batch.active);
        }
        let work = self.work(batch.count, at);
        self.engine.set_iterations(self.iterations);
        if self.is_probed(at) {
            return Ok(Shot::Taken(self.probed(work, batch, at)?));
        }
        Ok(Shot::Ticket(self.engine.submit(&work)?))
    }

    /// Waits for the oldest presentation and takes into account what it needed; returns its mini-batch.
    fn book(&mut self, pass: &mut Pass, sink: &mut dyn Sink) -> Result<Option<MiniBatch>, TrainError> {
        let (need, used) = match pass.flights.pop_front() {
            None => return Ok(None),
            Some(Flight::Landed(need)) => (need, None),
            Some(Flight::Away { shot, batch, number }) => {
                (self.land(pass, shot, &batch, number, sink)?, Some(*batch))
            }
        };
        self.adapt(need);
        Ok(used)
    }

    /// Waits for all presentations in flight. What they needed of the solver is set aside: presentation n is to run with the counts known
    /// from n − 2, whether a state is saved on the way or not.
    fn land_all(&mut self, pass: &mut Pass, sink: &mut dyn Sink) -> Result<(), TrainError> {
        for flight in std::mem::take(&mut pass.flights) {
            let need = match flight {
                Flight::Landed(need) => need,
                Flight::Away { shot, batch, number } => self.land(pass, shot, &batch, number, sink)?,
            };
            pass.flights.push_back(Flight::Landed(need));
        }
        Ok(())
    }

    /// Waits for a presentation, checks it and adds it to the sums of its epoch.
    fn land(
        &mut self,
        pass: &mut Pass,
        shot: Shot,
        batch: &MiniBatch,
        number: usize,
        sink: &mut dyn Sink,
    ) -> Result<Need, TrainError> {
        let shot = match shot {
            Shot::Ticket(ticket) => self.engine.collect(ticket)?,
            Shot::Taken(shot) => shot,
        };
        if let Some(error) = verdict(&self.model, self.protocol.rule, &shot, pass.epoch, number) {
            return Err(error);
        }
        if self.model.settings.on_indefinite == OnIndefinite::Error
            && let Some(error) = indefinite(&self.model, &shot, pass.epoch, number)
        {
            return Err(error);
        }
        let loss = match &self.feed {
            Feed::Samples(_) | Feed::Values(_) => {
                pass.tally.add(&shot, &batch.labels, &batch.active, self.protocol.steps)
            }
            Feed::Windows { .. } => pass.tally.add_steps(&shot, &batch.active, batch.steps.len()),
        };
        let done = pass.tally.samples();
        sink.take(&Event::Batch {
            epoch: pass.epoch,
            epochs: self.protocol.epochs,
            done,
            of: self.feed.samples(),
            loss,
            simulated_ms: self.time_ms(self.steps_before(pass.epoch, number)),
            rate_per_ms: self.rate_before(pass.epoch, number),
            samples_per_s: done as f64 / pass.seconds().max(1e-9),
        })?;
        Ok(Need::of(&shot))
    }

    /// The loop count of the next presentation, from what an earlier one needed.
    fn adapt(&mut self, need: Need) {
        self.iterations = need.next(self.iterations, self.model.settings.max_iterations);
    }

    fn report(&mut self, pass: &Pass, change: f64, seconds: f64) -> Result<Epoch, TrainError> {
        let Pass { epoch, presented, tally, .. } = pass;
        let epoch = *epoch;
        let Validation { accuracy, loss: validation_loss, r2 } = self.exam.validate(&self.parameters)?;
        let elapsed_s = self.elapsed_s();
        let left = (self.protocol.epochs - epoch) as f64;
        Ok(Epoch {
            epoch,
            epochs: self.protocol.epochs,
            loss: tally.loss(),
            train_accuracy: self.feed.has_classes().then(|| tally.accuracy()),
            validation_accuracy: accuracy,
            validation_loss,
            validation_r2: r2,
            simulated_ms: self.time_ms(self.steps_before(epoch + 1, 0)),
            rate_per_ms: self.rate_before(epoch, self.mini_batches()),
            mean_abs_weight_change: change,
            samples_per_s: tally.samples() as f64 / seconds.max(1e-9),
            steps_per_s: self.feed.steps_before(*presented, &self.protocol) as f64 / seconds.max(1e-9),
            elapsed_s,
            eta_s: elapsed_s / epoch as f64 * left,
            health: tally.health(),
        })
    }
}

/// Mean |ΔW| over all weights.
fn mean_change(before: &Parameters, after: &Parameters) -> f64 {
    let (mut sum, mut count) = (0.0, 0_usize);
    for (a, b) in before.weights.iter().flatten().zip(after.weights.iter().flatten()) {
        sum += (b - a).abs();
        count += 1;
    }
    sum / count.max(1) as f64
}
