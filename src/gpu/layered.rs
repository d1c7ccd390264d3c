//! Steps of a layered network with resident weights as a whole: `shaders/layered_step.wgsl` and
//! `shaders/layered_learn.wgsl`, two dispatches a step.
//!
//! Before a run of steps the weights come in and the first step senses; after it the weights go back. So results are the same bits however a
//! run is split.

use super::device::Device;
use super::error::GpuError;
use super::loops::SOFTWARE_LIMIT;
use super::pipelines::Pipeline;
use super::shaders::Variant;
use super::store::{SLOT, Store};
use super::whole::upload;
use crate::kernels::Call;
use crate::kernels::host::{Access, Places, to_u32};
use crate::kernels::layered_step::{self, Table};
use crate::kernels::{layered_carry, layered_learn, layered_step::Mode};
use crate::plan::{Buf, BufferSpec, Cost, Op, PlanId, Program, Role, StepControl};

/// Trajectories up to which each has a workgroup of its own on a GPU: it has about as many cores.
const FEW: usize = 64;

/// Solver iterations of a whole step for each that a plan records (see [`super::whole`]).
const SLACK: usize = 4;

/// Passes over the weights of a step without those of solver iterations, and most multiply-adds of a dispatch, which cannot be split: a tenth of a second of
/// a GPU of 100 billion a second.
const PASSES: u64 = 8;
const MOST_WORK: u64 = 10_000_000_000;

/// What is dispatched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The weights come in.
    Bring,
    /// The first step senses.
    Sense,
    /// W, b and what depends on all trajectories.
    Learn,
    /// u̇ and the voltages, and what the next step senses.
    Step,
    /// The same without a next step.
    Last,
    /// The weights go back.
    Back,
}

/// What of a program its steps need, where an adapter can take them as a whole.
pub struct Plan {
    args: layered_step::Args,
    table: Table,
    wide: bool,
    /// Weights above the resident ones, times trajectories.
    products: u64,
}

/// The steps of a program.
pub struct Layered {
    plan: Plan,
    pipelines: [wgpu::ComputePipeline; 3],
    groups: [wgpu::BindGroup; 3],
    /// Workgroups of a step, of learning, of bringing weights in or back.
    sizes: [u32; 3],
    /// Loop iterations without solver and of a solver iteration, where they are counted.
    loops: Option<[u64; 2]>,
    bytes: u64,
}

/// What whole steps need, where the program has them, its weights are in one piece, and the adapter bears it.
pub fn plan(device: &Device, program: &Program, is_whole: impl Fn(Buf) -> bool) -> Option<Plan> {
    let args = layered_step::Args::of(program)?;
    let table = args.table(device.profile());
    let limits = device.raw().limits();
    let few = if device.is_software() { 1 } else { FEW };
    let wide = program.batch > few && table.widest() <= layered_step::room(true);
    let weights: usize = args.weights().map(|w| program.spec(w).len() + 64).sum();
    let products = weights as u64 * program.batch as u64;
    let largest = [weights, table.matrices(), table.fields().len, table.scratch(layered_step::group(wide))];
    let bytes = largest.into_iter().max().unwrap_or(0) as u64 * 4;
    let jobs = [layered_learn::jobs(&table, program.batch, device.profile()), layered_carry::jobs(&table)];
    let groups = jobs.map(|jobs| jobs.iter().sum::<usize>()).into_iter().max().unwrap_or(0);
    let fits = table.widest() <= layered_step::room(wide)
        && bytes <= device.info().max_binding.min(device.info().max_buffer)
        && groups.max(program.batch) as u64 <= u64::from(limits.max_compute_workgroups_per_dimension)
        && limits.min_storage_buffer_offset_alignment <= SLOT as u32
        && (!device.is_software() || layered_learn::loops(&table, program.batch) < SOFTWARE_LIMIT);
    (fits && args.weights().all(is_whole)).then_some(Plan { args, table, wide, products })
}

impl Plan {
    /// The weight blocks that move from step to step.
    pub fn weights(&self) -> impl Iterator<Item = Buf> + '_ {
        self.args.weights()
    }
}

/// The shaders of a device; that of DirectX may go through a compiler that refuses barriers in loops that end where data say so.
fn variants(device: &Device, wide: bool) -> [Variant; 3] {
    let early = device.info().backend != "Dx12";
    ["layered_step", "layered_learn", "layered_carry"]
        .map(|kernel| Variant { kernel, profile: device.profile(), gated: false, early, wide }.canonical())
}

impl Layered {
    /// Compiles the shaders and lays out what they read.
    pub fn new(device: &Device, store: &Store, places: &Places, plan: Plan) -> Result<Self, GpuError> {
        let Plan { args, table, wide, .. } = &plan;
        let made = variants(device, *wide).map(|v| device.pipelines().get(device.raw(), v));
        let learn = layered_learn::jobs(table, places.batch(), device.profile());
        let jobs = [learn, layered_carry::jobs(table)];
        let words = table.words(|w| store.joined_at(w).unwrap_or(0), [&jobs[0], &jobs[1]]);
        let words = upload(device, "table", bytemuck::cast_slice(&words), wgpu::BufferUsages::STORAGE);
        let params = params(device, places, args, table)?;
        let scratch = table.scratch(layered_step::group(*wide));
        let room = [table.matrices(), table.fields().len, scratch].map(|len| storage(device, len));
        let [learn, carry] = jobs.map(|jobs| to_u32(jobs.iter().sum()));
        let groups = groups(device, store, places, args, &made, [&params, &words], &room);
        let loops = device.is_software().then(|| {
            let at = |iterations| table.loops(layered_step::group(*wide), iterations);
            [at(0), at(1) - at(0)]
        });
        let step = to_u32(places.batch().div_ceil(layered_step::group(*wide)));
        let bytes = room.iter().map(wgpu::Buffer::size).sum();
        device.check()?;
        let pipelines = made.map(|p| p.compute);
        Ok(Self { plan, pipelines, groups, sizes: [step, learn, carry], loops, bytes })
    }

    /// Bytes of what only whole steps need.
    pub fn allocated(&self) -> u64 {
        self.bytes
    }

    /// Most solver iterations of a step, given how many a loop of a plan records: as of small networks.
    pub fn iterations(&self, recorded: usize) -> usize {
        let fits = self.loops.map_or(usize::MAX, |[step, iteration]| {
            let left = (SOFTWARE_LIMIT - 1).saturating_sub(step) / iteration.max(1);
            usize::try_from(left).unwrap_or(usize::MAX)
        });
        recorded.saturating_mul(SLACK).min(fits).max(recorded).min(self.plan.args.at_most())
    }

    /// Whether a step does not loop too often for a software adapter, and is not so long that a slow one would be taken for dead.
    pub fn fits(&self, recorded: usize) -> bool {
        let passes = PASSES + 2 * self.iterations(recorded) as u64;
        if self.plan.products.saturating_mul(passes) > MOST_WORK {
            return false;
        }
        let count = |[step, iteration]: [u64; 2]| step + iteration * self.iterations(recorded) as u64;
        self.loops.is_none_or(|loops| count(loops) < SOFTWARE_LIMIT)
    }

    /// The dispatches of a run of steps whose first control values are in a slot, with the slots of their own.
    pub fn parts<'a>(&self, slot: usize, steps: impl Iterator<Item = &'a StepControl>) -> Vec<(Part, usize)> {
        let mut parts = vec![(Part::Bring, slot), (Part::Sense, slot)];
        let mut learned = false;
        let mut last = slot;
        for (k, step) in steps.enumerate() {
            last = slot + k;
            if learns(step) {
                learned = true;
                parts.push((Part::Learn, last));
            }
            parts.push((Part::Step, last));
        }
        if let Some(end) = parts.last_mut() {
            end.0 = Part::Last;
        }
        if learned {
            parts.push((Part::Back, last));
        }
        parts.retain(|(part, _)| self.size(*part) > 0);
        parts
    }

    fn size(&self, part: Part) -> u32 {
        let [step, learn, carry] = self.sizes;
        match part {
            Part::Bring | Part::Back => carry,
            Part::Learn => learn,
            Part::Sense | Part::Step | Part::Last => step,
        }
    }

    /// Records a dispatch.
    pub fn record(&self, pass: &mut wgpu::ComputePass, part: Part, slot: usize) {
        // Kernel, and its parameters.
        let (kernel, params) = match part {
            Part::Last => (0, place(Mode::Solve)),
            Part::Sense => (0, place(Mode::Sense)),
            Part::Step => (0, place(Mode::Both)),
            Part::Learn => (1, Mode::ALL.len()),
            Part::Bring => (2, Mode::ALL.len() + 1),
            Part::Back => (2, Mode::ALL.len() + 2),
        };
        let params = params as u32 * SLOT as u32;
        pass.set_pipeline(&self.pipelines[kernel]);
        pass.set_bind_group(0, &self.groups[kernel], &[slot as u32 * SLOT as u32, params]);
        pass.dispatch_workgroups(self.size(part), 1, 1);
    }

    /// Name of the kernel of a dispatch, and what it costs: products are those of the plan, with as many iterations; weights, and what moves of a
    /// trajectory, are read and written once.
    pub fn cost(&self, program: &Program, part: Part, iterations: usize) -> (&'static str, Cost) {
        let weights: u64 = self.plan.weights().map(|w| program.spec(w).len() as u64).sum();
        let state = |spec: &&BufferSpec| spec.role == Role::State && spec.per_trajectory;
        let states: u64 = program.buffers.iter().filter(state).map(|spec| spec.len() as u64).sum();
        let learned: u64 =
            program.plan(PlanId::ResidentStep).ops.iter().map(|op| learning(op, program)).sum();
        let all = program.cost(PlanId::ResidentStep, iterations).flops;
        let (kernel, flops, reals) = match part {
            Part::Bring | Part::Back => ("layered_carry", 0, 3 * weights),
            Part::Learn => ("layered_learn", learned, 5 * weights + states / 2),
            Part::Sense => ("layered_step", 0, weights + states),
            Part::Step | Part::Last => ("layered_step", all - learned, 3 * weights + 2 * states),
        };
        (kernel, Cost { calls: 1, flops, reals, bytes: 0 })
    }
}

/// Whether anything learns in a step.
pub fn learns(step: &StepControl) -> bool {
    step.rate_w != 0.0 || step.rate_b != 0.0
}

/// Multiply-adds of what `layered_learn` computes, twice each.
fn learning(op: &Op, program: &Program) -> u64 {
    match op {
        Op::Call(call @ (Call::WeightRate(_) | Call::ResidentLearn(_))) => Cost::of(call, program).flops,
        _ => 0,
    }
}

/// Place of the parameters of a mode.
fn place(mode: Mode) -> usize {
    mode as usize - 1
}

/// Parameters of all modes of the kernels, a slot each.
fn params(
    device: &Device,
    places: &Places,
    args: &layered_step::Args,
    table: &Table,
) -> Result<wgpu::Buffer, GpuError> {
    let slot = |bytes: &[u8]| {
        let mut slot = bytes.to_vec();
        slot.resize(SLOT as usize, 0);
        slot
    };
    let mut all = Vec::new();
    for mode in Mode::ALL {
        all.extend(slot(bytemuck::bytes_of(&args.params(places, table, mode)?)));
    }
    all.extend(slot(bytemuck::bytes_of(&layered_learn::params(args, places, table)?)));
    for back in [false, true] {
        let carry = layered_carry::params(table, places.batch(), device.profile(), back);
        all.extend(slot(bytemuck::bytes_of(&carry)));
    }
    Ok(upload(device, "params", &all, wgpu::BufferUsages::UNIFORM))
}

fn storage(device: &Device, len: usize) -> wgpu::Buffer {
    device.raw().create_buffer(&wgpu::BufferDescriptor {
        label: Some("layered"),
        size: (4 * len as u64).next_multiple_of(16).max(16),
        usage: wgpu::BufferUsages::STORAGE,
        mapped_at_creation: false,
    })
}

/// Bind groups of the kernels.
fn groups(
    device: &Device,
    store: &Store,
    places: &Places,
    args: &layered_step::Args,
    made: &[Pipeline; 3],
    [params, table]: [&wgpu::Buffer; 2],
    [matrices, fields, scratch]: &[wgpu::Buffer; 3],
) -> [wgpu::BindGroup; 3] {
    let slot = |buffer| {
        let size = wgpu::BufferSize::new(SLOT);
        wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer, offset: 0, size })
    };
    let shared = || [store.arena.as_entire_binding(), slot(&store.control), slot(params)];
    let weights = match store.joined() {
        Some(weights) => weights.as_entire_binding(),
        None => store.bound(None, Access::Write, places.program),
    };
    let step = vec![
        store.bound(Some(args.status()), Access::Write, places.program),
        matrices.as_entire_binding(),
        fields.as_entire_binding(),
        scratch.as_entire_binding(),
        table.as_entire_binding(),
        store.control.as_entire_binding(),
    ];
    let learn = vec![matrices.as_entire_binding(), fields.as_entire_binding(), table.as_entire_binding()];
    let carry = vec![weights, matrices.as_entire_binding(), table.as_entire_binding()];
    let group = |label, own: Vec<wgpu::BindingResource>, layout| {
        let all = shared().into_iter().chain(own).enumerate();
        let entry = |(binding, resource)| wgpu::BindGroupEntry { binding: binding as u32, resource };
        let entries: Vec<_> = all.map(entry).collect();
        device.raw().create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(label),
            layout,
            entries: &entries,
        })
    };
    [
        group("layered_step", step, &made[0].layout),
        group("layered_learn", learn, &made[1].layout),
        group("layered_carry", carry, &made[2].layout),
    ]
}

#[cfg(test)]
#[path = "layered/tests.rs"]
#[allow(clippy::expect_used, clippy::unwrap_used)]
mod tests;
