//! Storage of the CPU executor.

use super::{Real, status};
use crate::plan::{Buf, Elem, Program, Role};

/// Holds every buffer of a program.
#[derive(Debug)]
pub struct Store<T> {
    real: Vec<Vec<T>>,
    byte: Vec<Vec<u8>>,
    word: Vec<Vec<u32>>,
    cols: Vec<usize>,
    batch: usize,
    neurons: usize,
    room: Vec<T>,
    room2: Vec<T>,
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
        let mut store = Self {
            real: all.clone().map(|i| vec![T::ZERO; len(Elem::Real, i)]).collect(),
            byte: all.clone().map(|i| vec![0; len(Elem::Byte, i)]).collect(),
            word: all.map(|i| vec![status::FINE; len(Elem::Word, i)]).collect(),
            cols: program.buffers.iter().map(|b| b.cols).collect(),
            batch: program.batch,
            neurons,
            room: Vec::new(),
            room2: Vec::new(),
        };
        for (spec, data) in program.buffers.iter().zip(&mut store.real) {
            if spec.role == Role::Stimulus && spec.name == "active" {
                data.fill(T::ONE);
            }
        }
        store
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
    /// Columns of a buffer.
    #[must_use]
    pub fn cols(&self, buf: Buf) -> usize {
        self.cols[buf.0 as usize]
    }
    /// Elements of a buffer.
    #[must_use]
    pub fn get(&self, buf: Buf) -> &[T] {
        &self.real[buf.0 as usize]
    }
    /// Elements of a buffer, to be changed.
    pub fn get_mut(&mut self, buf: Buf) -> &mut [T] {
        &mut self.real[buf.0 as usize]
    }
    /// Bytes of a buffer.
    #[must_use]
    pub fn bytes(&self, buf: Buf) -> &[u8] {
        &self.byte[buf.0 as usize]
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

    /// Moves a buffer out, so that a kernel can write it while it reads others; [`Store::put`] brings it back.
    pub(super) fn take(&mut self, buf: Buf) -> Vec<T> {
        std::mem::take(&mut self.real[buf.0 as usize])
    }
    /// Brings a buffer back.
    pub(super) fn put(&mut self, buf: Buf, data: Vec<T>) {
        self.real[buf.0 as usize] = data;
    }
    pub(super) fn take_words(&mut self, buf: Buf) -> Vec<u32> {
        std::mem::take(&mut self.word[buf.0 as usize])
    }
    pub(super) fn put_words(&mut self, buf: Buf, data: Vec<u32>) {
        self.word[buf.0 as usize] = data;
    }

    /// Scratch of at least `len` elements, kept between calls; its content is arbitrary.
    pub(super) fn take_room(&mut self, len: usize) -> Vec<T> {
        let mut room = std::mem::take(&mut self.room);
        room.resize(len, T::ZERO);
        room
    }
    pub(super) fn put_room(&mut self, room: Vec<T>) {
        self.room = room;
    }
    /// A second scratch, for gathered operands.
    pub(super) fn take_operand(&mut self, len: usize) -> Vec<T> {
        let mut room = std::mem::take(&mut self.room2);
        room.resize(len, T::ZERO);
        room
    }
    pub(super) fn put_operand(&mut self, room: Vec<T>) {
        self.room2 = room;
    }
}
