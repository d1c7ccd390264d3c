//! The loop trap of software adapters.
//!
//! Mesa's llvmpipe up to 22.3 ends every loop of an invocation once the iterations of all its loops together reach 65,535,
//! with wrong results and no message. Each kernel therefore tells how often its busiest invocation loops, each loop counted once more
//! for its end ([`crate::kernels::host::Invocation::loops`]), and what comes too close is refused.

use super::error::GpuError;

/// Most loop iterations of an invocation on a software adapter.
pub const SOFTWARE_LIMIT: u64 = 60_000;

/// Refuses a call that a software adapter would compute wrongly.
///
/// # Errors
/// [`GpuError::TooManyLoops`].
pub fn check(kernel: &'static str, loops: u64, is_software: bool, adapter: &str) -> Result<(), GpuError> {
    if is_software && loops > SOFTWARE_LIMIT {
        let adapter = adapter.to_owned();
        return Err(GpuError::TooManyLoops { kernel, need: loops, limit: SOFTWARE_LIMIT, adapter });
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::expect_used, clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::dynamics::{Features, Model, Settings, StimulusKind};
    use crate::gpu::{Choice, Device, Executor, adapters, open};
    use crate::network::{Activation, InputMode, Network, Population, expand};

    fn software() -> Device {
        let list = adapters();
        let at = list.iter().position(|a| a.is_software);
        let at = at.expect("a software adapter: on Debian and Ubuntu, apt-get install mesa-vulkan-drivers");
        open(&Choice::Index(at)).expect("opened")
    }

    /// 1000 rounds of 58 are 60,000 iterations with those of the outer loop and the ends of the inner one.
    const ROUNDS: &str = "
        @group(0) @binding(0) var<storage, read_write> sums: array<u32>;
        @compute @workgroup_size(1)
        fn main() {
            var sum = 0u;
            for (var i = 0u; i < 1000u; i = i + 1u) {
                for (var k = 0u; k < 58u; k = k + 1u) {
                    sum = sum + (i ^ k) % 7u;
                }
            }
            sums[0] = sum;
        }";

    #[test]
    fn loops_below_the_limit_are_right_on_a_software_adapter() {
        const { assert!(1000 * (1 + 58 + 1) <= SOFTWARE_LIMIT) };
        let device = software();
        let raw = device.raw();
        let buffer = raw.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: 16,
            usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC,
            mapped_at_creation: false,
        });
        let source = wgpu::ShaderSource::Wgsl(ROUNDS.into());
        let module = raw.create_shader_module(wgpu::ShaderModuleDescriptor { label: None, source });
        let pipeline = raw.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: None,
            layout: None,
            module: &module,
            entry_point: None,
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        });
        let group = raw.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &pipeline.get_bind_group_layout(0),
            entries: &[wgpu::BindGroupEntry { binding: 0, resource: buffer.as_entire_binding() }],
        });
        let mut encoder = raw.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        pass.set_pipeline(&pipeline);
        pass.set_bind_group(0, &group, &[]);
        pass.dispatch_workgroups(1, 1, 1);
        drop(pass);
        device.queue().submit([encoder.finish()]);
        let got = crate::gpu::readback::read(&device, &buffer, 0, 16).expect("read")[0];
        let want: u32 = (0..1000_u32).flat_map(|i| (0..58).map(move |k| (i ^ k) % 7)).sum();
        assert_eq!(got, want);
    }

    #[test]
    fn a_plan_that_loops_too_often_is_refused() {
        let population =
            |name: &str, size| Population { name: name.into(), size, bias_factor: 1.0, bias_clip: None };
        let network = Network {
            populations: vec![population("in", 60_000), population("out", 2)],
            projections: expand(2, &[1.0]),
            activation: Activation::Relu,
            input: InputMode::Clamped,
            microcircuit: None,
        };
        let features = Features {
            stimulus: StimulusKind::Samples,
            beta_rows: 1,
            entry_norms: false,
            learning: false,
            unit_range: false,
        };
        let model = Model::new(network, Settings::default(), 1, features).expect("a valid model");
        let error = Executor::new(&software(), Arc::new(model)).err().expect("refused");
        assert!(matches!(error, GpuError::TooManyLoops { kernel: "forward", .. }), "{error}");
        assert!(error.to_string().contains("60041"), "{error}");
    }
}
