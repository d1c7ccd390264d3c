//! Which tiles matrix products have on an adapter: measured on the program's own calls, chosen, and remembered.
//!
//! | part | what it holds |
//! | --- | --- |
//! | [`Request`] | what the user asks for |
//! | [`Rehearsal`] | a model and the work of a presentation, which is timed with each profile |
//! | [`choose()`] | from times to a profile: the default of the adapter's class unless another is clearly faster |
//! | [`Key`], [`Cache`] | choices of earlier processes: adapter, driver, program and shapes have to be the same |
//! | [`Tuner`] | all of it |
//!
//! A profile also decides how many invocations share the sums over neurons, so whole time steps are timed, not products alone. Every profile sums
//! products in ascending order with one accumulator; results differ by the rounding of the other sums, and by what a compiler contracts. A run
//! therefore keeps its profile: checkpoints know it.

mod cache;
mod choice;
mod key;
mod measure;

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

pub use cache::{Cache, CacheError, Entry, VARIABLE};
pub use choice::{MARGIN, Request, allowed, choose};
pub use key::{Key, shapes};

use crate::dynamics::Model;
use crate::engine::Work;
use crate::gpu::{Device, Profile, TilesBy};

/// What is timed: a model, and the plans that a presentation runs with the controls of its steps. Weights, voltages, targets and β are made up: on
/// zeros a solver that ends by itself would have nothing to do.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    /// The model that will run.
    pub model: Arc<Model>,
    /// A presentation, or the beginning of one.
    pub work: Vec<Work>,
}

/// Chooses tiles, and remembers them for this process and the next ones.
#[derive(Debug)]
pub struct Tuner {
    cache: Option<Cache>,
    /// By the name of the file.
    known: RefCell<HashMap<String, (Profile, TilesBy)>>,
}

impl Tuner {
    /// With choices in the cache folder of the user, if the system has one.
    #[must_use]
    pub fn of_user() -> Self {
        Self::new(Cache::of_user())
    }

    /// With choices in this folder; `None`: in this process alone.
    #[must_use]
    pub fn new(cache: Option<Cache>) -> Self {
        Self { cache, known: RefCell::default() }
    }

    /// The device with the tiles that are asked for; `rehearsal` is made only where they are to be measured. Notes as of [`Tuner::tune`].
    ///
    /// # Errors
    /// Those of `rehearsal`.
    pub fn settle<E>(
        &self,
        request: Request,
        device: &Device,
        rehearsal: impl FnOnce() -> Result<Rehearsal, E>,
    ) -> Result<(Device, Vec<String>), E> {
        match request {
            Request::Fixed(profile) => Ok((device.with_tiles(profile, TilesBy::User), Vec::new())),
            _ if request.measures(device.is_software()) => Ok(self.tune(device, &rehearsal()?)),
            _ => Ok((device.with_tiles(device.default_profile(), TilesBy::Class), Vec::new())),
        }
    }

    /// The device with the fastest tiles for what it is to run, and what a user should know: a cache that cannot be used, a measurement that
    /// failed. Neither is an error: the default of the adapter's class is always there.
    #[must_use]
    pub fn tune(&self, device: &Device, rehearsal: &Rehearsal) -> (Device, Vec<String>) {
        let key = Key::new(device.info(), &rehearsal.model.program, &rehearsal.work);
        let mut notes = Vec::new();
        let id = key.id();
        let known = self.known.borrow().get(&id).copied();
        let (profile, by) = known.unwrap_or_else(|| {
            let found = self.find(device, rehearsal, &key, &mut notes);
            self.known.borrow_mut().insert(id, found);
            found
        });
        (device.with_tiles(profile, by), notes)
    }

    fn find(
        &self,
        device: &Device,
        rehearsal: &Rehearsal,
        key: &Key,
        notes: &mut Vec<String>,
    ) -> (Profile, TilesBy) {
        match self.cache.as_ref().map(|cache| cache.load(key)) {
            Some(Ok(Some(entry))) => {
                if let Some(profile) = entry.profile().filter(|p| allowed(device.info(), *p)) {
                    return (profile, TilesBy::Cached);
                }
            }
            Some(Err(error)) => notes.push(format!("{error}; tiles are measured again")),
            Some(Ok(None)) | None => {}
        }
        let default = device.default_profile();
        let measured = match measure::all(device, rehearsal) {
            Ok(measured) => measured,
            Err(error) => {
                notes.push(format!("tiles could not be measured: {error}; those of the adapter's class run"));
                return (default, TilesBy::Class);
            }
        };
        let Some(profile) = choose(default, &measured.times) else { return (default, TilesBy::Class) };
        if !measured.is_complete {
            // A choice among some would not be that of the next run.
            notes.push("not all tiles could be measured in time: those of the adapter's class run, and the next run measures again".into());
            return (default, TilesBy::Class);
        }
        let entry = Entry::new(key.clone(), profile, &measured.times);
        let stored = self.cache.as_ref().map(|cache| cache.store(&entry));
        if let Some(Err(error)) = stored {
            notes.push(format!("{error}; the next run measures tiles again"));
        }
        (profile, TilesBy::Measured)
    }
}
