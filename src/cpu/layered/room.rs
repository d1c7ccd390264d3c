//! The memory of the panels of a layered network: one block, made once, that the threads of a run share.

use std::ops::Range;

pub(super) use super::map::{DIFFERENCES, Field, Input, Map, Output, Rows, SINGLES, lane};
use super::map::{LINE, Line, OVERLAPS};
use crate::cpu::Real;
use crate::cpu::sweep::Block;
use crate::plan::{Layered, PlanId};

/// The memory of the panels.
#[derive(Debug)]
pub(in crate::cpu) struct Room<T> {
    data: Vec<Line<T>>,
    words: Vec<u32>,
    map: Map,
    /// A presentation has begun, and none of its steps has run.
    fresh: bool,
}

impl<T: Real> Room<T> {
    /// For so many trajectories, zeroed.
    pub(in crate::cpu) fn new(plan: &Layered, batch: usize) -> Self {
        let map = Map::new::<T>(plan, batch);
        let lanes = map.lanes;
        let data = vec![Line([T::ZERO; LINE]); map.len.div_ceil(LINE)];
        Self { data, words: vec![crate::cpu::status::FINE; 3 * lanes], map, fresh: true }
    }

    /// Bytes that it takes for so many trajectories.
    pub(in crate::cpu) fn bytes(plan: &Layered, batch: usize) -> u64 {
        (Map::new::<T>(plan, batch).len * size_of::<T>()) as u64
    }

    /// Bytes that it takes.
    pub(in crate::cpu) fn allocated(&self) -> u64 {
        (self.data.len() * size_of::<Line<T>>()) as u64
    }

    /// The room as the threads of a run see it.
    pub(in crate::cpu) fn ground(&mut self) -> Ground<'_, T> {
        let (data, words) = (self.data.as_mut_ptr().cast(), self.words.as_mut_ptr());
        Ground { data, words, map: &self.map, fresh: self.fresh, own: 0, home: 0 }
    }

    /// After a run of these plans.
    pub(in crate::cpu) fn ran(&mut self, plans: impl Iterator<Item = PlanId>) {
        for plan in plans {
            self.fresh = (self.fresh || plan == PlanId::ResidentStart) && plan != PlanId::ResidentStep;
        }
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
    /// The next step is the first one of a presentation.
    pub(in crate::cpu) fresh: bool,
    /// From the weights of the first thread to those of this one.
    own: usize,
    /// First trajectory of this thread.
    home: usize,
}

// SAFETY: threads write the panels of their own trajectories, and their own rows of weights or weights of their own; between two meetings nobody
// reads what another one writes.
unsafe impl<T: Send> Send for Ground<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Ground<'_, T> {}

/// Slices of the room, within its bounds. All are disjoint for different arrays, panels and rows. Those of one thread's own panels and rows are lent
/// to be written, and never two of the same at a time; what several threads read between two meetings is lent by the methods that begin with
/// `see`, and nobody writes it meanwhile.
#[allow(clippy::mut_from_ref)]
impl<'a, T: Real> Ground<'a, T> {
    /// Whether each trajectory is a panel of its own, of one thread.
    pub(in crate::cpu) fn single(&self) -> bool {
        self.map.single
    }

    /// As a thread sees it whose trajectories begin so.
    pub(super) fn of_thread(self, thread: usize, home: usize) -> Self {
        Self { own: thread * self.map.own, home, ..self }
    }

    /// Most threads that have a panel.
    pub(in crate::cpu) fn most(&self) -> usize {
        self.map.packs.as_ref().map_or(self.map.lanes.div_ceil(T::GROUP), |packs| packs.along)
    }

    /// First trajectory of this thread.
    pub(super) fn home(&self) -> usize {
        self.home
    }

    /// Tiles of an operand, of which threads write their own and read those of all: a place, not a slice; see [`super::short`].
    pub(super) fn tiles(&self, at: usize, len: usize) -> *mut T {
        assert!(at + len <= self.map.len, "tiles of the room");
        self.data.wrapping_add(at)
    }

    fn slice(&self, at: usize, len: usize) -> &'a mut [T] {
        assert!(at + len <= self.map.len, "a slice of the room");
        // SAFETY: within the room; see above.
        unsafe { std::slice::from_raw_parts_mut(self.data.add(at), len) }
    }

    fn look(&self, at: usize, len: usize) -> &'a [T] {
        assert!(at + len <= self.map.len, "a slice of the room");
        // SAFETY: within the room; nobody writes it, see above.
        unsafe { std::slice::from_raw_parts(self.data.add(at), len) }
    }

    /// All rows of a layer, to be read.
    #[inline(always)]
    pub(super) fn see(&self, field: Field, p: Panel, rows: Rows) -> &'a [T] {
        self.look(self.place(field, p, rows), rows.len * p.width)
    }

    /// A field by chunks, to be read; see [`Ground::chunks`].
    #[inline(always)]
    pub(super) fn see_chunks<const C: usize>(&self, field: Field, p: Panel, rows: Rows) -> &'a [[T; C]] {
        let rows = if p.width == 1 { Rows { len: rows.stride(), ..rows } } else { rows };
        self.see(field, p, rows).as_chunks::<C>().0
    }

    /// r̄ of a layer, to be read; see [`Ground::rates`].
    #[inline(always)]
    pub(super) fn see_rates(&self, layer: usize, lanes: Range<usize>) -> &'a [T] {
        let stride = self.map.layers[layer].stride();
        self.look(self.map.rates[layer] + lanes.start * stride, lanes.len() * stride)
    }

    /// Rows of W or Ẇ, to be read; see [`Ground::weights`].
    #[inline(always)]
    pub(super) fn see_weights(&self, which: usize, layer: usize, rows: Range<usize>) -> &'a [T] {
        let stride = self.map.layers[layer - 1].stride();
        self.look(self.own + self.map.weights[layer][which] + rows.start * stride, rows.len() * stride)
    }

    /// Some of b, ḃ or the factors, to be read; see [`Ground::biases`].
    #[inline(always)]
    pub(super) fn see_biases(&self, which: usize, rows: Range<usize>) -> &'a [T] {
        self.look(self.own + self.map.biases + which * self.map.rows + rows.start, rows.len())
    }

    fn place(&self, field: Field, p: Panel, rows: Rows) -> usize {
        // What lives within the solver only is shared by the panels of a thread, which take it up one after another.
        let passing = !self.map.single && matches!(field, Field::Back | Field::Gated | Field::Way);
        let first = if passing { self.home } else { p.first };
        self.map.fields[field as usize] + first * self.map.rows + rows.start * p.width
    }

    /// All rows of a layer.
    #[inline(always)]
    pub(super) fn field(&self, field: Field, p: Panel, rows: Rows) -> &'a mut [T] {
        self.slice(self.place(field, p, rows), rows.len * p.width)
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

    /// A difference of u̇ of the outputs.
    #[inline(always)]
    pub(super) fn difference(&self, k: usize, p: Panel) -> &'a mut [T] {
        let out = self.map.out();
        self.slice(self.map.differences[k] + p.first * out.stride(), out.len * p.width)
    }

    /// The estimate of the inverse of the system of the outputs.
    #[inline(always)]
    pub(super) fn inverse(&self, p: Panel) -> &'a mut [T] {
        let n = self.map.out().len;
        self.slice(self.map.inverses + p.first * n * n, n * n * p.width)
    }

    /// A row of [`lane`].
    #[inline(always)]
    pub(super) fn lane(&self, row: usize, p: Panel) -> &'a mut [T] {
        self.slice(self.map.books + p.first * lane::LEN + row * p.width, p.width)
    }

    /// Status words of a trajectory.
    #[inline(always)]
    pub(super) fn words(&self, lane: usize) -> &'a mut [u32] {
        assert!(lane < self.map.lanes, "a trajectory of the room");
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(self.words.add(3 * lane), 3) }
    }

    /// Overlaps of all trajectories with those of a panel.
    #[inline(always)]
    pub(super) fn overlaps(&self, k: usize, p: Panel) -> &'a mut [T] {
        let lanes = self.map.lanes;
        self.slice(self.map.overlaps + OVERLAPS * lanes * p.first + k * lanes * p.width, lanes * p.width)
    }

    /// Overlaps of the present rates with the patterns, for one panel after the other of a thread.
    #[inline(always)]
    pub(super) fn mixed(&self, k: usize, p: Panel) -> &'a mut [T] {
        let lanes = self.map.lanes;
        self.slice(self.map.mixed + 2 * lanes * self.home + k * lanes * p.width, lanes * p.width)
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
        self.slice(self.own + self.map.weights[layer][which] + rows.start * stride, rows.len() * stride)
    }

    /// W into a layer where trajectories are panels of their own.
    pub(super) fn block(&self, layer: usize) -> Block<T> {
        let (pre, post) = (self.map.layers[layer - 1], self.map.layers[layer]);
        Block { w: self.blocks(layer).as_mut_ptr(), pre: pre.stride(), post: post.len }
    }

    /// All elements of it.
    pub(super) fn blocks(&self, layer: usize) -> &'a mut [T] {
        let (pre, post) = (self.map.layers[layer - 1].stride(), self.map.layers[layer].stride());
        self.slice(self.map.weights[layer][0], pre * post)
    }

    /// Everything of a panel that is padded.
    pub(super) fn clear(&self, p: Panel) {
        for at in self.map.fields {
            self.slice(at + p.first * self.map.rows, self.map.rows * p.width).fill(T::ZERO);
        }
        let first = self.map.layers[0].stride();
        for at in self.map.inputs {
            self.slice(at + p.first * first, first * p.width).fill(T::ZERO);
        }
    }

    /// Some of b (0), ḃ (1) or the factors (2), by rows of a field.
    #[inline(always)]
    pub(super) fn biases(&self, which: usize, rows: Range<usize>) -> &'a mut [T] {
        self.slice(self.own + self.map.biases + which * self.map.rows + rows.start, rows.len())
    }
}
