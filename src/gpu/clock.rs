//! The adapter's own clock: time of submissions or of single dispatches, and what they cost.

use super::device::Device;
use super::error::GpuError;
use super::layered::Part;
use super::recorder::{Dispatch, SoFar};
use crate::engine::{Timings, Watch};
use crate::plan::Cost;

/// Passes that one query set can time: each takes two queries, of at most 4,096.
const PASSES: usize = 2048;

/// Bytes of a timestamp.
const STAMP: u64 = 8;

/// Books what submissions take.
pub struct Clock {
    watch: Watch,
    timings: Timings,
}

/// A dispatch of a submission.
pub struct Piece {
    /// What is dispatched.
    pub what: What,
    /// Slot of its control values.
    pub slot: usize,
    /// Name of its kernel.
    pub kernel: &'static str,
    /// What it costs.
    pub cost: Cost,
}

/// What a dispatch is.
pub enum What {
    /// A call of a plan.
    Call(Dispatch),
    /// Steps of a small network as a whole.
    Whole,
    /// A part of the steps of a layered network as a whole.
    Layered(Part),
}

/// Timestamps of the passes of a submission.
pub struct Stamps {
    sets: Vec<wgpu::QuerySet>,
    /// One a pass; empty for the pass of a whole submission.
    passes: Vec<(&'static str, Cost)>,
}

impl Clock {
    /// Watches nothing.
    pub fn new() -> Self {
        Self { watch: Watch::Off, timings: Timings::default() }
    }

    /// Says what is watched from now on.
    pub fn watch(&mut self, watch: Watch, device: &Device) {
        let timed = watch == Watch::Kernels && device.has_timestamps();
        (self.watch, self.timings) = (watch, Timings { timed, ..Timings::default() });
    }

    /// What was seen, for once.
    pub fn take(&mut self) -> Timings {
        let timed = self.timings.timed;
        std::mem::replace(&mut self.timings, Timings { timed, ..Timings::default() })
    }

    /// Whether anything is watched.
    pub fn is_on(&self) -> bool {
        self.watch != Watch::Off
    }

    /// Records dispatches: in one pass, or each in its own. Counts what is recorded.
    pub fn encode(
        &mut self,
        device: &Device,
        encoder: &mut wgpu::CommandEncoder,
        pieces: &[Piece],
        record: impl Fn(&mut wgpu::ComputePass, &Piece, &mut SoFar),
    ) -> Stamps {
        let mut stamps = Stamps { sets: Vec::new(), passes: Vec::new() };
        let stamped = device.has_timestamps();
        if self.watch == Watch::Kernels && stamped {
            for piece in pieces {
                let mut pass = stamps.pass(device, encoder, (piece.kernel, piece.cost));
                // A pass of its own has no pipeline yet.
                record(&mut pass, piece, &mut SoFar::default());
            }
            return stamps;
        }
        let mut pass = if stamped {
            stamps.pass(device, encoder, ("", Cost::default()))
        } else {
            encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default())
        };
        let mut so_far = SoFar::default();
        for piece in pieces {
            self.timings.add(piece.kernel, 1.0, piece.cost, 0.0);
            record(&mut pass, piece, &mut so_far);
        }
        drop(pass);
        stamps
    }

    /// Reads the timestamps of a submission that is complete.
    pub fn book(
        &mut self,
        device: &Device,
        stamps: &Stamps,
        copies: &[wgpu::Buffer],
    ) -> Result<(), GpuError> {
        let period = f64::from(device.queue().get_timestamp_period()) * 1e-9;
        let mut times = Vec::with_capacity(stamps.passes.len());
        for copy in copies {
            let words = super::readback::read(device, copy, 0, copy.size())?;
            let stamp = |pair: &[u32]| u64::from(pair[0]) | u64::from(pair[1]) << 32;
            let all: Vec<u64> = words.chunks_exact(2).map(stamp).collect();
            times.extend(all.chunks_exact(2).map(|s| s[1].saturating_sub(s[0]) as f64 * period));
        }
        for (&(kernel, cost), seconds) in stamps.passes.iter().zip(times) {
            *self.timings.submissions_s.get_or_insert(0.0) += seconds;
            if !kernel.is_empty() {
                self.timings.add(kernel, 1.0, cost, seconds);
            }
        }
        Ok(())
    }
}

impl Stamps {
    /// Begins a pass with timestamps at both ends.
    fn pass<'a>(
        &mut self,
        device: &Device,
        encoder: &'a mut wgpu::CommandEncoder,
        of: (&'static str, Cost),
    ) -> wgpu::ComputePass<'a> {
        let at = self.passes.len() % PASSES;
        if at == 0 {
            self.sets.push(device.raw().create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("clock"),
                ty: wgpu::QueryType::Timestamp,
                count: 2 * PASSES as u32,
            }));
        }
        self.passes.push(of);
        let timestamp_writes = self.sets.last().map(|query_set| wgpu::ComputePassTimestampWrites {
            query_set,
            beginning_of_pass_write_index: Some(2 * at as u32),
            end_of_pass_write_index: Some(2 * at as u32 + 1),
        });
        encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label: None, timestamp_writes })
    }

    /// Records that the timestamps go to buffers, a query set each, which [`Clock::book`] reads.
    pub fn resolve(&self, device: &Device, encoder: &mut wgpu::CommandEncoder) -> Vec<wgpu::Buffer> {
        let resolve = |(i, set): (usize, &wgpu::QuerySet)| {
            let passes = (self.passes.len() - i * PASSES).min(PASSES);
            let buffer = device.raw().create_buffer(&wgpu::BufferDescriptor {
                label: Some("timestamps"),
                size: 2 * STAMP * passes as u64,
                usage: wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
                mapped_at_creation: false,
            });
            encoder.resolve_query_set(set, 0..2 * passes as u32, &buffer, 0);
            buffer
        };
        self.sets.iter().enumerate().map(resolve).collect()
    }
}
