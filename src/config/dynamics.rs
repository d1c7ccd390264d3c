//! Section `[dynamics]`.

use super::error::ConfigError;
use super::item::{Bound, Item};
use super::plasticity::Plasticity;
use super::section::Section;
use crate::dynamics::{
    Dynamics, InputMismatch, Integrator, LearningProducts, MOST_ITERATES, OnIndefinite, PlasticityInDynamics,
    Resident, Settings, SettingsError, Solver,
};
use crate::engine::Precision;
use crate::network::Network;

const KEYS: [&str; 16] = [
    "dynamics",
    "integrator",
    "tau-ms",
    "dt-ms",
    "beta",
    "solver",
    "tolerance",
    "newton-tolerance",
    "newton-iterations",
    "max-iterations",
    "on-indefinite",
    "plasticity-in-dynamics",
    "u-limit",
    "resident-weights",
    "learning-products",
    "input-mismatch",
];

const TIME: &str = "a time in ms, greater than 0";
const BETA: &str = "a nudging strength, 0 or greater, or inf (the output takes its target)";

/// More iterations than a solver may take in a step.
const MOST_ITERATIONS: usize = 1_000_000;

/// Relative residual at which a solve has converged, unless the file says otherwise (model, section 2).
fn default_tolerance(precision: Precision) -> f64 {
    match precision {
        Precision::F32 => 1e-6,
        Precision::F64 => 1e-12,
    }
}

/// Largest residual of f at which a Newton iteration ends, unless the file says otherwise (model, section 2).
fn default_newton_tolerance(precision: Precision) -> f64 {
    match precision {
        Precision::F32 => 1e-6,
        Precision::F64 => 1e-13,
    }
}

/// Reads the section: the settings, and β of each output neuron.
pub(super) fn read(
    item: Item<'_>,
    network: &Network,
    precision: Precision,
    plastic: &Plasticity,
) -> Result<(Settings, Vec<f64>), ConfigError> {
    let section = Section::open(item, &KEYS)?;
    let number = |key: &str, default: f64, bound: Bound, expected: &str| {
        section.get(key).map_or(Ok(default), |item| item.number(bound, expected))
    };
    let base = Settings::default();
    let settings = Settings {
        integrator: choice(&section, "integrator", &Integrator::NAMES, base.integrator)?,
        tau_ms: number("tau-ms", base.tau_ms, Bound::Positive, TIME)?,
        dt_ms: number("dt-ms", base.dt_ms, Bound::Positive, TIME)?,
        solver: choice(&section, "solver", &Solver::NAMES, base.solver)?,
        tolerance: number(
            "tolerance",
            default_tolerance(precision),
            Bound::Fraction,
            "a relative residual, greater than 0 and less than 1",
        )?,
        newton_tolerance: number(
            "newton-tolerance",
            default_newton_tolerance(precision),
            Bound::Positive,
            "a residual of f, greater than 0",
        )?,
        newton_iterations: section
            .get("newton-iterations")
            .map_or(Ok(base.newton_iterations), |item| item.size(1, MOST_ITERATES))?,
        max_iterations: section
            .get("max-iterations")
            .map_or(Ok(base.max_iterations), |item| item.size(1, MOST_ITERATIONS))?,
        on_indefinite: choice(&section, "on-indefinite", &OnIndefinite::NAMES, base.on_indefinite)?,
        plasticity_in_dynamics: choice(
            &section,
            "plasticity-in-dynamics",
            &PlasticityInDynamics::NAMES,
            base.plasticity_in_dynamics,
        )?,
        derivative_clip: plastic.derivative_clip,
        bias: plastic.bias,
        u_limit: number("u-limit", base.u_limit, Bound::Positive, "a voltage greater than 0")?,
        resident: choice(&section, "resident-weights", &Resident::NAMES, base.resident)?,
        learning_products: choice(
            &section,
            "learning-products",
            &LearningProducts::NAMES,
            base.learning_products,
        )?,
        dynamics: choice(&section, "dynamics", &Dynamics::NAMES, base.dynamics)?,
        hard_targets: false,
        input_mismatch: choice(&section, "input-mismatch", &InputMismatch::NAMES, base.input_mismatch)?,
    };
    let beta = beta(&section, network)?;
    let settings = Settings { hard_targets: beta.iter().any(|b| b.is_infinite()), ..settings };
    check(&settings, network, &section)?;
    Ok((settings, beta))
}

fn choice<T: Copy>(
    section: &Section<'_>,
    key: &str,
    names: &[(&'static str, T)],
    default: T,
) -> Result<T, ConfigError> {
    section.get(key).map_or(Ok(default), |item| item.choice(names))
}

fn beta(section: &Section<'_>, network: &Network) -> Result<Vec<f64>, ConfigError> {
    let names: Vec<String> = (0..network.n_out()).map(|i| i.to_string()).collect();
    section.need("beta", &format!("beta = {BETA}"))?.spread(
        "an output neuron",
        &names,
        true,
        "values",
        |item| item.number(Bound::NonNegativeOrInfinite, BETA),
    )
}

/// Maps what the settings find wrong with themselves to the line that says so.
fn check(settings: &Settings, network: &Network, section: &Section<'_>) -> Result<(), ConfigError> {
    let Err(error) = settings.check(network) else { return Ok(()) };
    let (key, expected) = match &error {
        SettingsError::StepTooLarge { tau, .. } => {
            let key = if section.get("dt-ms").is_some() { "dt-ms" } else { "tau-ms" };
            (key, format!("dt-ms less than {}", 2.0 * tau))
        }
        SettingsError::NeedsPiecewiseLinear { .. } => ("solver", "auto, cg, or dense".to_owned()),
        SettingsError::NeedsNla(_) => ("integrator", "exact, euler, richardson1 or richardson2".to_owned()),
        SettingsError::TooLargeForDense { .. } => ("solver", "auto or cg".to_owned()),
        SettingsError::NeedsFeedforward { .. } | SettingsError::NeedsFiniteBeta(_) => {
            ("solver", "auto, cg, or dense".to_owned())
        }
        SettingsError::TooManyForWoodbury(_) => ("solver", "auto, cg or output-cg".to_owned()),
        SettingsError::NeedsSymmetric(_) => ("solver", "auto or bicgstab".to_owned()),
        SettingsError::HardTargetsOfMicrocircuit => ("beta", "a nudging strength less than inf".to_owned()),
        SettingsError::NeedsMicrocircuit => ("solver", "auto, cg or output-cg".to_owned()),
        SettingsError::Network(_) => ("integrator", "a network that can be integrated".to_owned()),
    };
    Err(section.item().texts.error(Some(section.place(key)), error.to_string(), expected))
}
