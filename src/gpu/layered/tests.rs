//! How often the loops of a layered step run, against a shader that counts them.

use std::sync::Arc;

use super::*;
use crate::dynamics::{Features, Model, Resident, Settings};
use crate::engine::Work;
use crate::gpu::{Choice, Executor, Profile, adapters, open, ticks};
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

/// Makes a step count its loops; returns how many it is told to have.
fn instrument(device: &Device, layered: &mut Layered, iterations: usize) -> u64 {
    let variant = variants(device, layered.plan.wide)[0];
    // The largest of all steps and groups.
    let least = "state[params.solver + RESIDUAL]";
    let sums = ticks::Sums { put: "V(f32(ticks))", got: "one_of(partial[k], 0u)", least };
    layered.pipelines[0] = ticks::pipeline(device, variant, &sums);
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
