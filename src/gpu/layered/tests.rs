//! How often the loops of a layered step run, against a shader that counts them.

use std::sync::Arc;

use super::*;
use crate::dynamics::{Features, Model, Resident, Settings};
use crate::engine::Work;
use crate::gpu::{Choice, Executor, Profile, adapters, open};
use crate::network::{Activation, InputMode, Network, Population, expand};

fn model(sizes: &[usize], batch: usize) -> Model {
    let population = |(i, &size): (usize, &usize)| Population {
        name: format!("p{i}"),
        size,
        bias_factor: 1.0,
        bias_clip: None,
    };
    let network = Network {
        populations: sizes.iter().enumerate().map(population).collect(),
        projections: expand(sizes.len(), &[1.0]),
        activation: Activation::Linear,
        input: InputMode::Rates,
        microcircuit: None,
    };
    let settings = Settings { resident: Resident::Always, ..Settings::default() };
    let mut model = Model::new(network, settings, batch, Features::training(true)).unwrap();
    // The solver never ends before its bound.
    model.program.layered.as_mut().unwrap().tolerance = 0.0;
    model
}

/// The shader with a counter in every loop and before it, for its end; the largest count of an invocation goes where the residual is booked.
fn counting(variant: &Variant) -> String {
    let mut source = String::from("var<private> ticks: u32;\nfn tick() { ticks = ticks + 1u; }\n");
    let text = variant.source();
    let mut rest = text.as_str();
    while let Some(at) = rest.find("for (") {
        let open = at + rest[at..].find('{').expect("a body") + 1;
        source.push_str(&format!("{}tick(); {} tick();", &rest[..at], &rest[at..open]));
        rest = &rest[open..];
    }
    source.push_str(rest.trim_end().trim_end_matches('}'));
    source.push_str(
        "workgroupBarrier();
        partial[lane] = V(f32(ticks));
        workgroupBarrier();
        if (lane == 0u) {
            var most = state[params.solver + RESIDUAL];
            for (var k = 0u; k < LANES; k = k + 1u) { most = max(most, one_of(partial[k], 0u)); }
            state[params.solver + RESIDUAL] = most;
        }
        }",
    );
    source
}

/// Makes a step count its loops; returns how many it is told to have.
fn instrument(device: &Device, layered: &mut Layered, iterations: usize) -> u64 {
    let variant = variants(device, layered.plan.wide)[0];
    let layout = device.pipelines().get(device.raw(), variant).layout;
    let source = wgpu::ShaderSource::Wgsl(counting(&variant).into());
    let module = device.raw().create_shader_module(wgpu::ShaderModuleDescriptor { label: None, source });
    let groups = [Some(&layout)];
    let layout = device.raw().create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        bind_group_layouts: &groups,
        ..Default::default()
    });
    layered.pipelines[0] = device.raw().create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: None,
        layout: Some(&layout),
        module: &module,
        entry_point: Some("main"),
        compilation_options: wgpu::PipelineCompilationOptions {
            constants: &variant.constants(),
            zero_initialize_workgroup_memory: false,
        },
        cache: None,
    });
    let group = layered_step::group(layered.plan.wide);
    layered.plan.table.loops(group, layered.iterations(iterations))
}

#[test]
fn loops_are_as_many_as_are_told() {
    let list = adapters();
    let at = list.iter().position(|a| a.is_software).expect("a software adapter: mesa-vulkan-drivers");
    for (sizes, batch, profile) in
        [(&[7, 90, 71, 33][..], 5, Profile::Software), (&[5, 300, 20, 40], 2, Profile::Small)]
    {
        let device = open(&Choice::Index(at)).unwrap().with_profile(profile);
        let model = Arc::new(model(sizes, batch));
        let mut executor = Executor::new(&device, Arc::clone(&model)).unwrap();
        executor.set_iterations(2);
        let told = instrument(&device, executor.layered.as_mut().unwrap(), 2);
        let (l, net) = (&model.layout, &model.network);
        executor.write(l.beta, &vec![0.25; 2 * net.n_out()]).unwrap();
        let u: Vec<f64> = (0..batch * net.neurons()).map(|i| 0.01 * ((i * 7) % 23) as f64).collect();
        executor.write(l.u, &u).unwrap();
        for &w in &l.weights {
            let len = model.program.spec(w).len();
            executor.write(w, &(0..len).map(|i| 0.01 * ((i * 5) % 7) as f64).collect::<Vec<_>>()).unwrap();
        }
        let control = StepControl { rate_w: 0.01, rate_b: 0.01, ..StepControl::default() };
        executor.submit(1, &[Work { plan: PlanId::ResidentStep, controls: vec![control; 3] }]).unwrap();
        let counted = executor.collect(1).unwrap().solver[crate::kernels::solver::RESIDUAL];
        println!("{profile:?} {sizes:?}, {batch}: {counted} of {told}");
        assert!(counted <= told as f64, "{profile:?} {sizes:?}, {batch}: {counted} of {told}");
        // Of a share of a sum as many are told as of the longest.
        assert!(counted >= 0.6 * told as f64, "{profile:?} {sizes:?}, {batch}: {counted} of {told}");
    }
}

/// Layers whose products loop too often on a software adapter run call by call, and so do those that are too wide for a workgroup.
#[test]
fn only_where_an_adapter_bears_it() {
    let list = adapters();
    let at = list.iter().position(|a| a.is_software).expect("a software adapter: mesa-vulkan-drivers");
    let device = open(&Choice::Index(at)).unwrap();
    let fits = |sizes: &[usize], batch| {
        let executor = Executor::new(&device, Arc::new(model(sizes, batch))).unwrap();
        executor.layered.as_ref().is_some_and(|layered| layered.fits(8))
    };
    assert!(fits(&[4, 300, 100, 10], 3));
    assert!(!fits(&[4, 1500, 1500, 10], 3), "loops");
    assert!(!fits(&[4, 3100, 2], 1), "room");
}
