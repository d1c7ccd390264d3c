//! Runs the plans of a model on an adapter.

mod segments;

use std::sync::Arc;
use std::time::Instant;

use super::blocks::Blocks;
use super::clock::{Clock, Stamps, What};
use super::device::Device;
use super::error::GpuError;
use super::factors;
use super::layered::{self, Layered};
use super::pace::{Pace, units};
use super::readback::{Readback, read, reals};
use super::recorder::{Recorder, SoFar};
use super::store::{CONTROL_SLOTS, Store};
use super::whole::{self, Whole};
use crate::cpu::status;
use crate::dynamics::Model;
use crate::engine::{Snapshot, Timings, Watch, Work};
use crate::kernels::host::Places;
use crate::plan::{Buf, Elem, PLAN_IDS, PlanId, Role, StepControl};
use segments::Kind;

/// Operations of products of all trajectories at once that one of a whole step costs: lanes of a workgroup wait for one another.
const WHOLE: u64 = 8;

/// Solver iterations that a loop records unless told otherwise.
const ITERATIONS: usize = 8;

/// Runs the plans of a model on an adapter.
pub struct Executor {
    device: Device,
    model: Arc<Model>,
    blocks: Blocks,
    store: Store,
    recorder: Recorder,
    readback: Readback,
    pace: Pace,
    clock: Clock,
    pub(super) whole: Option<Whole>,
    pub(super) layered: Option<Layered>,
    iterations: usize,
    costs: [u64; PLAN_IDS.len()],
    /// What a step as a whole costs, of a small and of a layered network.
    whole_costs: [u64; 2],
    /// Weights and biases are known to keep their bounds.
    bounded: bool,
    dispatches: u64,
}

impl Executor {
    /// Allocates all buffers of the model, zeroed (the mask `active` at 1), and compiles its kernels.
    ///
    /// # Errors
    /// If a buffer, a dispatch or a loop exceeds a limit of the adapter, or the adapter its memory.
    pub fn new(device: &Device, model: Arc<Model>) -> Result<Self, GpuError> {
        device.check()?;
        let program = &model.program;
        let blocks = Blocks::new(&factors::rewrite(program, device.factors_from()), device.block_limit());
        let small = whole::args(device, program, |w| blocks.parts(w).is_empty());
        let chain = layered::plan(device, program, |w| blocks.parts(w).is_empty());
        let joined: Vec<Buf> = match (&small, &chain) {
            (Some(args), _) => args.weights().collect(),
            (None, Some(chain)) => chain.weights().collect(),
            (None, None) => Vec::new(),
        };
        let store = Store::new(device.raw(), device.info(), &blocks.program, &joined)?;
        let neurons = model.network.neurons();
        let places = Places { program: &blocks.program, at: &store.at, profile: device.profile(), neurons };
        let whole = small.map(|args| Whole::new(device, &store, &places, args)).transpose()?;
        let chain = chain.filter(|_| whole.is_none());
        let layered = chain.map(|plan| Layered::new(device, &store, &places, plan)).transpose()?;
        let bounds = whole.as_ref().filter(|w| w.bounds_apart()).map(|_| whole::clips(program));
        let recorder = Recorder::new(device, &store, places, &bounds.unwrap_or_default())?;
        let readback = Readback::new(program, &model.layout);
        let mut executor = Self {
            device: device.clone(),
            blocks,
            store,
            recorder,
            readback,
            pace: Pace::new(),
            clock: Clock::new(),
            whole,
            layered,
            whole_costs: [0; 2],
            bounded: false,
            dispatches: 0,
            iterations: ITERATIONS,
            costs: [0; PLAN_IDS.len()],
            model: Arc::clone(&model),
        };
        executor.set_iterations(ITERATIONS);
        for (i, spec) in program.buffers.iter().enumerate() {
            if spec.role == Role::Stimulus && spec.name == "active" {
                executor.write(Buf(i as u16), &vec![1.0; spec.len()])?;
            }
        }
        device.check()?;
        Ok(executor)
    }

    /// Writes a buffer of real numbers, before the next submission runs.
    ///
    /// # Errors
    /// If the buffer holds something else, the length is wrong, or the device was lost.
    pub fn write(&mut self, buf: Buf, data: &[f64]) -> Result<(), GpuError> {
        self.expect(buf, Elem::Real, data.len())?;
        self.bounded = false;
        let data: Vec<f32> = data.iter().map(|&v| v as f32).collect();
        let cols = self.model.program.spec(buf).cols;
        for part in self.blocks.parts(buf) {
            let rows = &data[part.from * cols..(part.from + part.rows) * cols];
            self.put(part.buf, bytemuck::cast_slice(rows))?;
        }
        if self.blocks.parts(buf).is_empty() && !self.is_dropped(buf) {
            self.put(buf, bytemuck::cast_slice(&data))?;
        }
        Ok(())
    }

    /// Writes a buffer of bytes, before the next submission runs; submissions made before still see the old content.
    ///
    /// # Errors
    /// As [`Executor::write`].
    pub fn write_bytes(&mut self, buf: Buf, data: &[u8]) -> Result<(), GpuError> {
        self.expect(buf, Elem::Byte, data.len())?;
        if data.len().is_multiple_of(4) {
            return self.put(buf, data);
        }
        let mut whole = data.to_vec();
        whole.resize(data.len().next_multiple_of(4), 0);
        self.put(buf, &whole)
    }

    /// Reads a buffer of real numbers, after all work submitted before.
    ///
    /// # Errors
    /// If the buffer holds something else, or the device was lost.
    pub fn read(&mut self, buf: Buf) -> Result<Vec<f64>, GpuError> {
        let spec = self.model.program.spec(buf);
        self.expect(buf, Elem::Real, spec.len())?;
        if spec.is_empty() {
            return Ok(Vec::new());
        }
        if self.is_dropped(buf) {
            return Ok(vec![0.0; spec.len()]);
        }
        let fetch = |buf: Buf, len: usize| {
            let (from, at) = self.store.locate(buf);
            Ok(reals(&read(&self.device, from, at, 4 * len as u64)?))
        };
        if self.blocks.parts(buf).is_empty() {
            return fetch(buf, spec.len());
        }
        let mut all = Vec::with_capacity(spec.len());
        for part in self.blocks.parts(buf) {
            all.extend(fetch(part.buf, part.rows * spec.cols)?);
        }
        Ok(all)
    }

    /// A derivative that is never formed: it reads as 0, and what is written to it is not kept.
    fn is_dropped(&self, buf: Buf) -> bool {
        self.blocks.program.spec(buf).is_empty()
    }

    /// Number of solver iterations that each loop records, up to its own bound.
    pub fn set_iterations(&mut self, count: usize) {
        self.iterations = count;
        let program = &self.model.program;
        self.costs = PLAN_IDS.map(|id| {
            let cost = program.cost(id, count);
            units(cost.calls, cost.flops)
        });
        let flops = |id| program.cost(id, count).flops;
        self.whole_costs =
            [units(1, WHOLE * flops(PlanId::Step)), units(2, WHOLE * flops(PlanId::ResidentStep))];
    }

    /// Clears `solver` and `status`, runs the work in order and asks for a snapshot, without waiting for it.
    ///
    /// # Errors
    /// If the device was lost or ran out of memory.
    pub fn submit(&mut self, ticket: u64, work: &[Work]) -> Result<(), GpuError> {
        self.device.check()?;
        self.clear()?;
        let mut runs = work.iter().flat_map(|w| w.controls.iter().map(|c| (w.plan, c))).peekable();
        loop {
            let (slice, cost) = self.slice(&mut runs);
            let last = runs.peek().is_none();
            let mut encoder =
                self.device.raw().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            let (dispatches, stamps) = self.encode(&mut encoder, &slice);
            self.dispatches += dispatches;
            let timestamps = stamps.as_ref().map(|stamps| stamps.resolve(&self.device, &mut encoder));
            let copy = last.then(|| self.readback.copy(&self.device, &self.store, &mut encoder));
            let begun = Instant::now();
            let submission = self.device.queue().submit([encoder.finish()]);
            if let Some(copy) = copy {
                self.readback.request(ticket, copy, submission.clone());
            }
            let watched = stamps.as_ref().zip(timestamps);
            let measured = self.pace.measures() && cost > 0;
            if watched.is_some() || measured {
                self.device.wait(Some(submission))?;
            }
            if measured {
                self.pace.measured(cost, begun.elapsed());
            }
            if let Some((stamps, copies)) = watched {
                self.clock.book(&self.device, stamps, &copies)?;
            }
            if last {
                return self.device.check();
            }
        }
    }

    /// The snapshot of a submission; waits for it where necessary.
    ///
    /// # Errors
    /// If it was collected before, or the device was lost.
    pub fn collect(&mut self, ticket: u64) -> Result<Snapshot, GpuError> {
        self.device.check()?;
        self.readback.collect(&self.device, ticket)
    }

    /// Says what is watched from now on.
    ///
    /// # Errors
    /// If the device was lost.
    pub fn watch(&mut self, watch: Watch) -> Result<(), GpuError> {
        self.device.wait(None)?;
        self.clock.watch(watch, &self.device);
        Ok(())
    }

    /// What was seen since it was last asked.
    pub fn timings(&mut self) -> Timings {
        self.clock.take()
    }

    /// Bytes of all buffers.
    #[must_use]
    pub fn allocated(&self) -> u64 {
        let layered = self.layered.as_ref().map_or(0, Layered::allocated);
        self.store.allocated() + self.recorder.allocated() + layered
    }

    /// As many runs as one submission may take, at least one, and what they cost.
    fn slice<'a>(
        &self,
        runs: &mut impl Iterator<Item = (PlanId, &'a StepControl)>,
    ) -> (Vec<(PlanId, &'a StepControl)>, u64) {
        let (mut slice, mut cost) = (Vec::new(), 0);
        for (plan, control) in runs.by_ref() {
            cost += match self.kind(plan, control) {
                Kind::Calls => self.costs[plan as usize],
                Kind::Small => self.whole_costs[0],
                Kind::Layered => self.whole_costs[1],
            };
            slice.push((plan, control));
            if slice.len() == CONTROL_SLOTS || self.pace.is_full(cost) {
                break;
            }
        }
        (slice, cost)
    }

    /// One pass for all runs: their control values are written before the submission starts. Returns the number of dispatches.
    fn encode(
        &mut self,
        encoder: &mut wgpu::CommandEncoder,
        slice: &[(PlanId, &StepControl)],
    ) -> (u64, Option<Stamps>) {
        if slice.is_empty() {
            return (0, None);
        }
        let segments = self.segments(slice);
        let controls = self.slots(slice, &segments);
        self.device.queue().write_buffer(&self.store.control, 0, &controls);
        if self.clock.is_on() {
            let pieces = self.pieces(slice, &segments);
            self.bounded |= segments.iter().any(|segment| segment.bounds);
            let Self { device, recorder, clock, whole, layered, .. } = self;
            let stamps = clock.encode(device, encoder, &pieces, |pass, piece, so_far| match piece.what {
                What::Call(dispatch) => recorder.one(pass, &dispatch, piece.slot, so_far),
                What::Whole => {
                    whole.iter().for_each(|whole| whole.record(pass, piece.slot));
                    // It has set a pipeline of its own.
                    *so_far = SoFar::default();
                }
                What::Layered(part) => {
                    layered.iter().for_each(|layered| layered.record(pass, part, piece.slot));
                    *so_far = SoFar::default();
                }
            });
            return (pieces.len() as u64, Some(stamps));
        }
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        let mut dispatches = 0;
        for segment in segments {
            dispatches += self.record(&mut pass, slice, &segment);
            if segment.bounds {
                self.bounded = true;
                dispatches += self.recorder.record_bounds(&mut pass, segment.slot);
            }
        }
        (dispatches, None)
    }

    /// Dispatches recorded so far.
    #[must_use]
    pub fn dispatches(&self) -> u64 {
        self.dispatches
    }

    fn clear(&self) -> Result<(), GpuError> {
        let l = &self.model.layout;
        let len = |buf| self.model.program.spec(buf).len();
        self.put(l.solver, bytemuck::cast_slice(&vec![0.0_f32; len(l.solver)]))?;
        self.put(l.status, bytemuck::cast_slice(&vec![status::FINE; len(l.status)]))
    }

    fn put(&self, buf: Buf, bytes: &[u8]) -> Result<(), GpuError> {
        if !bytes.is_empty() {
            let (to, at) = self.store.locate(buf);
            self.device.queue().write_buffer(to, at, bytes);
        }
        self.device.check()
    }

    fn expect(&self, buf: Buf, elem: Elem, got: usize) -> Result<(), GpuError> {
        let spec = self.model.program.spec(buf);
        let name = |elem: Elem| format!("{elem:?} values").to_lowercase();
        if spec.elem != elem {
            return Err(GpuError::Kind {
                buffer: spec.name.clone(),
                holds: name(spec.elem),
                asked: name(elem),
            });
        }
        if spec.len() != got {
            return Err(GpuError::Length { buffer: spec.name.clone(), want: spec.len(), got });
        }
        Ok(())
    }
}
