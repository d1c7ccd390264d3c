//! Storage of the CPU executor.

use super::layered::{self, Room};
use super::onset::Onset;
use super::product::FAR;
use super::tile::PADDING;
use super::{Real, status};
use crate::engine::Timings;
use crate::kernels::Call;
use crate::plan::{Buf, Elem, Op, PlanId, Program, Role};

/// Trajectories from which on a product with transposed weights, whose rows lie in the order of the results, pays for their copy.
const TRANSPOSE_FROM: usize = 5;

/// Holds every buffer of a program.
#[derive(Debug)]
pub struct Store<T> {
    pub(super) real: Vec<Vec<T>>,
    pub(super) byte: Vec<Vec<u8>>,
    word: Vec<Vec<u32>>,
    pub(super) transposed: Vec<Vec<T>>,
    pub(super) shapes: Vec<Shape>,
    stale: bool,
    pub(super) layered: Option<Room<T>>,
    pub(super) onset: Onset<T>,
    /// Threads that help with runs.
    pub(super) crew: Option<rayon::ThreadPool>,
    /// Whether runs are timed, kernel by kernel.
    pub(crate) watched: bool,
    /// What runs took since somebody asked.
    pub(crate) timings: Timings,
    batch: usize,
    neurons: usize,
}

/// What a lane has to know of a buffer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// Rows.
    pub rows: usize,
    /// Elements of a row.
    pub cols: usize,
    /// Each row belongs to a trajectory.
    pub per_trajectory: bool,
}

impl<T: Real> Store<T> {
    /// Allocates all buffers, zeroed; the mask `active` starts at 1.
    #[must_use]
    pub fn new(program: &Program, neurons: usize) -> Self {
        let len = |elem: Elem, i: usize| {
            let spec = &program.buffers[i];
            if spec.elem == elem { spec.len() } else { 0 }
        };
        let all = 0..program.buffers.len();
        let shape = |i: usize| {
            let spec = &program.buffers[i];
            Shape { rows: spec.rows, cols: spec.cols, per_trajectory: spec.per_trajectory }
        };
        let mut store = Self {
            real: all.clone().map(|i| vec![T::ZERO; len(Elem::Real, i)]).collect(),
            byte: all.clone().map(|i| vec![0; len(Elem::Byte, i)]).collect(),
            word: all.clone().map(|i| vec![status::FINE; len(Elem::Word, i)]).collect(),
            transposed: transposed(program),
            shapes: all.map(shape).collect(),
            stale: true,
            layered: layered::step::<T>(program).map(|plan| Room::new(plan, program.batch)),
            onset: Onset::default(),
            crew: None,
            watched: false,
            timings: Timings::default(),
            batch: program.batch,
            neurons,
        };
        for (spec, data) in program.buffers.iter().zip(&mut store.real) {
            if spec.role == Role::Stimulus && spec.name == "active" {
                data.fill(T::ONE);
            }
        }
        store
    }

    /// Bytes of all buffers, transposed copies and panels included.
    #[must_use]
    pub fn allocated(&self) -> u64 {
        let reals: usize = self.real.iter().chain(&self.transposed).map(Vec::len).sum();
        let words: usize = self.word.iter().map(Vec::len).sum();
        let bytes: usize = self.byte.iter().map(Vec::len).sum();
        let panels = self.layered.as_ref().map_or(0, Room::allocated);
        (reals * size_of::<T>() + words * size_of::<u32>() + bytes) as u64 + panels
    }

    /// Bytes of the panels in which layered networks step as a whole; 0 without such a network.
    #[must_use]
    pub fn panels(program: &Program) -> u64 {
        layered::step::<T>(program).map_or(0, |plan| Room::<T>::bytes(plan, program.batch))
    }

    /// Number of trajectories.
    #[must_use]
    pub fn batch(&self) -> usize {
        self.batch
    }
    /// Number of neurons N.
    #[must_use]
    pub fn neurons(&self) -> usize {
        self.neurons
    }
    /// Elements of a buffer.
    #[must_use]
    pub fn get(&self, buf: Buf) -> &[T] {
        &self.real[buf.0 as usize]
    }
    /// Elements of a buffer, to be changed.
    pub fn get_mut(&mut self, buf: Buf) -> &mut [T] {
        self.stale |= !self.transposed[buf.0 as usize].is_empty();
        self.onset.forget();
        &mut self.real[buf.0 as usize]
    }
    /// Sets a buffer to 0 that neither weights nor what is known of them depends on, so that this is not forgotten.
    pub fn clear(&mut self, buf: Buf) {
        self.real[buf.0 as usize].fill(T::ZERO);
    }
    /// Bytes of a buffer, to be changed.
    pub fn bytes_mut(&mut self, buf: Buf) -> &mut [u8] {
        &mut self.byte[buf.0 as usize]
    }
    /// Words of a buffer.
    #[must_use]
    pub fn words(&self, buf: Buf) -> &[u32] {
        &self.word[buf.0 as usize]
    }
    /// Words of a buffer, to be changed.
    pub fn words_mut(&mut self, buf: Buf) -> &mut [u32] {
        &mut self.word[buf.0 as usize]
    }

    /// Brings the transposed weights up to date with what the host wrote.
    pub(super) fn refresh(&mut self) {
        if !std::mem::take(&mut self.stale) {
            return;
        }
        for ((from, to), shape) in self.real.iter().zip(&mut self.transposed).zip(&self.shapes) {
            if !to.is_empty() {
                let stride = padded(shape.rows);
                for (i, row) in from.chunks_exact(shape.cols).enumerate() {
                    row.iter().enumerate().for_each(|(j, &w)| to[j * stride + i] = w);
                }
            }
        }
    }
}

/// Row length of transposed weights.
pub(super) fn padded(posts: usize) -> usize {
    posts.next_multiple_of(PADDING)
}

/// Room for `Wᵀ` of all weights that a time step multiplies trajectories with. Not of Ẇ, which changes as often as it is used,
/// nor of resident weights, which a step does not touch: the few plans that do read them where they lie.
fn transposed<T: Real>(program: &Program) -> Vec<Vec<T>> {
    let mut used = vec![0; program.buffers.len()];
    // Small networks multiply with Wᵀ as it lies in W.
    if program.batch >= TRANSPOSE_FROM && program.small.is_none() {
        let resident = program.plan(PlanId::ResidentStep);
        let step = if resident.ops.is_empty() { program.plan(PlanId::Step) } else { resident };
        for op in &step.ops {
            mark(op, program, &mut used);
        }
        for call in step.ops.iter().filter_map(Op::as_call) {
            if let Call::WeightRate(a) = call {
                used[a.w_dot.0 as usize] = 0;
            }
        }
    }
    used.into_iter().map(|len| vec![T::ZERO; len]).collect()
}

fn mark(op: &Op, program: &Program, used: &mut [usize]) {
    match op {
        Op::Call(Call::Forward(a)) => {
            let spec = program.spec(a.w);
            // Of larger ones no copy is needed: see `turned`. It would take its memory, and time to follow what W learns.
            if spec.len() < FAR {
                used[a.w.0 as usize] = padded(spec.rows) * spec.cols;
            }
        }
        Op::Call(_) => {}
        Op::Loop(body) => body.body.iter().for_each(|op| mark(op, program, used)),
    }
}
