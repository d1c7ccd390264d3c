//! Steps of a small network as a whole: `shaders/small_step.wgsl`, many steps in a dispatch.

use super::device::Device;
use super::error::GpuError;
use super::loops::SOFTWARE_LIMIT;
use super::pipelines::Pipeline;
use super::shaders::Variant;
use super::store::{SLOT, Store};
use crate::kernels::host::{Access, Places, to_u32};
use crate::kernels::small_step;
use crate::kernels::{Call, update};
use crate::plan::{Buf, BufferSpec, Cost, Op, Plan, PlanId, Program, Role, StepControl};

/// Most trajectories of a network that a software adapter steps as a whole: products of eight fill its tiles and are faster.
const SOFTWARE_BATCH: usize = 4;

/// Solver iterations of a whole step for each that a plan records.
const SLACK: usize = 4;

/// The step of a program as one dispatch.
pub struct Whole {
    args: small_step::Args,
    pipeline: wgpu::ComputePipeline,
    group: wgpu::BindGroup,
    batch: u32,
    /// Where loops are counted: iterations of a step without solver, and of a solver iteration.
    loops: Option<[u64; 2]>,
}

/// What a whole step needs, where the program has one and its weights are in one piece.
pub fn args(device: &Device, program: &Program, is_whole: impl Fn(Buf) -> bool) -> Option<small_step::Args> {
    let args = small_step::Args::of(program)?;
    let limits = device.raw().limits();
    let bytes: u64 = args.weights().map(|w| 4 * program.spec(w).len() as u64 + 256).sum();
    let fits = bytes <= device.info().max_binding.min(device.info().max_buffer)
        && program.batch as u64 <= u64::from(limits.max_compute_workgroups_per_dimension)
        && limits.min_storage_buffer_offset_alignment <= SLOT as u32;
    let pays = !device.is_software() || program.batch <= SOFTWARE_BATCH;
    (fits && pays && args.weights().all(is_whole)).then_some(args)
}

/// The shader of a device. That of DirectX may go through a compiler that refuses barriers in loops that end where data say so.
fn variant(device: &Device) -> Variant {
    let early = device.info().backend != "Dx12";
    Variant { kernel: "small_step", profile: device.profile(), gated: false, early, wide: false }
}

/// Bounds of weights and biases alone: what is left of learning where nothing learns.
pub fn clips(program: &Program) -> Plan {
    let bound = |op: &Op| match op {
        Op::Call(Call::Update(a)) if a.clip.is_some() => {
            Some(Op::Call(update::Args { p_dot: None, ..a.clone() }.into()))
        }
        _ => None,
    };
    Plan { ops: program.plan(PlanId::Step).ops.iter().filter_map(bound).collect() }
}

/// A step that ends its iterations itself may take some more of them than a plan records: no step of a few recorded ones has to stop short, and
/// none takes so long that a dispatch of steps that need more and more of them would stall the adapter. Fewer where they would not fit into the
/// loops of an invocation, though as many as are recorded.
fn bound(loops: Option<[u64; 2]>, recorded: usize, at_most: usize) -> usize {
    let fits = loops.map_or(usize::MAX, |[step, iteration]| {
        usize::try_from((SOFTWARE_LIMIT - 1).saturating_sub(step) / iteration.max(1)).unwrap_or(usize::MAX)
    });
    recorded.saturating_mul(SLACK).min(fits).max(recorded).min(at_most)
}

/// Steps that fit into the loops of an invocation; the loop over the steps ends once.
fn steps([step, iteration]: [u64; 2], iterations: usize) -> usize {
    let each = step + iteration * iterations as u64;
    usize::try_from((SOFTWARE_LIMIT - 1) / each.max(1)).unwrap_or(usize::MAX)
}

impl Whole {
    /// Compiles the shader and lays out what it reads.
    pub fn new(
        device: &Device,
        store: &Store,
        places: &Places,
        args: small_step::Args,
    ) -> Result<Self, GpuError> {
        let variant = variant(device);
        let Pipeline { compute, layout } = device.pipelines().get(device.raw(), variant);
        let params = args.params(places)?;
        let table = args.table(|w| store.joined_at(w).unwrap_or(0));
        let uniform = upload(device, "params", bytemuck::bytes_of(&params), wgpu::BufferUsages::UNIFORM);
        let table = upload(device, "table", bytemuck::cast_slice(&table), wgpu::BufferUsages::STORAGE);
        let group = group(device, store, places, &layout, &args, (&uniform, &table));
        let loops = device.is_software().then(|| {
            let at = |iterations| args.loops(device.profile(), iterations);
            [at(0), at(1) - at(0)]
        });
        device.check()?;
        Ok(Self { args, pipeline: compute, group, batch: to_u32(places.batch()), loops })
    }

    /// Whether a step may run as a whole: of several trajectories only where nothing learns, as they share their weights.
    pub fn takes(&self, step: &StepControl) -> bool {
        self.batch == 1 || !self.args.learns() || (step.rate_w == 0.0 && step.rate_b == 0.0)
    }

    /// Whether bounds of weights are met by calls of their own after the first step.
    pub fn bounds_apart(&self) -> bool {
        self.batch > 1 && self.args.learns()
    }

    /// Most solver iterations of a step, given how many a loop of a plan records.
    pub fn iterations(&self, recorded: usize) -> usize {
        bound(self.loops, recorded, self.args.at_most())
    }

    /// Steps that one dispatch may take; 0 where even one loops too often for a software adapter.
    pub fn steps(&self, recorded: usize) -> usize {
        self.loops.map_or(usize::MAX, |loops| steps(loops, self.iterations(recorded)))
    }

    /// What one dispatch of some steps costs, each of which does the products of a `step` of the plan: weights, and what moves of a trajectory, are
    /// read and written once a step.
    pub fn cost(&self, program: &Program, step: Cost, steps: u64) -> Cost {
        let weights: u64 = self.args.weights().map(|w| program.spec(w).len() as u64).sum();
        let state = |spec: &&BufferSpec| spec.role == Role::State && spec.per_trajectory;
        let states: u64 = program.buffers.iter().filter(state).map(|spec| spec.len() as u64).sum();
        let learned = if self.args.learns() { 2 * weights } else { weights };
        Cost { calls: 1, flops: steps * step.flops, reals: steps * (learned + 2 * states), bytes: 0 }
    }

    /// Records a dispatch for the steps whose first control values are in this slot.
    pub fn record(&self, pass: &mut wgpu::ComputePass, slot: usize) {
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.group, &[slot as u32 * SLOT as u32, 0]);
        pass.dispatch_workgroups(self.batch, 1, 1);
    }
}

pub(super) fn upload(
    device: &Device,
    label: &str,
    content: &[u8],
    usage: wgpu::BufferUsages,
) -> wgpu::Buffer {
    let buffer = device.raw().create_buffer(&wgpu::BufferDescriptor {
        label: Some(label),
        size: (content.len() as u64).max(SLOT),
        usage: usage | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    device.queue().write_buffer(&buffer, 0, content);
    buffer
}

fn group(
    device: &Device,
    store: &Store,
    places: &Places,
    layout: &wgpu::BindGroupLayout,
    args: &small_step::Args,
    (params, table): (&wgpu::Buffer, &wgpu::Buffer),
) -> wgpu::BindGroup {
    let slot = |buffer| {
        wgpu::BindingResource::Buffer(wgpu::BufferBinding {
            buffer,
            offset: 0,
            size: wgpu::BufferSize::new(SLOT),
        })
    };
    let [status, samples, targets] = args.bound();
    let own = |buf, access| store.bound(buf, access, places.program);
    let weights = store.joined().map_or_else(|| own(None, Access::Write), |w| w.as_entire_binding());
    let resources = [
        store.arena.as_entire_binding(),
        slot(&store.control),
        slot(params),
        own(status, Access::Write),
        weights,
        table.as_entire_binding(),
        store.control.as_entire_binding(),
        own(samples, Access::Read),
        own(targets, Access::Read),
    ];
    let entries: Vec<_> = resources
        .into_iter()
        .enumerate()
        .map(|(binding, resource)| wgpu::BindGroupEntry { binding: binding as u32, resource })
        .collect();
    device.raw().create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some("small_step"),
        layout,
        entries: &entries,
    })
}

#[cfg(test)]
#[allow(clippy::expect_used, clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::dynamics::{Features, Model, Settings, StimulusKind};
    use crate::engine::Work;
    use crate::gpu::{Choice, Executor, Profile, adapters, open, ticks};
    use crate::network::{Activation, Architecture, InputMode, Network, Population};

    fn model(sizes: &[usize], architecture: Architecture, steps: usize) -> Model {
        let population = |(i, &size): (usize, &usize)| Population {
            name: format!("p{i}"),
            size,
            bias_factor: 1.0,
            bias_clip: Some(1.0),
        };
        let mut projections = architecture.projections(sizes.len(), false);
        projections.iter_mut().for_each(|p| p.clip = Some(1.0));
        let network = Network {
            populations: sizes.iter().enumerate().map(population).collect(),
            projections,
            activation: Activation::Sigmoid,
            input: InputMode::Driven,
            microcircuit: None,
        };
        let stimulus = StimulusKind::Sequence { steps };
        let features = Features { stimulus, learning: true, entry_norms: true, ..Features::samples(false) };
        Model::new(network, Settings { max_iterations: 200, ..Settings::default() }, 1, features).unwrap()
    }

    const NETWORKS: [(&[usize], Architecture); 4] = [
        (&[0, 40, 100, 56], Architecture::LayeredRecurrent),
        (&[0, 40, 56], Architecture::FullyRecurrent),
        (&[7, 61, 93, 95], Architecture::FullyRecurrent),
        (&[3, 30, 37], Architecture::LayeredRecurrentRecurrent),
    ];

    #[test]
    fn a_dispatch_never_loops_more_often_than_a_software_adapter_bears() {
        for (sizes, architecture) in NETWORKS {
            let args = small_step::Args::of(&model(sizes, architecture, 1).program).unwrap();
            for (_, profile) in Profile::NAMES {
                let loops = [args.loops(profile, 0), args.loops(profile, 1) - args.loops(profile, 0)];
                for iterations in [0, 1, 8, 30, 64, 200, 100_000] {
                    let (each, count) = (args.loops(profile, iterations), steps(loops, iterations) as u64);
                    assert!(count * each < SOFTWARE_LIMIT, "{sizes:?} {profile:?} {iterations}");
                    assert!(
                        (count + 1) * each >= SOFTWARE_LIMIT,
                        "{sizes:?} {profile:?} {iterations}: one more fits"
                    );
                }
            }
        }
    }

    #[test]
    fn a_step_may_take_some_more_iterations_than_a_plan_records() {
        assert_eq!([bound(None, 8, 200), bound(None, 60, 200), bound(None, 300, 200)], [32, 200, 200]);
        // 59,999 loops: 48 iterations of 1200 beside 2000 others; as many as are recorded in any case, which then is no step at all.
        let loops = [2000, 1200];
        assert_eq!(
            [bound(Some(loops), 8, 200), bound(Some(loops), 20, 200), bound(Some(loops), 50, 200)],
            [32, 48, 50]
        );
        assert_eq!([steps(loops, 32), steps(loops, 48), steps(loops, 50)], [1, 1, 0]);
    }

    /// What the shader counts, in a run whose solver never ends before its bound (each dispatch is one step, and the loop over steps ends
    /// once more).
    #[test]
    fn loops_are_as_many_as_are_told() {
        let list = adapters();
        let at = list.iter().position(|a| a.is_software).expect("a software adapter: mesa-vulkan-drivers");
        for profile in [Profile::Software, Profile::Small] {
            let device = open(&Choice::Index(at)).unwrap().with_profile(profile);
            for (sizes, architecture) in NETWORKS {
                let iterations = 1;
                let mut model = model(sizes, architecture, 1);
                model.program.small.as_mut().unwrap().tolerance = 0.0;
                let model = Arc::new(model);
                let mut executor = Executor::new(&device, Arc::clone(&model)).unwrap();
                executor.set_iterations(iterations);
                let told = instrument(&device, executor.whole.as_mut().unwrap(), iterations);
                let l = &model.layout;
                let n = model.network.neurons();
                executor.write(l.y_seq, &vec![0.5; model.network.n_out()]).unwrap();
                executor.write(l.beta, &vec![0.25; model.network.n_out()]).unwrap();
                executor.write(l.u, &(0..n).map(|i| 0.1 + 0.01 * i as f64).collect::<Vec<_>>()).unwrap();
                for &w in &l.weights {
                    let len = model.program.spec(w).len();
                    executor.write(w, &(0..len).map(|i| 0.01 * (i % 7) as f64).collect::<Vec<_>>()).unwrap();
                }
                let control = StepControl { rate_w: 0.01, rate_b: 0.01, ..StepControl::default() };
                executor.submit(1, &[Work { plan: PlanId::Step, controls: vec![control] }]).unwrap();
                let counted = executor.collect(1).unwrap().solver[crate::kernels::solver::RESIDUAL];
                // Lanes of several populations that wait for one another are told as one that takes all their paths.
                println!("{profile:?} {sizes:?}: {counted} of {told}");
                assert!(counted <= (told + 1) as f64, "{profile:?} {sizes:?}: {counted} of {told}");
                assert!(counted >= 0.8 * told as f64, "{profile:?} {sizes:?}: {counted} of {told}");
            }
        }
    }

    /// Makes a step count its loops; returns how many it is told to have.
    fn instrument(device: &Device, whole: &mut Whole, iterations: usize) -> u64 {
        let sums = ticks::Sums { put: "f32(ticks)", got: "partial[k]", least: "0.0" };
        whole.pipeline = ticks::pipeline(device, super::variant(device), &sums);
        whole.args.loops(device.profile(), whole.iterations(iterations))
    }
}
