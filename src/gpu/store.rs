//! The buffers of a program on a device: one arena for real numbers, buffers of their own for weights, bytes, words and sequences.

use super::adapter::AdapterInfo;
use super::error::GpuError;
use crate::kernels::host::Access;
use crate::kernels::{Call, stimulus};
use crate::plan::{Buf, BufferSpec, Elem, Op, Program};

/// Steps whose control values fit into the control buffer at once.
pub const CONTROL_SLOTS: usize = 1024;

/// Distance of slots in the uniform buffers: the largest alignment that an adapter may ask for.
pub const SLOT: u64 = 256;

/// Elements to which buffers are aligned in the arena, so that their rows start on cache lines.
const ALIGN: u64 = 64;

/// Where everything lies.
pub struct Store {
    /// First element in the arena; `None` for buffers of their own.
    pub at: Vec<Option<u32>>,
    /// All real numbers but weights and sequences.
    pub arena: wgpu::Buffer,
    /// Control values of the steps of a submission.
    pub control: wgpu::Buffer,
    own: Vec<Option<wgpu::Buffer>>,
    /// The weights of a network that steps as a whole lie side by side, so that one binding holds them.
    joined: Option<wgpu::Buffer>,
    /// First element of each of them there.
    joined_at: Vec<Option<u32>>,
    unused_read: wgpu::Buffer,
    unused_write: wgpu::Buffer,
}

impl Store {
    /// Allocates all buffers, after all of them were checked against the limits of the adapter; `joined`: weights that lie side by side.
    pub fn new(
        device: &wgpu::Device,
        info: &AdapterInfo,
        program: &Program,
        joined: &[Buf],
    ) -> Result<Self, GpuError> {
        let own = own_buffers(program);
        let (at, elements) = arena(program, &own);
        check(info, program, &own, elements)?;
        let storage = |label: &str, bytes: u64| buffer(device, label, bytes, wgpu::BufferUsages::STORAGE);
        let (joined_at, length) = join(program, joined);
        let made = program.buffers.iter().zip(&own).zip(&joined_at).map(|((spec, &own), joined)| {
            (own && joined.is_none()).then(|| storage(&spec.name, bytes(spec)))
        });
        let made = made.collect();
        let control = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::STORAGE;
        Ok(Self {
            at,
            arena: storage("arena", 4 * elements),
            control: buffer(device, "control", CONTROL_SLOTS as u64 * SLOT, control),
            own: made,
            joined: (length > 0).then(|| storage("weights", 4 * length)),
            joined_at,
            unused_read: storage("unused", 16),
            unused_write: storage("unused", 16),
        })
    }

    /// Bytes of all buffers.
    pub fn allocated(&self) -> u64 {
        let own: u64 = self.own.iter().flatten().map(wgpu::Buffer::size).sum();
        let joined = self.joined.as_ref().map_or(0, wgpu::Buffer::size);
        own + joined + self.arena.size() + self.control.size()
    }

    /// Buffer and byte offset of a buffer of the program.
    pub fn locate(&self, buf: Buf) -> (&wgpu::Buffer, u64) {
        let i = buf.0 as usize;
        match (&self.own[i], &self.joined, self.joined_at[i]) {
            (Some(own), _, _) => (own, 0),
            (None, Some(joined), Some(at)) => (joined, 4 * u64::from(at)),
            _ => (&self.arena, 4 * u64::from(self.at[i].unwrap_or(0))),
        }
    }

    /// What to bind for a kernel's own storage binding.
    pub fn bound(&self, buf: Option<Buf>, access: Access, program: &Program) -> wgpu::BindingResource<'_> {
        // A binding may not be empty, and no buffer may be bound for reading and for writing at once.
        let unused = if access == Access::Read { &self.unused_read } else { &self.unused_write };
        let Some(buf) = buf else { return unused.as_entire_binding() };
        let i = buf.0 as usize;
        match (&self.own[i], &self.joined, self.joined_at[i]) {
            (Some(own), _, _) => own.as_entire_binding(),
            (None, Some(joined), Some(at)) => wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                buffer: joined,
                offset: 4 * u64::from(at),
                size: wgpu::BufferSize::new(bytes(program.spec(buf))),
            }),
            _ => unused.as_entire_binding(),
        }
    }

    /// The weights that lie side by side.
    pub fn joined(&self) -> Option<&wgpu::Buffer> {
        self.joined.as_ref()
    }

    /// First element of a weight block among them.
    pub fn joined_at(&self, buf: Buf) -> Option<u32> {
        self.joined_at[buf.0 as usize]
    }
}

/// First element of each of these weights among all of them, and the length of the whole.
fn join(program: &Program, joined: &[Buf]) -> (Vec<Option<u32>>, u64) {
    let mut at = vec![None; program.buffers.len()];
    let mut next = 0_u64;
    for &buf in joined.iter().filter(|&&buf| !program.spec(buf).is_empty()) {
        at[buf.0 as usize] = Some(u32::try_from(next).unwrap_or(u32::MAX));
        next += (program.spec(buf).len() as u64).next_multiple_of(ALIGN);
    }
    (at, next)
}

fn buffer(device: &wgpu::Device, label: &str, bytes: u64, usage: wgpu::BufferUsages) -> wgpu::Buffer {
    device.create_buffer(&wgpu::BufferDescriptor {
        label: Some(label),
        size: bytes.max(16),
        usage: usage | wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC,
        mapped_at_creation: false,
    })
}

/// Bytes of a buffer of its own, in whole words.
fn bytes(spec: &BufferSpec) -> u64 {
    let len = spec.len() as u64;
    if spec.elem == Elem::Byte { len.next_multiple_of(4) } else { 4 * len }
}

/// Which buffers cannot be in the arena: weights and their derivatives (large, and bound read-only in products), sequences,
/// and everything that is no real number.
fn own_buffers(program: &Program) -> Vec<bool> {
    let mut own: Vec<bool> = program.buffers.iter().map(|b| b.elem != Elem::Real && !b.is_empty()).collect();
    for plan in &program.plans {
        mark(&plan.ops, &mut own);
    }
    own
}

fn mark(ops: &[Op], own: &mut [bool]) {
    for op in ops {
        let blocks = match op {
            Op::Loop(l) => {
                mark(&l.body, own);
                continue;
            }
            Op::Call(Call::Forward(a)) => vec![a.w],
            Op::Call(Call::Backward(a)) => vec![a.w],
            Op::Call(Call::Jacobian(a)) => a.w.into_iter().collect(),
            Op::Call(Call::WeightRate(a)) => vec![a.w_dot],
            Op::Call(Call::Learn(a)) => vec![a.w],
            Op::Call(Call::Stimulus(a)) => match a.source {
                stimulus::Source::Sequence { x, y } => vec![x, y],
                stimulus::Source::Ramp { .. } => Vec::new(),
            },
            Op::Call(_) => Vec::new(),
        };
        for buf in blocks {
            own[buf.0 as usize] = true;
        }
    }
}

/// First element of each buffer in the arena, and its length.
fn arena(program: &Program, own: &[bool]) -> (Vec<Option<u32>>, u64) {
    let mut next = 0_u64;
    let at = program
        .buffers
        .iter()
        .zip(own)
        .map(|(spec, &own)| {
            if own {
                return None;
            }
            let here = u32::try_from(next).unwrap_or(u32::MAX);
            next += (spec.len() as u64).next_multiple_of(ALIGN);
            Some(here)
        })
        .collect();
    (at, next.max(ALIGN))
}

/// Compares every buffer with the limits of the adapter.
fn check(info: &AdapterInfo, program: &Program, own: &[bool], elements: u64) -> Result<(), GpuError> {
    // Elements are counted in 32 bits by the shaders.
    let addressable = 4 * (u64::from(u32::MAX) + 1);
    let limits = [
        ("max_storage_buffer_binding_size", info.max_binding),
        ("max_buffer_size", info.max_buffer),
        ("the range of a 32-bit index", addressable),
    ];
    let over = |need: u64| limits.into_iter().find(|&(_, limit)| need > limit);
    let refuse = |buffer: String, need: u64, (limit_name, limit): (&'static str, u64)| GpuError::TooLarge {
        buffer,
        need,
        limit_name,
        limit,
        adapter: info.name.clone(),
    };
    for (spec, _) in program.buffers.iter().zip(own).filter(|(_, own)| **own) {
        if let Some(limit) = over(bytes(spec)) {
            return Err(refuse(spec.name.clone(), bytes(spec), limit));
        }
    }
    if let Some(limit) = over(4 * elements) {
        let inside = program.buffers.iter().zip(own).filter(|(_, own)| !**own);
        let largest = inside.map(|(spec, _)| spec).max_by_key(|spec| spec.len());
        let largest = largest.map_or(String::new(), |s| format!("{} with {} bytes", s.name, 4 * s.len()));
        return Err(refuse(format!("all of state and scratch, the largest {largest}"), 4 * elements, limit));
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::expect_used, clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::plan::{Plan, Role};

    fn info(max_binding: u64) -> AdapterInfo {
        AdapterInfo {
            index: 0,
            name: "card".into(),
            kind: "discrete GPU",
            backend: "Vulkan".into(),
            vendor: 0,
            model: 0,
            driver: String::new(),
            driver_info: String::new(),
            is_software: false,
            max_binding,
            max_buffer: 1 << 40,
            workgroup_memory: 16_384,
            invocations: 256,
        }
    }

    #[test]
    fn a_buffer_over_a_limit_is_named() {
        let spec = |name: &str, cols| BufferSpec {
            name: name.into(),
            role: Role::Scratch,
            elem: Elem::Real,
            rows: 2,
            cols,
            per_trajectory: true,
        };
        let program = Program {
            buffers: vec![spec("u", 3), spec("J", 100_000)],
            plans: std::array::from_fn(|_| Plan::default()),
            small: None,
            layered: None,
            batch: 2,
        };
        let own = own_buffers(&program);
        let (at, elements) = arena(&program, &own);
        assert_eq!(at, [Some(0), Some(64)]);
        assert!(check(&info(1 << 30), &program, &own, elements).is_ok());
        let text = check(&info(1000), &program, &own, elements).unwrap_err().to_string();
        assert!(
            text.contains("J with 800000 bytes") && text.contains("max_storage_buffer_binding_size"),
            "{text}"
        );
    }
}
