//! Runs the plans of a model on an adapter.

use std::sync::Arc;
use std::time::Instant;

use super::blocks::Blocks;
use super::clock::{Clock, Stamps};
use super::device::Device;
use super::error::GpuError;
use super::factors;
use super::pace::{Pace, units};
use super::readback::{Readback, read, reals};
use super::recorder::Recorder;
use super::store::{CONTROL_SLOTS, SLOT, Store};
use crate::cpu::status;
use crate::dynamics::Model;
use crate::engine::{Snapshot, Timings, Watch, Work};
use crate::plan::{Buf, Elem, PLAN_IDS, PlanId, Role, StepControl};

/// Solver iterations that a loop records unless told otherwise.
const ITERATIONS: usize = 8;

/// Control values of a step, as `shaders/shared/common.wgsl` reads them.
#[repr(C)]
#[derive(Clone, Copy, Debug, bytemuck::Pod, bytemuck::Zeroable)]
struct Control {
    ramp: f32,
    ramp_prev: f32,
    row: u32,
    beta_row: u32,
    index: u32,
    rate_w: f32,
    rate_b: f32,
    rate_ip: f32,
    rate_pi: f32,
    rate_feedback: f32,
    rate_bi: f32,
}

impl From<&StepControl> for Control {
    fn from(step: &StepControl) -> Self {
        Self {
            ramp: step.ramp as f32,
            ramp_prev: step.ramp_prev as f32,
            row: step.row,
            beta_row: step.beta_row,
            index: step.index,
            rate_w: step.rate_w as f32,
            rate_b: step.rate_b as f32,
            rate_ip: step.rate_ip as f32,
            rate_pi: step.rate_pi as f32,
            rate_feedback: step.rate_feedback as f32,
            rate_bi: step.rate_bi as f32,
        }
    }
}

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
    iterations: usize,
    costs: [u64; PLAN_IDS.len()],
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
        let store = Store::new(device.raw(), device.info(), &blocks.program)?;
        let recorder = Recorder::new(device, &store, &blocks.program, model.network.neurons())?;
        let readback = Readback::new(program, &model.layout);
        let mut executor = Self {
            device: device.clone(),
            blocks,
            store,
            recorder,
            readback,
            pace: Pace::new(),
            clock: Clock::new(),
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
            let stamps = self.encode(&mut encoder, &slice);
            let timestamps = stamps.as_ref().map(|stamps| stamps.resolve(&self.device, &mut encoder));
            let copy = last.then(|| self.readback.copy(&self.device, &self.store, &mut encoder));
            let begun = Instant::now();
            let submission = self.device.queue().submit([encoder.finish()]);
            if let Some(copy) = copy {
                self.readback.request(ticket, copy, submission.clone());
            }
            if let Some((stamps, copies)) = stamps.as_ref().zip(timestamps) {
                self.device.wait(Some(submission))?;
                self.clock.book(&self.device, stamps, &copies)?;
            } else if self.pace.measures() && cost > 0 {
                self.device.wait(Some(submission))?;
                self.pace.measured(cost, begun.elapsed());
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
        self.store.allocated() + self.recorder.allocated()
    }

    /// As many runs as one submission may take, at least one, and what they cost.
    fn slice<'a>(
        &self,
        runs: &mut impl Iterator<Item = (PlanId, &'a StepControl)>,
    ) -> (Vec<(PlanId, &'a StepControl)>, u64) {
        let (mut slice, mut cost) = (Vec::new(), 0);
        for (plan, control) in runs.by_ref() {
            cost += self.costs[plan as usize];
            slice.push((plan, control));
            if slice.len() == CONTROL_SLOTS || self.pace.is_full(cost) {
                break;
            }
        }
        (slice, cost)
    }

    /// One pass for all runs: their control values are written before the submission starts.
    fn encode(
        &mut self,
        encoder: &mut wgpu::CommandEncoder,
        slice: &[(PlanId, &StepControl)],
    ) -> Option<Stamps> {
        if slice.is_empty() {
            return None;
        }
        let mut controls = vec![0_u8; slice.len() * SLOT as usize];
        for ((_, control), slot) in slice.iter().zip(controls.chunks_exact_mut(SLOT as usize)) {
            let control = Control::from(*control);
            slot[..size_of::<Control>()].copy_from_slice(bytemuck::bytes_of(&control));
        }
        self.device.queue().write_buffer(&self.store.control, 0, &controls);
        if self.clock.is_on() {
            let runs: Vec<PlanId> = slice.iter().map(|(plan, _)| *plan).collect();
            let Self { device, recorder, clock, iterations, .. } = self;
            return Some(clock.encode(device, encoder, recorder, &runs, *iterations));
        }
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        for (slot, (plan, _)) in slice.iter().enumerate() {
            self.recorder.record(&mut pass, *plan, slot, self.iterations);
        }
        None
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

#[cfg(test)]
#[allow(clippy::expect_used, clippy::panic)]
mod tests {
    use std::mem::offset_of;

    use super::*;
    use crate::gpu::shaders::Variant;
    use crate::kernels::host::Profile;

    /// Field by field against naga's view of the shader: swapped fields have the same size.
    #[test]
    fn control_values_have_the_layout_of_the_shaders() {
        let variant = Variant { kernel: "copy", profile: Profile::Software, gated: false };
        let module = naga::front::wgsl::parse_str(&variant.source()).expect("valid");
        let ty = module.types.iter().find(|(_, t)| t.name.as_deref() == Some("Control")).expect("there").1;
        let naga::TypeInner::Struct { members, span } = &ty.inner else { panic!("a struct") };
        let real = naga::Scalar::F32;
        let word = naga::Scalar::U32;
        let want = [
            ("ramp", offset_of!(Control, ramp), real),
            ("ramp_prev", offset_of!(Control, ramp_prev), real),
            ("row", offset_of!(Control, row), word),
            ("beta_row", offset_of!(Control, beta_row), word),
            ("index", offset_of!(Control, index), word),
            ("rate_w", offset_of!(Control, rate_w), real),
            ("rate_b", offset_of!(Control, rate_b), real),
            ("rate_ip", offset_of!(Control, rate_ip), real),
            ("rate_pi", offset_of!(Control, rate_pi), real),
            ("rate_feedback", offset_of!(Control, rate_feedback), real),
            ("rate_bi", offset_of!(Control, rate_bi), real),
        ];
        assert_eq!((members.len(), *span as usize), (want.len(), size_of::<Control>()));
        for (member, (name, offset, scalar)) in members.iter().zip(want) {
            assert_eq!((member.name.as_deref(), member.offset as usize), (Some(name), offset));
            assert_eq!(module.types[member.ty].inner, naga::TypeInner::Scalar(scalar), "{name}");
        }
    }
}
