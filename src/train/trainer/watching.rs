//! A trainer whose kernels are timed.

use super::Trainer;
use crate::engine::Watch;
use crate::train::{Profile, TrainError};

impl Trainer<'_> {
    /// Times each kernel from now on, which takes time of its own.
    ///
    /// # Errors
    /// If the device is lost.
    pub fn watch_kernels(&mut self) -> Result<(), TrainError> {
        self.engine.watch(Watch::Kernels)?;
        self.watched_s = Some(0.0);
        Ok(())
    }

    /// Where the time went since [`Trainer::watch_kernels`]; `None` where that was not called. Tests and validation have engines of their own,
    /// which are not watched.
    pub fn profile(&mut self) -> Option<Profile> {
        let wall_s = self.watched_s?;
        let timings = self.engine.timings();
        Some(Profile::new(self.device.clone(), self.engine.precision(), wall_s, timings))
    }
}
