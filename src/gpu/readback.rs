//! Snapshots on their way back: a ring of mapped buffers, none of which the time loop waits for.

use futures::channel::oneshot;

use super::device::Device;
use super::error::GpuError;
use super::store::Store;
use crate::dynamics::Layout;
use crate::engine::Snapshot;
use crate::plan::{Buf, Program};

/// What becomes of a request to map a buffer; another thread that polls the device may be the one to tell.
type Mapped = oneshot::Receiver<Result<(), wgpu::BufferAsyncError>>;

/// A submission whose snapshot was not collected yet.
struct Pending {
    ticket: u64,
    buffer: wgpu::Buffer,
    submission: wgpu::SubmissionIndex,
    mapped: Mapped,
}

/// Buffers that the host reads.
pub struct Readback {
    parts: [(Buf, u64); 3],
    bytes: u64,
    free: Vec<wgpu::Buffer>,
    pending: Vec<Pending>,
}

impl Readback {
    /// Record, solver and status of a layout.
    pub fn new(program: &Program, layout: &Layout) -> Self {
        let parts =
            [layout.record, layout.solver, layout.status].map(|b| (b, 4 * program.spec(b).len() as u64));
        Self { parts, bytes: parts.iter().map(|p| p.1).sum(), free: Vec::new(), pending: Vec::new() }
    }

    /// Records the copies of a snapshot; the buffer goes to [`Readback::request`] after the submission.
    pub fn copy(
        &mut self,
        device: &Device,
        store: &Store,
        encoder: &mut wgpu::CommandEncoder,
    ) -> wgpu::Buffer {
        let to = self.free.pop().unwrap_or_else(|| staging(device, self.bytes));
        let mut offset = 0;
        for &(buf, bytes) in &self.parts {
            let (from, at) = store.locate(buf);
            encoder.copy_buffer_to_buffer(from, at, &to, offset, bytes);
            offset += bytes;
        }
        to
    }

    /// Asks for the content once the submission is done.
    pub fn request(&mut self, ticket: u64, buffer: wgpu::Buffer, submission: wgpu::SubmissionIndex) {
        let mapped = map(&buffer, self.bytes);
        self.pending.push(Pending { ticket, buffer, submission, mapped });
    }

    /// Waits for a submission and returns its snapshot.
    pub fn collect(&mut self, device: &Device, ticket: u64) -> Result<Snapshot, GpuError> {
        let at = self.pending.iter().position(|p| p.ticket == ticket).ok_or(GpuError::Ticket(ticket))?;
        let one = self.pending.swap_remove(at);
        device.wait(Some(one.submission))?;
        let words = words(device, &one.buffer, self.bytes, one.mapped)?;
        self.free.push(one.buffer);
        let (record, rest) = words.split_at(self.parts[0].1 as usize / 4);
        let (solver, status) = rest.split_at(self.parts[1].1 as usize / 4);
        Ok(Snapshot { record: reals(record), solver: reals(solver), status: status.to_vec() })
    }
}

/// Reads `bytes` of a buffer after all work submitted before.
pub fn read(device: &Device, from: &wgpu::Buffer, at: u64, bytes: u64) -> Result<Vec<u32>, GpuError> {
    let to = staging(device, bytes);
    let mut encoder = device.raw().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    encoder.copy_buffer_to_buffer(from, at, &to, 0, bytes);
    let submission = device.queue().submit([encoder.finish()]);
    let mapped = map(&to, bytes);
    device.wait(Some(submission))?;
    words(device, &to, bytes, mapped)
}

/// Bit patterns as real numbers.
pub fn reals(words: &[u32]) -> Vec<f64> {
    words.iter().map(|&w| f64::from(f32::from_bits(w))).collect()
}

fn staging(device: &Device, bytes: u64) -> wgpu::Buffer {
    device.raw().create_buffer(&wgpu::BufferDescriptor {
        label: Some("readback"),
        size: bytes,
        usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    })
}

fn map(buffer: &wgpu::Buffer, bytes: u64) -> Mapped {
    let (tell, mapped) = oneshot::channel();
    buffer.map_async(wgpu::MapMode::Read, 0..bytes, move |result| {
        // Nobody waits any more where the executor is gone.
        let _ = tell.send(result);
    });
    mapped
}

fn words(device: &Device, buffer: &wgpu::Buffer, bytes: u64, mapped: Mapped) -> Result<Vec<u32>, GpuError> {
    match pollster::block_on(mapped) {
        Ok(Ok(())) => {}
        Ok(Err(reason)) => return Err(device.lost(&reason.to_string())),
        Err(_) => return Err(device.lost("a buffer was not mapped although its submission is done")),
    }
    let view = buffer.get_mapped_range(0..bytes).map_err(|e| device.lost(&e.to_string()))?;
    let words = view.chunks_exact(4).map(|c| u32::from_le_bytes([c[0], c[1], c[2], c[3]])).collect();
    drop(view);
    buffer.unmap();
    Ok(words)
}
