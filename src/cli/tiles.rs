//! `--tiles`, `--no-autotune`: from an opened device to one whose tiles are settled.

use super::{Failure, say};
use crate::checkpoint::Identity;
use crate::engine::Device;
use crate::gpu::{Profile, TilesBy};
use crate::tune::{Rehearsal, Request, Tuner};

/// Options that say how an adapter tiles matrix products.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct TileArgs {
    /// Tiles of matrix products on an adapter: auto takes the fastest for the shapes at hand, which are measured once, in about a second, and
    /// remembered in the user's cache folder (or that of LAGRANGE_CACHE_DIR). Default: auto on a hardware GPU, software on a software adapter.
    #[arg(long, value_name = "auto|software|small|large", value_parser = ["auto", "software", "small", "large"], conflicts_with = "no_autotune")]
    tiles: Option<String>,
    /// Takes the tiles of the adapter's class, without measuring: the same bits from run to run on a machine, whatever was measured before. A run that goes on keeps the tiles that it began with.
    #[arg(long)]
    no_autotune: bool,
}

impl TileArgs {
    pub(super) fn request(&self) -> Request {
        match self.tiles.as_deref() {
            None if self.no_autotune => Request::Class,
            None => Request::Usual,
            Some(name) => Profile::named(name).map_or(Request::Auto, Request::Fixed),
        }
    }
}

/// What is asked for, and what was measured already.
#[derive(Debug)]
pub(super) struct Tiles {
    request: Request,
    tuner: Tuner,
}

/// A device with what its tiles are to be.
#[derive(Debug)]
pub(super) struct Tiled {
    pub device: Device,
    pub tiles: Tiles,
}

impl Tiles {
    pub(super) fn new(request: Request) -> Self {
        Self { request, tuner: Tuner::of_user() }
    }

    /// The device with its tiles. Those of a run that goes on stay, on the adapter that they are of, unless others are asked for by name.
    ///
    /// # Errors
    /// Tiles that were asked for by name where there are none; those of `rehearsal`.
    pub(super) fn settle(
        &self,
        device: &Device,
        goes_on: Option<&Identity>,
        rehearsal: impl FnOnce() -> Result<Rehearsal, Failure>,
    ) -> Result<Device, Failure> {
        let Device::Gpu(gpu) = device else {
            self.refuse_on_cpu()?;
            return Ok(device.clone());
        };
        let is_free = !matches!(self.request, Request::Fixed(_));
        if let Some(then) = goes_on.filter(|then| is_free && then.device == device.name()) {
            // Before there was a choice the tiles of the class ran.
            let profile = Profile::named(&then.tiles).unwrap_or_else(|| gpu.default_profile());
            return Ok(Device::Gpu(gpu.with_tiles(profile, TilesBy::Run)));
        }
        let (tuned, notes) = self.tuner.settle(self.request, gpu, rehearsal)?;
        notes.iter().for_each(|note| say(&format!("warning: {note}")));
        Ok(Device::Gpu(tuned))
    }

    fn refuse_on_cpu(&self) -> Result<(), Failure> {
        match self.request {
            Request::Fixed(profile) => Err(Failure::usage(anyhow::anyhow!(
                "--tiles {}: the processor has no tiles; leave it out, or choose an adapter with --device",
                profile.name()
            ))),
            _ => Ok(()),
        }
    }
}

/// What a line about a device ends with: its tiles, if it has some.
pub(super) fn told(device: &Device) -> String {
    let tiles = device.tiles();
    if tiles.is_empty() { tiles } else { format!(", {tiles}") }
}

impl Tiled {
    /// A device with the tiles that the options ask for; refused at once where it has none.
    pub(super) fn new(device: Device, args: &TileArgs) -> Result<Self, Failure> {
        let tiles = Tiles::new(args.request());
        if matches!(device, Device::Cpu(_)) {
            tiles.refuse_on_cpu()?;
        }
        Ok(Self { device, tiles })
    }

    /// As [`Tiles::settle`].
    pub(super) fn settle(
        &self,
        goes_on: Option<&Identity>,
        rehearsal: impl FnOnce() -> Result<Rehearsal, Failure>,
    ) -> Result<Device, Failure> {
        self.tiles.settle(&self.device, goes_on, rehearsal)
    }
}
