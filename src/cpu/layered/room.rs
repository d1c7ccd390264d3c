//! Where the panels of a layered network are: one block of memory, made once, that the threads of a run share.

use std::ops::Range;

use crate::cpu::Real;
use crate::plan::Layered;

/// `[neuron, trajectory]` of all free populations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// u.
    U,
    /// r̄.
    R,
    /// ρ'.
    D,
    /// δ.
    Delta,
    /// What the backward sweep carries.
    Back,
    /// u̇.
    Rate,
    /// What the forward sweep carries, times ρ'.
    Gated,
    /// A direction of the solver.
    Way,
}

/// Number of fields.
const FIELDS: usize = 8;

/// `[neuron, trajectory]` of the first layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// W r_old.
    OldDrive,
    /// W r_new.
    NewDrive,
    /// What W learns along r_old.
    OldLearned,
    /// What W learns along r_new.
    NewLearned,
    /// Ẇ r_old.
    OldRate,
    /// Ẇ r_new.
    NewRate,
}

/// Number of inputs.
const INPUTS: usize = 6;

/// `[output, trajectory]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Output {
    /// Target before the ramp.
    OldTarget,
    /// Target after the ramp.
    NewTarget,
    /// u*.
    Target,
    /// u̇*.
    TargetRate,
    /// Residual.
    Residual,
    /// Direction.
    Direction,
}

/// Number of outputs.
const OUTPUTS: usize = 6;

/// Numbers of each trajectory: the mask, α, and the books of the solver.
pub(super) mod lane {
    use crate::kernels::solver;
    /// 1 where the trajectory has a sample.
    pub const ACTIVE: usize = solver::LEN;
    /// Step along the direction.
    pub const STEP: usize = solver::LEN + 1;
    /// Number of rows.
    pub const LEN: usize = solver::LEN + 2;
}

/// Overlaps of the patterns: old·old, new·old, old·new, new·new, as `[other trajectory, trajectory]`.
pub(super) const OVERLAPS: usize = 4;

/// Elements of a cache line, for either type.
const LINE: usize = 16;

/// 64 bytes in f32.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Line<T>([T; LINE]);

/// Neurons of a layer in a panel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows {
    /// First row.
    pub start: usize,
    /// Neurons.
    pub len: usize,
}

impl Rows {
    /// Row length of matrices with a column for each of these neurons.
    pub(super) fn stride(self) -> usize {
        self.len.next_multiple_of(LINE)
    }
}

/// Sizes, and the first element of everything.
#[derive(Clone, Debug)]
pub(super) struct Map {
    /// Trajectories, a multiple of a group; 1 of a single one.
    pub lanes: usize,
    /// Rows of the layers.
    pub layers: Vec<Rows>,
    /// Rows of a field.
    pub rows: usize,
    fields: [usize; FIELDS],
    inputs: [usize; INPUTS],
    outputs: [usize; OUTPUTS],
    books: usize,
    overlaps: usize,
    mixed: usize,
    /// r̄ of each layer, `[trajectory, neuron]`.
    rates: Vec<usize>,
    /// W, its successor and Ẇ of each layer.
    weights: Vec<[usize; 3]>,
    /// b, ḃ and the factors.
    biases: usize,
    len: usize,
}

impl Map {
    fn new(plan: &Layered, lanes: usize) -> Self {
        let mut len = 0;
        let mut place = |size: usize| {
            let at = len;
            // Arrays that begin at the same place of a page would meet in the cache.
            len += size.next_multiple_of(LINE) + 5 * LINE;
            at
        };
        let mut rows = 0;
        let layers: Vec<Rows> = plan
            .layers
            .iter()
            .map(|layer| {
                let start = rows;
                rows += layer.cols.len.next_multiple_of(LINE);
                Rows { start, len: layer.cols.len }
            })
            .collect();
        let first = layers.first().map_or(0, |l| l.stride());
        let out = layers.last().map_or(0, |l| l.stride());
        let pre = |l: usize| if l == 0 { 0 } else { layers[l - 1].stride() };
        let n_layers = layers.len();
        let map = Self {
            lanes,
            rows,
            fields: std::array::from_fn(|_| place(rows * lanes)),
            inputs: std::array::from_fn(|_| place(first * lanes)),
            outputs: std::array::from_fn(|_| place(out * lanes)),
            books: place(lane::LEN * lanes),
            overlaps: place(OVERLAPS * lanes * lanes),
            mixed: place(2 * lanes * lanes),
            rates: (0..n_layers).map(|l| place(layers[l].stride() * lanes)).collect(),
            weights: (0..n_layers)
                .map(|l| std::array::from_fn(|_| place(layers[l].stride() * pre(l))))
                .collect(),
            biases: place(3 * rows),
            len: 0,
            layers,
        };
        Self { len, ..map }
    }

    pub(super) fn out(&self) -> Rows {
        self.layers[self.layers.len() - 1]
    }
}

/// The memory of the panels.
#[derive(Debug)]
pub(in crate::cpu) struct Room<T> {
    data: Vec<Line<T>>,
    words: Vec<u32>,
    map: Map,
}

impl<T: Real> Room<T> {
    /// For so many trajectories, zeroed.
    pub(in crate::cpu) fn new(plan: &Layered, batch: usize) -> Self {
        let map = Map::new(plan, Self::lanes(batch));
        let lanes = map.lanes;
        let data = vec![Line([T::ZERO; LINE]); map.len.div_ceil(LINE)];
        Self { data, words: vec![crate::cpu::status::FINE; 3 * lanes], map }
    }

    fn lanes(batch: usize) -> usize {
        if batch == 1 { 1 } else { batch.next_multiple_of(T::GROUP) }
    }

    /// Bytes that it takes for so many trajectories.
    pub(in crate::cpu) fn bytes(plan: &Layered, batch: usize) -> u64 {
        (Map::new(plan, Self::lanes(batch)).len * size_of::<T>()) as u64
    }

    /// Bytes that it takes.
    pub(in crate::cpu) fn allocated(&self) -> u64 {
        (self.data.len() * size_of::<Line<T>>()) as u64
    }

    /// The room as the threads of a run see it.
    pub(in crate::cpu) fn ground(&mut self) -> Ground<'_, T> {
        let (data, words) = (self.data.as_mut_ptr().cast(), self.words.as_mut_ptr());
        Ground { data, words, map: &self.map }
    }
}

/// Some groups of trajectories of one thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Panel {
    /// First trajectory.
    pub first: usize,
    /// Trajectories.
    pub width: usize,
}

/// A room, shared.
#[derive(Clone, Copy, Debug)]
pub(in crate::cpu) struct Ground<'a, T> {
    data: *mut T,
    words: *mut u32,
    pub(super) map: &'a Map,
}

// SAFETY: threads write the panels of their own trajectories and their own rows of weights; between two meetings nobody reads what
// another one writes.
unsafe impl<T: Send> Send for Ground<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Ground<'_, T> {}

/// Slices of the room. All are disjoint for different arrays, panels and rows; the caller takes none twice at a time to write it, nor one that
/// another thread writes.
#[allow(clippy::mut_from_ref)]
impl<'a, T: Real> Ground<'a, T> {
    /// Groups of trajectories.
    pub(in crate::cpu) fn groups(&self) -> usize {
        self.map.lanes.div_ceil(T::GROUP)
    }

    fn slice(&self, at: usize, len: usize) -> &'a mut [T] {
        debug_assert!(at + len <= self.map.len);
        // SAFETY: within the room; see above.
        unsafe { std::slice::from_raw_parts_mut(self.data.add(at), len) }
    }

    /// All rows of a layer.
    #[inline(always)]
    pub(super) fn field(&self, field: Field, p: Panel, rows: Rows) -> &'a mut [T] {
        let at = self.map.fields[field as usize] + p.first * self.map.rows + rows.start * p.width;
        self.slice(at, rows.len * p.width)
    }

    /// A field by chunks; of a single trajectory of neurons, with those that fill the last line.
    #[inline(always)]
    pub(super) fn chunks<const C: usize>(&self, field: Field, p: Panel, rows: Rows) -> &'a mut [[T; C]] {
        let rows = if p.width == 1 { Rows { len: rows.stride(), ..rows } } else { rows };
        self.field(field, p, rows).as_chunks_mut::<C>().0
    }

    /// Likewise.
    #[inline(always)]
    pub(super) fn input_chunks<const C: usize>(&self, input: Input, p: Panel) -> &'a mut [[T; C]] {
        let first = self.map.layers[0];
        let rows = if p.width == 1 { first.stride() } else { first.len };
        self.slice(self.map.inputs[input as usize] + p.first * first.stride(), rows * p.width)
            .as_chunks_mut::<C>()
            .0
    }

    #[inline(always)]
    pub(super) fn input(&self, input: Input, p: Panel) -> &'a mut [T] {
        let first = self.map.layers[0];
        self.slice(self.map.inputs[input as usize] + p.first * first.stride(), first.len * p.width)
    }

    #[inline(always)]
    pub(super) fn output(&self, output: Output, p: Panel) -> &'a mut [T] {
        let out = self.map.out();
        self.slice(self.map.outputs[output as usize] + p.first * out.stride(), out.len * p.width)
    }

    /// A row of [`lane`].
    #[inline(always)]
    pub(super) fn lane(&self, row: usize, p: Panel) -> &'a mut [T] {
        self.slice(self.map.books + p.first * lane::LEN + row * p.width, p.width)
    }

    /// Status words of a trajectory.
    #[inline(always)]
    pub(super) fn words(&self, lane: usize) -> &'a mut [u32] {
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(self.words.add(3 * lane), 3) }
    }

    /// Overlaps of all trajectories with those of a panel.
    #[inline(always)]
    pub(super) fn overlaps(&self, k: usize, p: Panel) -> &'a mut [T] {
        let lanes = self.map.lanes;
        self.slice(self.map.overlaps + OVERLAPS * lanes * p.first + k * lanes * p.width, lanes * p.width)
    }

    /// Overlaps of the present rates with the patterns, for one panel after the other of a thread, whose first trajectory is given.
    #[inline(always)]
    pub(super) fn mixed(&self, k: usize, first: usize, p: Panel) -> &'a mut [T] {
        let lanes = self.map.lanes;
        self.slice(self.map.mixed + 2 * lanes * first + k * lanes * p.width, lanes * p.width)
    }

    /// r̄ of a layer, `[trajectory, neuron]` with a row stride of [`Rows::stride`].
    #[inline(always)]
    pub(super) fn rates(&self, layer: usize, lanes: Range<usize>) -> &'a mut [T] {
        let stride = self.map.layers[layer].stride();
        self.slice(self.map.rates[layer] + lanes.start * stride, lanes.len() * stride)
    }

    /// Rows of W (0 or 1) or Ẇ (2) into a layer.
    #[inline(always)]
    pub(super) fn weights(&self, which: usize, layer: usize, rows: Range<usize>) -> &'a mut [T] {
        let stride = self.map.layers[layer - 1].stride();
        self.slice(self.map.weights[layer][which] + rows.start * stride, rows.len() * stride)
    }

    /// Some of b (0), ḃ (1) or the factors (2), by rows of a field.
    #[inline(always)]
    pub(super) fn biases(&self, which: usize, rows: Range<usize>) -> &'a mut [T] {
        self.slice(self.map.biases + which * self.map.rows + rows.start, rows.len())
    }
}
