//! Plans as dispatches: bind groups and parameters are made once, a step is only recorded.

use std::collections::HashMap;

use super::device::Device;
use super::error::GpuError;
use super::loops;
use super::pipelines::{Pipeline, facts_of};
use super::shaders::Variant;
use super::store::{SLOT, Store};
use crate::kernels::Call;
use crate::kernels::host::Places;
use crate::plan::{Buf, Cost, Op, Plan, PlanId};

/// A dispatch, ready to be recorded.
#[derive(Clone, Copy)]
pub struct Dispatch {
    pipeline: usize,
    group: usize,
    params: u32,
    groups: [u32; 3],
    /// Its kernel.
    pub kernel: &'static str,
    /// What it costs.
    pub cost: Cost,
}

enum Item {
    Dispatch(Dispatch),
    Loop { body: Vec<Item>, at_most: usize },
}

/// What was recorded in a pass.
pub struct SoFar {
    /// The pipeline that is set.
    pipeline: usize,
    dispatches: u64,
}

impl Default for SoFar {
    fn default() -> Self {
        Self { pipeline: usize::MAX, dispatches: 0 }
    }
}

/// All plans of a program as dispatches.
pub struct Recorder {
    plans: Vec<Vec<Item>>,
    bounds: Vec<Item>,
    pipelines: Vec<wgpu::ComputePipeline>,
    groups: Vec<wgpu::BindGroup>,
    params: u64,
}

/// What is shared by all calls while the plans are translated.
struct Maker<'a> {
    device: &'a Device,
    store: &'a Store,
    places: Places<'a>,
    params: Vec<u8>,
    pipelines: Vec<(Variant, Pipeline)>,
    wanted: HashMap<(usize, Vec<Option<Buf>>), usize>,
}

impl Recorder {
    /// Compiles the kernels of all plans, and of one more that bounds weights, and lays out their parameters.
    pub fn new(device: &Device, store: &Store, places: Places, bounds: &Plan) -> Result<Self, GpuError> {
        let mut maker = Maker {
            device,
            store,
            places,
            params: Vec::new(),
            pipelines: Vec::new(),
            wanted: HashMap::new(),
        };
        let plans = places
            .program
            .plans
            .iter()
            .map(|plan| maker.items(&plan.ops))
            .collect::<Result<Vec<_>, GpuError>>()?;
        let bounds = maker.items(&bounds.ops)?;
        let params = maker.upload();
        let groups = maker.bind(&params);
        device.check()?;
        let pipelines = maker.pipelines.into_iter().map(|(_, p)| p.compute).collect();
        Ok(Self { plans, bounds, pipelines, groups, params: params.size() })
    }

    /// Records one run of a plan; `slot` is that of its control values. Returns the number of dispatches.
    pub fn record(&self, pass: &mut wgpu::ComputePass, plan: PlanId, slot: usize, iterations: usize) -> u64 {
        self.all(pass, &self.plans[plan as usize], slot, iterations)
    }

    /// Records the bounds of weights, as [`Recorder::record`].
    pub fn record_bounds(&self, pass: &mut wgpu::ComputePass, slot: usize) -> u64 {
        self.all(pass, &self.bounds, slot, 0)
    }

    fn all(&self, pass: &mut wgpu::ComputePass, items: &[Item], slot: usize, iterations: usize) -> u64 {
        let mut so_far = SoFar::default();
        walk(items, iterations, &mut |dispatch| self.one(pass, dispatch, slot, &mut so_far));
        so_far.dispatches
    }

    /// Shows all dispatches of one run of a plan, in order.
    pub fn each(&self, plan: PlanId, iterations: usize, visit: &mut impl FnMut(&Dispatch)) {
        walk(&self.plans[plan as usize], iterations, visit);
    }

    /// Shows those of the bounds of weights.
    pub fn each_bound(&self, visit: &mut impl FnMut(&Dispatch)) {
        walk(&self.bounds, 0, visit);
    }

    /// Records a dispatch.
    pub fn one(&self, pass: &mut wgpu::ComputePass, d: &Dispatch, slot: usize, so_far: &mut SoFar) {
        if so_far.pipeline != d.pipeline {
            pass.set_pipeline(&self.pipelines[d.pipeline]);
            so_far.pipeline = d.pipeline;
        }
        so_far.dispatches += 1;
        pass.set_bind_group(0, &self.groups[d.group], &[slot as u32 * SLOT as u32, d.params]);
        pass.dispatch_workgroups(d.groups[0], d.groups[1], d.groups[2]);
    }

    /// Bytes of the parameters of all calls.
    pub fn allocated(&self) -> u64 {
        self.params
    }
}

fn walk(items: &[Item], iterations: usize, visit: &mut impl FnMut(&Dispatch)) {
    for item in items {
        match item {
            Item::Dispatch(dispatch) => visit(dispatch),
            Item::Loop { body, at_most } => {
                (0..iterations.min(*at_most)).for_each(|_| walk(body, iterations, visit));
            }
        }
    }
}

impl Maker<'_> {
    fn items(&mut self, ops: &[Op]) -> Result<Vec<Item>, GpuError> {
        let mut items = Vec::new();
        for op in ops {
            match op {
                Op::Call(call) => items.extend(self.dispatch(call)?.map(Item::Dispatch)),
                Op::Loop(l) => items.push(Item::Loop { body: self.items(&l.body)?, at_most: l.at_most }),
            }
        }
        Ok(items)
    }

    /// `None` where there is nothing to compute.
    fn dispatch(&mut self, call: &Call) -> Result<Option<Dispatch>, GpuError> {
        let host = call.host(&self.places)?;
        if host.groups.contains(&0) {
            return Ok(None);
        }
        let (kernel, info) = (call.name(), self.device.info());
        loops::check(kernel, host.loops, info.is_software, &info.name)?;
        let limit = self.device.raw().limits().max_compute_workgroups_per_dimension;
        if let Some(&need) = host.groups.iter().find(|&&g| g > limit) {
            return Err(GpuError::TooManyGroups { kernel, need, limit, adapter: info.name.clone() });
        }
        let pipeline = self.pipeline(Variant {
            kernel,
            profile: host.profile,
            gated: host.gated,
            early: false,
            wide: false,
        });
        let next = self.wanted.len();
        let group = *self.wanted.entry((pipeline, host.bound)).or_insert(next);
        let params = self.params.len() as u32;
        self.params.extend_from_slice(&host.params);
        self.params.resize(self.params.len().next_multiple_of(SLOT as usize), 0);
        let cost = Cost::of(call, self.places.program);
        Ok(Some(Dispatch { pipeline, group, params, groups: host.groups, kernel, cost }))
    }

    fn pipeline(&mut self, variant: Variant) -> usize {
        let variant = variant.canonical();
        if let Some(at) = self.pipelines.iter().position(|(v, _)| *v == variant) {
            return at;
        }
        let made = self.device.pipelines().get(self.device.raw(), variant);
        self.pipelines.push((variant, made));
        self.pipelines.len() - 1
    }

    /// The parameters of all calls, a slot each.
    fn upload(&self) -> wgpu::Buffer {
        let buffer = self.device.raw().create_buffer(&wgpu::BufferDescriptor {
            label: Some("params"),
            size: (self.params.len() as u64).max(SLOT),
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        self.device.queue().write_buffer(&buffer, 0, &self.params);
        buffer
    }

    /// The bind groups, in the order in which they were asked for.
    fn bind(&self, params: &wgpu::Buffer) -> Vec<wgpu::BindGroup> {
        let mut wanted: Vec<_> = self.wanted.iter().collect();
        wanted.sort_by_key(|(_, at)| **at);
        wanted.iter().map(|((pipeline, bound), _)| self.group(*pipeline, bound, params)).collect()
    }

    fn group(&self, pipeline: usize, bound: &[Option<Buf>], params: &wgpu::Buffer) -> wgpu::BindGroup {
        let (variant, made) = &self.pipelines[pipeline];
        let accesses = facts_of(variant.kernel).map_or(&[][..], |f| f.bindings);
        let slot = |buffer| {
            wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                buffer,
                offset: 0,
                size: wgpu::BufferSize::new(SLOT),
            })
        };
        let own = bound
            .iter()
            .zip(accesses)
            .map(|(&buf, &access)| self.store.bound(buf, access, self.places.program));
        let shared = [self.store.arena.as_entire_binding(), slot(&self.store.control), slot(params)];
        let entries: Vec<_> = shared
            .into_iter()
            .chain(own)
            .enumerate()
            .map(|(binding, resource)| wgpu::BindGroupEntry { binding: binding as u32, resource })
            .collect();
        self.device.raw().create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(variant.kernel),
            layout: &made.layout,
            entries: &entries,
        })
    }
}
