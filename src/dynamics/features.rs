//! What a model is used for, as far as its buffers and plans depend on it.

use crate::data::series::Format;

/// How samples reach the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StimulusKind {
    /// Static samples as bytes, with a ramp from one to the next.
    Samples,
    /// Static samples as numbers, inputs and targets alike, with the same ramp.
    Values,
    /// Given sequences, up to this many steps at a time.
    Sequence {
        /// Rows of the sequence buffers.
        steps: usize,
    },
    /// Windows of a recording, interpolated on the device.
    Series {
        /// Rows of the recording that the device holds at a time, at least 1.
        rows: usize,
        /// How it holds a value.
        format: Format,
        /// Channels: those of the input population, then those of the outputs.
        channels: usize,
    },
}

impl StimulusKind {
    /// Whether samples stand still once the ramp has brought them.
    #[must_use]
    pub fn is_static(self) -> bool {
        matches!(self, Self::Samples | Self::Values)
    }
}

/// What a model is to be able to do beyond integrating.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features {
    /// How samples reach the network.
    pub stimulus: StimulusKind,
    /// Rows of the `beta` buffer.
    pub beta_rows: usize,
    /// Compute ‖f‖ and the other metrics inside every step (before the voltages move); in windows of a recording, their sums over the steps
    /// of a submission.
    pub entry_norms: bool,
    /// Weights may change: without it no Ẇ is computed.
    pub learning: bool,
    /// All values of static samples lie in [0, 1].
    pub unit_range: bool,
}

impl Features {
    /// Static samples, nothing learned; `unit_range`: all their values lie in [0, 1].
    #[must_use]
    pub fn samples(unit_range: bool) -> Self {
        Self {
            stimulus: StimulusKind::Samples,
            beta_rows: 1,
            entry_norms: false,
            learning: false,
            unit_range,
        }
    }

    /// Windows of a recording, with β in two rows, free and nudged, and the sums of the metrics over the steps of a submission.
    #[must_use]
    pub fn series(rows: usize, format: Format, channels: usize) -> Self {
        let stimulus = StimulusKind::Series { rows, format, channels };
        Self { stimulus, beta_rows: 2, entry_norms: true, ..Self::samples(false) }
    }

    /// Whether metrics are summed over the steps of a submission.
    #[must_use]
    pub fn sums(&self) -> bool {
        self.entry_norms && matches!(self.stimulus, StimulusKind::Series { .. })
    }

    /// Static samples as numbers that are learned; as [`Features::training`].
    #[must_use]
    pub fn values(unit_range: bool) -> Self {
        Self { stimulus: StimulusKind::Values, ..Self::training(unit_range) }
    }

    /// Static samples that are learned: two rows of β, free and nudged ([`crate::train::FREE`], [`crate::train::NUDGED`]).
    #[must_use]
    pub fn training(unit_range: bool) -> Self {
        Self { learning: true, beta_rows: 2, ..Self::samples(unit_range) }
    }
}
