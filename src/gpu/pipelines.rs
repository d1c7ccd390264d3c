//! Compiled shaders of a device.

use std::collections::HashMap;

use super::shaders::Variant;
use crate::kernels::FACTS;
use crate::kernels::host::{Access, Facts};

/// A compiled kernel with the layout of its bindings.
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// The compiled kernel.
    pub compute: wgpu::ComputePipeline,
    /// The layout of its one bind group.
    pub layout: wgpu::BindGroupLayout,
}

/// All pipelines compiled so far.
#[derive(Default)]
pub struct Pipelines {
    ready: HashMap<Variant, Pipeline>,
}

impl Pipelines {
    /// The pipeline of a call, compiled where it is not there yet.
    pub fn get(&mut self, device: &wgpu::Device, variant: Variant) -> Pipeline {
        let variant = variant.canonical();
        self.ready.entry(variant).or_insert_with(|| compile(device, &variant)).clone()
    }
}

/// What is known of a kernel.
#[must_use]
pub fn facts_of(name: &str) -> Option<&'static Facts> {
    FACTS.iter().find(|f| f.name == name)
}

/// Whether shaders are compiled with bounds checks: in debug builds, or where `LAGRANGE_GPU_CHECKED` is 1.
#[must_use]
pub fn checked() -> bool {
    cfg!(debug_assertions) || std::env::var("LAGRANGE_GPU_CHECKED").is_ok_and(|v| v == "1")
}

fn compile(device: &wgpu::Device, variant: &Variant) -> Pipeline {
    let desc = wgpu::ShaderModuleDescriptor {
        label: Some(variant.kernel),
        source: wgpu::ShaderSource::Wgsl(variant.source().into()),
    };
    let module = if checked() {
        device.create_shader_module(desc)
    } else {
        // SAFETY: the shaders are those of this crate. Every index is bounded by the sizes in their parameters, which come from the same
        // program as the buffers; every loop ends; `.ci/run` runs them with the checks on.
        unsafe { device.create_shader_module_trusted(desc, wgpu::ShaderRuntimeChecks::unchecked()) }
    };
    let layout = group_layout(device, variant.kernel);
    let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(variant.kernel),
        bind_group_layouts: &[Some(&layout)],
        ..Default::default()
    });
    let compute = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(variant.kernel),
        layout: Some(&pipeline_layout),
        module: &module,
        entry_point: Some("main"),
        compilation_options: wgpu::PipelineCompilationOptions {
            constants: &variant.constants(),
            // Every kernel writes workgroup memory before it reads it.
            zero_initialize_workgroup_memory: checked(),
        },
        cache: None,
    });
    Pipeline { compute, layout }
}

/// State, control and parameters, then the kernel's own storage bindings.
fn group_layout(device: &wgpu::Device, kernel: &str) -> wgpu::BindGroupLayout {
    let own = facts_of(kernel).map_or(&[][..], |f| f.bindings);
    let storage = |read_only: bool| wgpu::BufferBindingType::Storage { read_only };
    let kinds = [
        (storage(false), false),
        (wgpu::BufferBindingType::Uniform, true),
        (wgpu::BufferBindingType::Uniform, true),
    ]
    .into_iter()
    .chain(own.iter().map(|&access| (storage(access == Access::Read), false)));
    let entries: Vec<_> = kinds
        .enumerate()
        .map(|(binding, (ty, has_dynamic_offset))| wgpu::BindGroupLayoutEntry {
            binding: binding as u32,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset, min_binding_size: None },
            count: None,
        })
        .collect();
    device
        .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some(kernel), entries: &entries })
}
