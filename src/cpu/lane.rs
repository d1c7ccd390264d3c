//! A lane: a group of trajectories, and the view of the storage that a kernel has when it works on them.
//!
//! Trajectories are independent between two changes of the weights, so each lane runs whole stretches of a plan on trajectories
//! of its own. In a lane the rows of other trajectories do not exist: kernels are written as if there were one.

mod taken;

use std::marker::PhantomData;
use std::ops::Range;

pub use taken::Taken;

use super::onset::Onset;
use super::store::{Shape, Store, padded};
use super::watch::Booking;
use super::{Real, status};
use crate::plan::{Buf, Elem, Program};

/// A buffer as the lanes share it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot<T> {
    data: *mut T,
    len: usize,
    shape: Shape,
    transposed: *mut T,
    transposed_len: usize,
    /// A copy of its thread alone, which writes all of it.
    private: bool,
}

// SAFETY: only addresses; what lanes do with them is said at `Shared`.
unsafe impl<T: Send> Sync for Slot<T> {}

/// The storage, lent to the lanes of a run.
#[derive(Debug)]
pub(super) struct Shared<'a, T> {
    slots: Vec<Slot<T>>,
    bytes: &'a [Vec<u8>],
    pub(super) batch: usize,
    pub(super) neurons: usize,
    watched: bool,
    store: PhantomData<&'a mut Store<T>>,
}

// SAFETY: lanes write disjoint rows between two barriers, and read what others write only after one: see `team`.
unsafe impl<T: Send> Send for Shared<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Shared<'_, T> {}

impl<'a, T: Real> Shared<'a, T> {
    pub(super) fn new(store: &'a mut Store<T>) -> Self {
        let (batch, neurons) = (store.batch(), store.neurons());
        let slots = store
            .real
            .iter_mut()
            .zip(&mut store.transposed)
            .zip(&store.shapes)
            .map(|((data, transposed), &shape)| Slot {
                data: data.as_mut_ptr(),
                len: data.len(),
                shape,
                transposed: transposed.as_mut_ptr(),
                transposed_len: transposed.len(),
                private: false,
            })
            .collect();
        Self { slots, bytes: &store.byte, batch, neurons, watched: store.watched, store: PhantomData }
    }

    /// Copies of some buffers for one thread; the first thread works on the storage itself.
    pub(super) fn copies(&self, private: &[bool], thread: usize) -> Vec<Copy<T>> {
        let copy = |(slot, &private): (&Slot<T>, &bool)| {
            if !private || thread == 0 {
                return Copy::default();
            }
            // SAFETY: no lane writes before all threads have met.
            unsafe {
                Copy {
                    data: std::slice::from_raw_parts(slot.data, slot.len).to_vec(),
                    transposed: std::slice::from_raw_parts(slot.transposed, slot.transposed_len).to_vec(),
                }
            }
        };
        self.slots.iter().zip(private).map(copy).collect()
    }

    /// The buffers as a thread with these copies sees them.
    pub(super) fn slots(&self, private: &[bool], copies: &mut [Copy<T>]) -> Vec<Slot<T>> {
        let own = |((slot, &private), copy): ((&Slot<T>, &bool), &mut Copy<T>)| {
            let mut slot = Slot { private, ..*slot };
            if !copy.data.is_empty() {
                slot.data = copy.data.as_mut_ptr();
            }
            if !copy.transposed.is_empty() {
                slot.transposed = copy.transposed.as_mut_ptr();
            }
            slot
        };
        self.slots.iter().zip(private).zip(copies).map(own).collect()
    }
}

/// A thread's copy of a buffer; empty where it has none.
#[derive(Debug, Default)]
pub(super) struct Copy<T> {
    data: Vec<T>,
    transposed: Vec<T>,
}

/// What a kernel sees: some trajectories, and what all share.
#[derive(Debug)]
pub struct Lane<'a, T> {
    shared: &'a Shared<'a, T>,
    slots: &'a [Slot<T>],
    rows: Range<usize>,
    index: usize,
    count: usize,
    taken: Vec<bool>,
    words: Vec<Vec<u32>>,
    rooms: Rooms<T>,
    /// What a single trajectory knows of its resident weights.
    pub(super) onset: Onset<T>,
    /// Where the run is watched.
    pub(super) booking: Option<Booking<'a>>,
}

/// Scratch that the lanes of a thread use in turn.
#[derive(Debug, Default)]
pub(super) struct Rooms<T> {
    room: Vec<T>,
    operand: Vec<T>,
}

impl<'a, T: Real> Lane<'a, T> {
    pub(super) fn new(
        shared: &'a Shared<'a, T>,
        slots: &'a [Slot<T>],
        program: &'a Program,
        (index, count): (usize, usize),
    ) -> Self {
        let first = |i: usize| i * shared.batch / count;
        let rows = first(index)..first(index + 1);
        let words = program
            .buffers
            .iter()
            .map(|b| if b.elem == Elem::Word { vec![status::FINE; b.rows * rows.len()] } else { Vec::new() });
        Self {
            words: words.collect(),
            booking: shared.watched.then(|| Booking::new(program, rows.len())),
            taken: vec![false; slots.len()],
            shared,
            slots,
            rows,
            index,
            count,
            rooms: Rooms { room: Vec::new(), operand: Vec::new() },
            onset: Onset::default(),
        }
    }

    fn slot(&self, buf: Buf) -> &'a Slot<T> {
        &self.slots[buf.0 as usize]
    }

    /// Number of trajectories of this lane.
    #[must_use]
    pub fn batch(&self) -> usize {
        self.rows.len()
    }
    /// Trajectories of all lanes.
    #[must_use]
    pub fn whole_batch(&self) -> usize {
        self.shared.batch
    }
    /// The trajectories of this lane.
    #[must_use]
    pub fn rows(&self) -> Range<usize> {
        self.rows.clone()
    }
    /// Whether there is no other lane.
    #[must_use]
    pub fn alone(&self) -> bool {
        self.count == 1
    }
    /// Number of neurons N.
    #[must_use]
    pub fn neurons(&self) -> usize {
        self.shared.neurons
    }
    /// Columns of a buffer.
    #[must_use]
    pub fn cols(&self, buf: Buf) -> usize {
        self.slot(buf).shape.cols
    }
    /// This lane's share of `count` parts of a buffer that all lanes work on together; all of them where it has a copy.
    fn share(&self, buf: Buf, count: usize) -> Range<usize> {
        if self.slot(buf).private {
            return 0..count;
        }
        self.index * count / self.count..(self.index + 1) * count / self.count
    }

    /// Elements of a buffer: those of this lane's trajectories, or all of what is shared. Nothing while it is taken.
    #[must_use]
    pub fn get(&self, buf: Buf) -> &'a [T] {
        if self.taken[buf.0 as usize] {
            return &[];
        }
        let (at, len) = self.part(buf);
        // SAFETY: no other lane writes these rows; this one has not taken them.
        unsafe { std::slice::from_raw_parts(at, len) }
    }

    fn part(&self, buf: Buf) -> (*mut T, usize) {
        let slot = self.slot(buf);
        if !slot.shape.per_trajectory || slot.len == 0 {
            return (slot.data, slot.len);
        }
        let cols = slot.shape.cols;
        // SAFETY: a buffer of trajectories has a row for each.
        (unsafe { slot.data.add(self.rows.start * cols) }, self.rows.len() * cols)
    }

    /// Elements of all trajectories; only for kernels that all lanes run together.
    #[must_use]
    pub(super) fn whole(&self, buf: Buf) -> &'a [T] {
        let slot = self.slot(buf);
        // SAFETY: between the barriers around such a kernel nobody writes what it reads.
        unsafe { std::slice::from_raw_parts(slot.data, slot.len) }
    }

    /// Elements of a buffer, to be written.
    ///
    /// # Safety
    /// Nobody else may read or write them before the threads meet.
    #[allow(clippy::mut_from_ref)]
    pub(super) unsafe fn raw(&self, buf: Buf, at: usize, len: usize) -> &'a mut [T] {
        let slot = self.slot(buf);
        assert!(at + len <= slot.len, "within the buffer");
        // SAFETY: vouched for by the caller.
        unsafe { std::slice::from_raw_parts_mut(slot.data.add(at), len) }
    }

    /// `Wᵀ`, rows padded to [`padded`]; empty where none is kept.
    #[must_use]
    pub(super) fn transposed(&self, buf: Buf) -> &'a [T] {
        let slot = self.slot(buf);
        // SAFETY: written only between meetings, by `Lane::follow` and through `Lane::take_transposed`.
        unsafe { std::slice::from_raw_parts(slot.transposed, slot.transposed_len) }
    }

    /// Whether there are transposed weights; others may be writing them.
    pub(super) fn has_transposed(&self, buf: Buf) -> bool {
        self.slot(buf).transposed_len > 0
    }

    /// Bytes of a buffer.
    #[must_use]
    pub fn bytes(&self, buf: Buf) -> &'a [u8] {
        let all = &self.shared.bytes[buf.0 as usize];
        let Shape { cols, per_trajectory, .. } = self.slot(buf).shape;
        if per_trajectory { &all[self.rows.start * cols..self.rows.end * cols] } else { all }
    }

    /// Takes a buffer of trajectories, so that a kernel can write it while it reads others; [`Lane::put`] brings it back.
    pub fn take(&mut self, buf: Buf) -> Taken<T> {
        let slot = self.slot(buf);
        assert!(
            slot.shape.per_trajectory && !self.taken[buf.0 as usize],
            "a buffer of this lane, taken once"
        );
        self.taken[buf.0 as usize] = true;
        let (data, len) = self.part(buf);
        Taken { data, len }
    }

    /// Whether a shared buffer is a single row that lanes share by columns.
    pub(super) fn is_row(&self, buf: Buf) -> bool {
        self.slot(buf).shape.rows == 1 && self.slot(buf).transposed_len == 0
    }

    /// Takes this lane's share of the rows of a buffer that all lanes share.
    pub(super) fn take_rows(&mut self, buf: Buf) -> (Taken<T>, Range<usize>) {
        let Shape { rows, cols, .. } = self.slot(buf).shape;
        self.take_share(buf, self.share(buf, rows), cols)
    }

    /// Takes this lane's share of the columns of a single row that all lanes share.
    pub(super) fn take_cols(&mut self, buf: Buf) -> (Taken<T>, Range<usize>) {
        let cols = self.slot(buf).shape.cols;
        self.take_share(buf, self.share(buf, cols), 1)
    }

    /// Takes all of a buffer that all lanes share, to be written by one of them, or by each thread in its copy; `None` for the others.
    pub(super) fn take_all(&mut self, buf: Buf) -> Option<Taken<T>> {
        let rows = self.slot(buf).shape.rows;
        if self.slot(buf).private || self.index == 0 {
            return Some(self.take_share(buf, 0..rows, self.slot(buf).shape.cols).0);
        }
        None
    }

    fn take_share(&mut self, buf: Buf, range: Range<usize>, unit: usize) -> (Taken<T>, Range<usize>) {
        let slot = self.slot(buf);
        assert!(!slot.shape.per_trajectory && !self.taken[buf.0 as usize], "a shared buffer, taken once");
        self.taken[buf.0 as usize] = true;
        // SAFETY: the share lies within the buffer; the lanes' shares are disjoint.
        let data = unsafe { slot.data.add(range.start * unit) };
        (Taken { data, len: range.len() * unit }, range)
    }

    /// Takes `Wᵀ` and its row length; `None` where none is kept, or where other lanes write columns of it.
    pub(super) fn take_transposed(&mut self, buf: Buf) -> Option<(Taken<T>, usize)> {
        let slot = self.slot(buf);
        let own = slot.transposed_len > 0 && (slot.private || self.alone());
        own.then(|| (Taken { data: slot.transposed, len: slot.transposed_len }, padded(slot.shape.rows)))
    }

    /// Brings some rows of a matrix, just written by this lane, into its transposed copy, if there is one.
    pub(super) fn follow(&mut self, buf: Buf, rows: Range<usize>) {
        let slot = self.slot(buf);
        if slot.transposed_len == 0 {
            return;
        }
        let (cols, stride) = (slot.shape.cols, padded(slot.shape.rows));
        for at in (0..cols).step_by(BLOCK) {
            for row in rows.clone().step_by(BLOCK) {
                for j in at..cols.min(at + BLOCK) {
                    for i in row..rows.end.min(row + BLOCK) {
                        // SAFETY: (i, j) is an element of the matrix, (j, i) of the copy; these rows are this lane's.
                        unsafe { *slot.transposed.add(j * stride + i) = *slot.data.add(i * cols + j) };
                    }
                }
            }
        }
    }

    /// Brings a buffer back.
    pub fn put(&mut self, buf: Buf, _: Taken<T>) {
        self.taken[buf.0 as usize] = false;
    }
    /// The words of this lane's trajectories, `[rows, batch]` of the lane.
    pub(super) fn take_words(&mut self, buf: Buf) -> Vec<u32> {
        std::mem::take(&mut self.words[buf.0 as usize])
    }
    pub(super) fn put_words(&mut self, buf: Buf, data: Vec<u32>) {
        self.words[buf.0 as usize] = data;
    }

    /// Lends this lane the scratch of its thread, or takes it back.
    pub(super) fn swap_rooms(&mut self, rooms: &mut Rooms<T>) {
        std::mem::swap(&mut self.rooms, rooms);
    }

    /// Scratch of at least `len` elements, kept between calls; its content is arbitrary.
    pub(super) fn take_room(&mut self, len: usize) -> Vec<T> {
        let mut room = std::mem::take(&mut self.rooms.room);
        if room.len() < len {
            room.resize(len, T::ZERO);
        }
        room
    }
    pub(super) fn put_room(&mut self, room: Vec<T>) {
        self.rooms.room = room;
    }
    /// A second scratch, for gathered operands.
    pub(super) fn take_operand(&mut self, len: usize) -> Vec<T> {
        let mut room = std::mem::take(&mut self.rooms.operand);
        if room.len() < len {
            room.resize(len, T::ZERO);
        }
        room
    }
    pub(super) fn put_operand(&mut self, room: Vec<T>) {
        self.rooms.operand = room;
    }
}

/// Rows and columns of a transposed block.
const BLOCK: usize = 16;
