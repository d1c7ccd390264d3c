//! What a kernel has taken from its lane.

use std::ops::{Deref, DerefMut};

/// A buffer, or a lane's part of it, taken to be written.
#[derive(Debug)]
pub struct Taken<T> {
    pub(super) data: *mut T,
    pub(super) len: usize,
}

impl<T> Default for Taken<T> {
    fn default() -> Self {
        Self { data: std::ptr::NonNull::dangling().as_ptr(), len: 0 }
    }
}

impl<T> Deref for Taken<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        // SAFETY: the rows belong to this lane alone until the buffer is put back: `super::Lane::get` gives nothing of a taken buffer.
        unsafe { std::slice::from_raw_parts(self.data, self.len) }
    }
}

impl<T> DerefMut for Taken<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(self.data, self.len) }
    }
}
