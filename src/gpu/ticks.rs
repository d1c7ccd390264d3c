//! For tests: a shader that counts the iterations of its loops.

use super::device::Device;
use super::shaders::Variant;

/// How a shader keeps its partial sums, of which the counts take the place.
pub(super) struct Sums {
    /// `f32(ticks)` as an element of `partial`.
    pub put: &'static str,
    /// The number in `partial[k]`.
    pub got: &'static str,
    /// What the largest count is at least.
    pub least: &'static str,
}

/// The shader with a counter in every loop and before it, for its end; the largest count of an invocation goes where the residual is booked.
fn source(variant: &Variant, sums: &Sums) -> String {
    let mut source = String::from("var<private> ticks: u32;\nfn tick() { ticks = ticks + 1u; }\n");
    let text = variant.source();
    let mut rest = text.as_str();
    while let Some(at) = rest.find("for (") {
        let open = at + rest[at..].find('{').expect("a body") + 1;
        source.push_str(&format!("{}tick(); {} tick();", &rest[..at], &rest[at..open]));
        rest = &rest[open..];
    }
    source.push_str(rest.trim_end().trim_end_matches('}'));
    let Sums { put, got, least } = sums;
    source.push_str(&format!(
        "workgroupBarrier();
        partial[lane] = {put};
        workgroupBarrier();
        if (lane == 0u) {{
            var most = {least};
            for (var k = 0u; k < LANES; k = k + 1u) {{ most = max(most, {got}); }}
            state[params.solver + RESIDUAL] = most;
        }}
        }}"
    ));
    source
}

/// The pipeline of a shader that counts.
pub(super) fn pipeline(device: &Device, variant: Variant, sums: &Sums) -> wgpu::ComputePipeline {
    let layout = device.pipelines().get(device.raw(), variant).layout;
    let source = wgpu::ShaderSource::Wgsl(source(&variant, sums).into());
    let module = device.raw().create_shader_module(wgpu::ShaderModuleDescriptor { label: None, source });
    let groups = [Some(&layout)];
    let layout = device.raw().create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        bind_group_layouts: &groups,
        ..Default::default()
    });
    device.raw().create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: None,
        layout: Some(&layout),
        module: &module,
        entry_point: Some("main"),
        compilation_options: wgpu::PipelineCompilationOptions {
            constants: &variant.constants(),
            zero_initialize_workgroup_memory: false,
        },
        cache: None,
    })
}
