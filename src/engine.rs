//! One interface to the executors: allocate a model on a device, write, run plans, read.

mod carried;
mod device;
mod microcircuit;
mod timings;

use std::sync::Arc;

pub use carried::Carried;
pub use device::{Device, Precision};
pub use timings::{KernelTime, Timings, WAITING, Watch};

use crate::cpu::{self, Real, Store};
use crate::dynamics::Model;
use crate::gpu;
use crate::plan::{Buf, Elem, PlanId, Program, Role, StepControl};

/// A plan and the control values of each of its runs.
#[derive(Clone, Debug)]
pub struct Work {
    /// Which plan.
    pub plan: PlanId,
    /// One run for each.
    pub controls: Vec<StepControl>,
}

impl Work {
    /// One run with the default control values.
    #[must_use]
    pub fn once(plan: PlanId) -> Self {
        Self { plan, controls: vec![StepControl::default()] }
    }
}

/// What a submission left in the record buffers.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// `[batch, 8]`, see [`crate::kernels::record`].
    pub record: Vec<f64>,
    /// `[batch, 9]`, see [`crate::kernels::solver`].
    pub solver: Vec<f64>,
    /// `[3, batch]`, see [`crate::cpu::status`].
    pub status: Vec<u32>,
}

/// Names a submission whose snapshot can be collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(pub u64);

/// Why a device could not do what was asked of it.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The GPU.
    #[error(transparent)]
    Gpu(#[from] gpu::GpuError),
    /// Data of the wrong length.
    #[error("buffer '{name}' holds {want} values, {got} were given")]
    Length {
        /// Name of the buffer.
        name: String,
        /// Its elements.
        want: usize,
        /// Values given.
        got: usize,
    },
    /// Buffers of another model.
    #[error("there is no content for buffer '{0}': the state is of another network, or of other settings")]
    Missing(String),
    /// More than the processor's memory holds.
    #[error(
        "the buffers of this network need {} MiB, more memory than there is: use fewer trajectories (batch) or smaller populations", bytes >> 20
    )]
    Memory {
        /// Bytes they need.
        bytes: u64,
    },
    /// A ticket that was collected already, or never given.
    #[error("submission {0} has no snapshot to collect")]
    Ticket(u64),
}

enum Backend {
    F64(Box<Store<f64>>),
    F32(Box<Store<f32>>),
    Gpu(Box<gpu::Executor>),
}

/// A model on a device.
pub struct Engine {
    model: Arc<Model>,
    backend: Backend,
    next: u64,
    ready: Vec<(u64, Snapshot)>,
}

impl Engine {
    /// Allocates all buffers of the model on the device, zeroed (the mask `active` at 1).
    ///
    /// # Errors
    /// If a buffer exceeds a limit of the device or its memory.
    pub fn new(model: Arc<Model>, device: &Device) -> Result<Self, EngineError> {
        let neurons = model.network.neurons();
        let backend = match device {
            Device::Cpu(precision) => {
                check_memory(&model.program, *precision)?;
                match precision {
                    Precision::F64 => Backend::F64(Box::new(Store::new(&model.program, neurons))),
                    Precision::F32 => Backend::F32(Box::new(Store::new(&model.program, neurons))),
                }
            }
            Device::Gpu(device) => Backend::Gpu(Box::new(gpu::Executor::new(device, Arc::clone(&model))?)),
        };
        Ok(Self { model, backend, next: 0, ready: Vec::new() })
    }

    /// The model that runs.
    #[must_use]
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// The floating-point type it computes in.
    #[must_use]
    pub fn precision(&self) -> Precision {
        if matches!(self.backend, Backend::F64(_)) { Precision::F64 } else { Precision::F32 }
    }

    fn check(&self, buf: Buf, got: usize) -> Result<(), EngineError> {
        let spec = self.model.program.spec(buf);
        if spec.len() == got {
            return Ok(());
        }
        Err(EngineError::Length { name: spec.name.clone(), want: spec.len(), got })
    }

    /// Writes a buffer of real numbers.
    ///
    /// # Errors
    /// If the length is not that of the buffer, or the device is lost.
    pub fn write(&mut self, buf: Buf, data: &[f64]) -> Result<(), EngineError> {
        self.check(buf, data.len())?;
        // Of other weights the inverse that a small network keeps is of no use.
        let small = self.model.program.small.as_ref();
        let stale = small.filter(|small| small.blocks.iter().any(|b| b.w == buf)).map(|small| small.age);
        match &mut self.backend {
            Backend::F64(store) => {
                fill(store.get_mut(buf), data);
                stale.into_iter().for_each(|age| store.get_mut(age).fill(0.0));
            }
            Backend::F32(store) => {
                fill(store.get_mut(buf), data);
                stale.into_iter().for_each(|age| store.get_mut(age).fill(0.0));
            }
            Backend::Gpu(gpu) => gpu.write(buf, data)?,
        }
        Ok(())
    }

    /// Writes a buffer of bytes. On a GPU the copy is staged: work submitted before still sees the old content.
    ///
    /// # Errors
    /// As [`Engine::write`].
    pub fn write_bytes(&mut self, buf: Buf, data: &[u8]) -> Result<(), EngineError> {
        self.check(buf, data.len())?;
        match &mut self.backend {
            Backend::F64(store) => store.bytes_mut(buf).copy_from_slice(data),
            Backend::F32(store) => store.bytes_mut(buf).copy_from_slice(data),
            Backend::Gpu(gpu) => gpu.write_bytes(buf, data)?,
        }
        Ok(())
    }

    /// Reads a buffer of real numbers, after all work submitted before.
    ///
    /// # Errors
    /// If the device is lost.
    pub fn read(&mut self, buf: Buf) -> Result<Vec<f64>, EngineError> {
        Ok(match &mut self.backend {
            Backend::F64(store) => store.get(buf).to_vec(),
            Backend::F32(store) => store.get(buf).iter().map(|v| v.f64()).collect(),
            Backend::Gpu(gpu) => gpu.read(buf)?,
        })
    }

    /// Number of solver iterations that a GPU records for each loop; the CPU leaves a loop as soon as all converged.
    pub fn set_iterations(&mut self, count: usize) {
        if let Backend::Gpu(gpu) = &mut self.backend {
            gpu.set_iterations(count);
        }
    }

    /// Says what is watched from now on; what was seen before is forgotten.
    ///
    /// # Errors
    /// If the device is lost.
    pub fn watch(&mut self, watch: Watch) -> Result<(), EngineError> {
        let kernels = watch == Watch::Kernels;
        match &mut self.backend {
            Backend::F64(store) => (store.watched, store.timings) = (kernels, Timings::default()),
            Backend::F32(store) => (store.watched, store.timings) = (kernels, Timings::default()),
            Backend::Gpu(gpu) => gpu.watch(watch)?,
        }
        Ok(())
    }

    /// What was seen since [`Engine::watch`], or since this was last asked.
    pub fn timings(&mut self) -> Timings {
        match &mut self.backend {
            Backend::F64(store) => std::mem::take(&mut store.timings),
            Backend::F32(store) => std::mem::take(&mut store.timings),
            Backend::Gpu(gpu) => gpu.timings(),
        }
    }

    /// Bytes of all buffers on the device.
    #[must_use]
    pub fn allocated(&self) -> u64 {
        match &self.backend {
            Backend::F64(store) => store.allocated(),
            Backend::F32(store) => store.allocated(),
            Backend::Gpu(gpu) => gpu.allocated(),
        }
    }

    /// Dispatches that a GPU recorded so far; none on the processor.
    #[must_use]
    pub fn dispatches(&self) -> u64 {
        if let Backend::Gpu(gpu) = &self.backend { gpu.dispatches() } else { 0 }
    }

    /// Clears `solver` and `status`, runs the work in order and keeps a snapshot of the record buffers. A GPU works on it
    /// while the host goes on.
    ///
    /// # Errors
    /// If the device is lost.
    pub fn submit(&mut self, work: &[Work]) -> Result<Ticket, EngineError> {
        let ticket = self.next;
        self.next += 1;
        let model = Arc::clone(&self.model);
        match &mut self.backend {
            Backend::F64(store) => self.ready.push((ticket, run_cpu(&model, store, work))),
            Backend::F32(store) => self.ready.push((ticket, run_cpu(&model, store, work))),
            Backend::Gpu(gpu) => gpu.submit(ticket, work)?,
        }
        Ok(Ticket(ticket))
    }

    /// The snapshot of a submission; waits for it where necessary.
    ///
    /// # Errors
    /// If it was collected before, or the device is lost.
    pub fn collect(&mut self, ticket: Ticket) -> Result<Snapshot, EngineError> {
        if let Backend::Gpu(gpu) = &mut self.backend {
            return Ok(gpu.collect(ticket.0)?);
        }
        let at = self.ready.iter().position(|(t, _)| *t == ticket.0).ok_or(EngineError::Ticket(ticket.0))?;
        Ok(self.ready.swap_remove(at).1)
    }

    /// [`Engine::submit`] and [`Engine::collect`].
    ///
    /// # Errors
    /// As these.
    pub fn run(&mut self, work: &[Work]) -> Result<Snapshot, EngineError> {
        let ticket = self.submit(work)?;
        self.collect(ticket)
    }
}

/// Asks for the memory of all buffers at once: an allocation that fails later would end the program without a word of advice.
fn check_memory(program: &Program, precision: Precision) -> Result<(), EngineError> {
    let real = if precision == Precision::F64 { 8 } else { 4 };
    let bytes = program.buffers.iter().fold(0_u64, |sum, spec| {
        let each = match spec.elem {
            Elem::Real => real,
            Elem::Word => 4,
            Elem::Byte => 1,
        };
        let len = (spec.rows as u64).saturating_mul(spec.cols as u64);
        // Of smaller weights a transposed copy may be kept.
        let copies =
            if spec.role == Role::Parameter && len < crate::cpu::product::FAR as u64 { 2 } else { 1 };
        sum.saturating_add(len.saturating_mul(each).saturating_mul(copies))
    });
    let panels = if precision == Precision::F64 {
        Store::<f64>::panels(program)
    } else {
        Store::<f32>::panels(program)
    };
    let bytes = bytes.saturating_add(panels);
    let mut room: Vec<u8> = Vec::new();
    let fits = usize::try_from(bytes).is_ok_and(|bytes| room.try_reserve_exact(bytes).is_ok());
    // A compiler may leave out an allocation that nobody looks at.
    std::hint::black_box(&room);
    if fits { Ok(()) } else { Err(EngineError::Memory { bytes }) }
}

fn fill<T: Real>(to: &mut [T], from: &[f64]) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to = T::of(from);
    }
}

fn run_cpu<T: Real>(model: &Model, store: &mut Store<T>, work: &[Work]) -> Snapshot {
    let l = &model.layout;
    store.clear(l.solver);
    store.words_mut(l.status).fill(cpu::status::FINE);
    let work: Vec<_> = work.iter().map(|w| (w.plan, &w.controls[..])).collect();
    cpu::run(&model.program, store, l.status, &work);
    let real = |buf: Buf| store.get(buf).iter().map(|v| v.f64()).collect();
    Snapshot { record: real(l.record), solver: real(l.solver), status: store.words(l.status).to_vec() }
}

#[cfg(test)]
#[allow(clippy::expect_used, clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::dynamics::{Features, Settings};
    use crate::network::{Activation, InputMode, Network, Population, expand};

    /// No machine has 2⁴⁰ trajectories' worth of memory: an error, and not the end of the program.
    #[test]
    fn more_memory_than_there_is_is_refused() {
        let population =
            |name: &str| Population { name: name.into(), size: 4, bias_factor: 1.0, bias_clip: None };
        let network = Network {
            populations: vec![population("in"), population("out")],
            projections: expand(2, &[]),
            activation: Activation::Linear,
            input: InputMode::Clamped,
            microcircuit: None,
        };
        for precision in [Precision::F32, Precision::F64] {
            let new = |batch| {
                let features = Features::samples(false);
                let model = Model::new(network.clone(), Settings::default(), batch, features).unwrap();
                Engine::new(Arc::new(model), &Device::Cpu(precision)).err()
            };
            let error = new(1 << 40).expect("refused");
            assert!(matches!(error, EngineError::Memory { .. }), "{error}");
            assert!(new(3).is_none());
        }
    }
}
