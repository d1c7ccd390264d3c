//! From lists to cases.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::anyhow;

use super::{Args, lists};
use crate::bench::scaling::{Quantity, Shape};
use crate::bench::{BenchError, Case, Layered, Machine, PlanChoice, Row, Subject};
use crate::cli::{Failure, device, say};
use crate::config::{DeviceChoice, Experiment};
use crate::dynamics::Integrator;
use crate::engine::{Device, Precision};
use crate::network::{Activation, Architecture};
use crate::tune::Request;

/// What is to be measured.
pub(super) struct Plan {
    pub devices: Vec<Device>,
    /// Cases with what is known of them, and the quantity of a scaling that they belong to.
    pub cases: Vec<(Case, Row, Option<Quantity>)>,
}

/// A network with the batch, steps and quantity that go with it; empty lists stand for what was asked for.
struct Start {
    subject: Arc<Subject>,
    batch: Vec<usize>,
    steps: Vec<usize>,
    quantity: Option<Quantity>,
}

/// Lists that every network is combined with.
struct Lists {
    /// Device, precision, threads.
    where_: Vec<(usize, Precision, Option<usize>)>,
    integrators: Option<Vec<Integrator>>,
    plans: Vec<PlanChoice>,
    learn: Vec<bool>,
    tiles: Vec<Request>,
    /// Of each device, whether it is an adapter.
    adapters: Vec<bool>,
}

/// Reads the lists, opens the devices, and checks that every case can be built.
pub(super) fn plan(args: &Args) -> Result<Plan, Failure> {
    let experiment = experiment(args)?;
    let starts = starts(args, experiment.as_ref())?;
    let (devices, where_) = devices(args, experiment.as_ref())?;
    let default = if args.scaling.is_some() { "plain,auto" } else { "auto" };
    let on_off = [("on", true), ("off", false)];
    let or = |list: &Option<String>, default: &str| list.clone().unwrap_or_else(|| default.to_owned());
    let integrators =
        args.integrator.as_deref().map(|text| lists::choices("--integrator", text, &Integrator::NAMES));
    let lists = Lists {
        where_,
        integrators: integrators.transpose()?,
        plans: lists::choices("--plan", &or(&args.plan, default), &PlanChoice::NAMES)?,
        learn: lists::choices("--learn", &or(&args.learn, "on"), &on_off)?,
        tiles: tiles(args, &devices)?,
        adapters: devices.iter().map(|device| matches!(device, Device::Gpu(_))).collect(),
    };
    let overrides = overrides(args);
    let machine = Machine::here();
    let mut cases = Vec::new();
    for case in starts.iter().flat_map(|start| of_start(start, &lists)) {
        let (case, quantity) = case;
        let row = Row::of_case(&case, &devices[case.device], &machine);
        let row = Row { overrides: overrides.clone(), ..row };
        match case.model() {
            Ok((_, runs)) => cases.push((case, row, quantity, runs)),
            Err(BenchError::NotResident) if lists.plans.len() > 1 => {
                say(&format!("left out: resident weights do not apply: {}", row.key()));
            }
            Err(error) => return Err(Failure::usage(anyhow!("{}: {error}", row.key()))),
        }
    }
    // A plan that is the plain one at all values is no curve of its own.
    let twin = |quantity: Option<Quantity>| {
        let mut auto = cases.iter().filter(|c| c.2 == quantity && c.0.plan == PlanChoice::Auto);
        args.scaling.is_some() && args.plan.is_none() && auto.all(|c| c.3 == "plain")
    };
    let kept: Vec<bool> = cases.iter().map(|c| c.0.plan != PlanChoice::Auto || !twin(c.2)).collect();
    let kept = cases.into_iter().zip(kept).filter(|(_, kept)| *kept);
    Ok(Plan { devices, cases: kept.map(|((case, row, quantity, _), _)| (case, row, quantity)).collect() })
}

/// What an adapter is asked for. The processor has no tiles.
fn tiles(args: &Args, devices: &[Device]) -> Result<Vec<Request>, Failure> {
    if let Some(text) = &args.tiles {
        if devices.iter().all(|device| matches!(device, Device::Cpu(_))) {
            return Err(Failure::usage(anyhow!(
                "--tiles {text}: the processor has no tiles; leave it out, or choose an adapter with --device"
            )));
        }
        return lists::choices("--tiles", text, &Request::NAMES);
    }
    Ok(vec![if args.no_autotune { Request::Class } else { Request::Usual }])
}

/// The keys that were set on the command line, the last value of each.
fn overrides(args: &Args) -> String {
    let pairs = args.experiment.overrides.iter().filter_map(|set| set.split_once('='));
    let all: BTreeMap<&str, &str> = pairs.map(|(key, value)| (key.trim(), value.trim())).collect();
    all.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
}

fn experiment(args: &Args) -> Result<Option<Experiment>, Failure> {
    if args.experiment.config.is_none() {
        return match args.experiment.overrides.first() {
            Some(set) => Err(Failure::usage(anyhow!("--set {set}: goes with --config FILE alone"))),
            None => Ok(None),
        };
    }
    let source = args.experiment.source()?;
    Experiment::load(&source, &args.experiment.overrides(&[])?).map(Some).map_err(Failure::usage)
}

/// Networks with the lists that are their own.
fn starts(args: &Args, experiment: Option<&Experiment>) -> Result<Vec<Start>, Failure> {
    let list =
        |flag: &str, text: &Option<String>| text.as_deref().map(|t| lists::numbers(flag, t)).transpose();
    let (batch, steps) = (list("--batch", &args.batch)?, list("--steps", &args.steps)?);
    if let Some(e) = experiment {
        let subject = Arc::new(Subject::of_experiment(e));
        let [own_batch, own_steps] = subject.defaults;
        let (batch, steps) = (batch.unwrap_or(vec![own_batch]), steps.unwrap_or(vec![own_steps]));
        return Ok(vec![Start { subject, batch, steps, quantity: None }]);
    }
    let networks = args.networks.as_deref().map(|text| lists::networks("--networks", text)).transpose()?;
    let or = |list: &Option<String>, default: &str| list.clone().unwrap_or_else(|| default.to_owned());
    let activations =
        lists::choices("--activation", &or(&args.activation, "hard-sigmoid"), &Activation::NAMES)?;
    let named: Vec<_> = Architecture::NAMES.into_iter().filter(|(_, a)| *a != Architecture::Custom).collect();
    let architectures = args
        .architecture
        .as_deref()
        .map(|text| lists::choices("--architecture", text, &named))
        .transpose()?;
    let how = |architecture, activation| Layered {
        architecture,
        activation,
        dt_ms: args.dt_ms,
        tolerance: args.tolerance,
    };
    if let Some(text) = &args.scaling {
        let asked = Asked { networks, architectures, batch, steps };
        return scaled(text, args, &asked, |shape, architecture| {
            let how = how(architecture, activations[0]);
            Arc::new(Subject::layered(&shape.sizes, how))
        });
    }
    let networks = networks.unwrap_or_else(|| vec![vec![784, 500, 10], vec![784, 300, 100, 10]]);
    let (batch, steps) = (batch.unwrap_or(vec![1, 32, 128]), steps.unwrap_or(vec![100]));
    let mut all = Vec::new();
    for sizes in &networks {
        for &architecture in architectures.as_deref().unwrap_or(&[Architecture::LayeredFeedforward]) {
            for &activation in &activations {
                let subject = Arc::new(Subject::layered(sizes, how(architecture, activation)));
                all.push(Start { subject, batch: batch.clone(), steps: steps.clone(), quantity: None });
            }
        }
    }
    Ok(all)
}

/// What of the shape of a scaling was asked for.
struct Asked {
    networks: Option<Vec<Vec<usize>>>,
    architectures: Option<Vec<Architecture>>,
    batch: Option<Vec<usize>>,
    steps: Option<Vec<usize>>,
}

/// A start for each value of each quantity.
fn scaled(
    text: &str,
    args: &Args,
    asked: &Asked,
    subject: impl Fn(&Shape, Architecture) -> Arc<Subject>,
) -> Result<Vec<Start>, Failure> {
    let quantities = if text == "all" {
        Quantity::NAMES.map(|(_, quantity)| quantity).to_vec()
    } else {
        lists::choices("--scaling", text, &Quantity::NAMES)?
    };
    let values = args.values.as_deref().map(|t| lists::numbers("--values", t)).transpose()?;
    if values.is_some() && quantities.len() > 1 {
        return Err(Failure::usage(anyhow!("--values: give one quantity with --scaling, not {text}")));
    }
    let single = |flag: &str, count: Option<usize>| match count {
        Some(count) if count > 1 => {
            Err(Failure::usage(anyhow!("{flag}: --scaling takes one value, {count} were given")))
        }
        _ => Ok(()),
    };
    single("--networks", asked.networks.as_ref().map(Vec::len))?;
    single("--architecture", asked.architectures.as_ref().map(Vec::len))?;
    single("--batch", asked.batch.as_ref().map(Vec::len))?;
    single("--steps", asked.steps.as_ref().map(Vec::len))?;
    let activations = args.activation.as_deref().map(|text| text.split(',').count());
    single("--activation", activations)?;
    for &quantity in quantities.iter().filter(|_| quantities.len() == 1) {
        unused(quantity, asked)?;
    }
    let mut all = Vec::new();
    for quantity in quantities {
        let mut base = quantity.base();
        // A recurrent population has a shape of its own.
        if let Some(networks) = asked.networks.as_ref().filter(|_| quantity != Quantity::Neurons) {
            base.sizes.clone_from(&networks[0]);
        }
        if let Some(architectures) = asked.architectures.as_ref().filter(|_| quantity != Quantity::Neurons) {
            base.architecture = architectures[0];
        }
        base.batch = asked.batch.as_ref().map_or(base.batch, |list| list[0]);
        base.steps = asked.steps.as_ref().map_or(base.steps, |list| list[0]);
        for value in values.clone().unwrap_or_else(|| quantity.values()) {
            let shape = quantity.shape(&base, value);
            let (batch, steps) = (vec![shape.batch], vec![shape.steps]);
            let subject = subject(&shape, shape.architecture);
            all.push(Start { subject, batch, steps, quantity: Some(quantity) });
        }
    }
    Ok(all)
}

/// Refuses what one quantity does not leave free; of several, each takes what applies to it.
fn unused(quantity: Quantity, asked: &Asked) -> Result<(), Failure> {
    let own = match quantity {
        Quantity::Batch if asked.batch.is_some() => "--batch",
        Quantity::Steps if asked.steps.is_some() => "--steps",
        Quantity::Neurons if asked.networks.is_some() => "--networks",
        Quantity::Neurons if asked.architectures.is_some() => {
            return Err(Failure::usage(anyhow!(
                "--architecture: --scaling neurons is of one fully recurrent population; leave it out, or take another quantity"
            )));
        }
        _ => return Ok(()),
    };
    Err(Failure::usage(anyhow!(
        "{own}: --scaling {} varies that itself; give its values with --values",
        quantity.name()
    )))
}

/// The devices, and where cases run on them.
#[allow(clippy::type_complexity)]
fn devices(
    args: &Args,
    experiment: Option<&Experiment>,
) -> Result<(Vec<Device>, Vec<(usize, Precision, Option<usize>)>), Failure> {
    let own = experiment.map(|e| (e.run.device.to_string(), e.run.precision.name().to_owned()));
    let (own_device, own_precision) = own.unwrap_or(("auto".into(), "f32".into()));
    let names = args.device.as_deref().unwrap_or(&own_device);
    let precisions = args.precision.as_deref().unwrap_or(&own_precision);
    let precisions = lists::choices("--precision", precisions, &Precision::NAMES)?;
    let threads = args.threads.as_deref().map(|t| lists::numbers("--threads", t)).transpose()?;
    let threads: Vec<Option<usize>> =
        threads.map_or_else(|| vec![None], |all| all.into_iter().map(Some).collect());
    let (mut devices, mut where_) = (Vec::new(), Vec::new());
    for name in lists::texts("--device", names)? {
        for &precision in &precisions {
            let choice = DeviceChoice::parse(name);
            let on_cpu = matches!(choice, DeviceChoice::Cpu | DeviceChoice::Auto);
            if !on_cpu && precision == Precision::F64 && precisions.len() > 1 {
                say(&format!("left out: device '{name}' computes in f32 only"));
                continue;
            }
            let device = device::open(&choice, precision)?;
            let many = if matches!(device, Device::Cpu(_)) { threads.as_slice() } else { &[None] };
            where_.extend(many.iter().map(|&threads| (devices.len(), precision, threads)));
            devices.push(device);
        }
    }
    Ok((devices, where_))
}

/// All cases of a network.
fn of_start<'a>(
    start: &'a Start,
    lists: &'a Lists,
) -> impl Iterator<Item = (Case, Option<Quantity>)> + use<'a> {
    let own = [start.subject.settings.integrator];
    let integrators = lists.integrators.clone().unwrap_or_else(|| own.to_vec());
    let mut all = Vec::new();
    for &(device, precision, threads) in &lists.where_ {
        let tiles = if lists.adapters[device] { lists.tiles.as_slice() } else { &[Request::Class] };
        for &integrator in &integrators {
            for &plan in &lists.plans {
                for &learn in &lists.learn {
                    for &batch in &start.batch {
                        for &steps in &start.steps {
                            let case = |tiles| Case {
                                subject: Arc::clone(&start.subject),
                                integrator,
                                plan,
                                learn,
                                batch,
                                steps,
                                device,
                                precision,
                                threads,
                                tiles,
                            };
                            all.extend(tiles.iter().map(|&tiles| (case(tiles), start.quantity)));
                        }
                    }
                }
            }
        }
    }
    all.into_iter()
}
