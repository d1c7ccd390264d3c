//! The start of a run: the equilibrium for x = 0 (model, section 7).
//!
//! Where one sweep over the populations gives it, `PlanId::Start` does. Elsewhere (cycles, projections into a clamped input, feedback of its own) the network
//! finds it by its own dynamics: at β = 0 and x = 0 without plasticity, `f(t) = f(0) e^{−t/τ}` whatever the graph is.

use crate::dynamics::Model;
use crate::engine::{Engine, EngineError, Precision, Work};
use crate::kernels::record;
use crate::plan::{Buf, PlanId, Role, StepControl};

/// Time constants between two looks at ‖f‖.
const STRETCH: f64 = 5.0;

/// Stretches after which it is given up.
const MOST: usize = 20;

/// ‖f‖ in units of 1 + max |u| that is left where the network rests; above it the start is reported.
const AT_REST: f64 = 1e-4;

/// How a start went.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rest {
    /// Largest ‖f‖ of a trajectory, in units of 1 + max |u|.
    pub f_norm: f64,
    /// Time steps it took; 0 where one sweep is exact.
    pub steps: usize,
}

impl Rest {
    /// Whether the network is at rest: f = 0 but for rounding and slow tails.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        self.f_norm <= AT_REST
    }
}

/// Solver iterations that a GPU records; f falls with fewer than it takes, too.
const ITERATIONS: usize = 8;

/// Brings all trajectories to the equilibrium for x = 0, with u* = their own output, u̇ and its history 0.
///
/// # Errors
/// If the device is lost. A network that does not come to rest is no error: f then decays from what [`Rest::f_norm`] says.
pub fn rest(engine: &mut Engine, precision: Precision) -> Result<Rest, EngineError> {
    engine.run(&[Work::once(PlanId::Start)])?;
    let model = std::sync::Arc::clone(engine.model());
    if model.network.settling_order().is_some() {
        return Ok(Rest { f_norm: 0.0, steps: 0 });
    }
    engine.set_iterations(ITERATIONS.min(model.settings.max_iterations));
    let steps = (STRETCH * model.settings.tau_ms / model.settings.dt_ms).ceil().clamp(1.0, 1e5) as usize;
    // The samples before and after are 0, and so is the ramp between them; row 0 of β is 0.
    let control = StepControl::default();
    let work = [
        Work { plan: PlanId::Step, controls: vec![control; steps] },
        Work { plan: PlanId::Observe, controls: vec![control] },
    ];
    let enough = if precision == Precision::F64 { 1e-12 } else { 1e-6 };
    let mut best = Rest { f_norm: f64::INFINITY, steps: 0 };
    for stretch in 1..=MOST {
        let shot = engine.run(&work)?;
        let rows = || shot.record.chunks_exact(record::LEN);
        // A NaN stays one.
        let worst = rows().map(|r| r[record::F_NORM] / (1.0 + r[record::MAX_U]));
        let f_norm = worst.fold(0.0, |most: f64, f| if most.is_nan() || f <= most { most } else { f });
        let before = best.f_norm;
        best = Rest { f_norm, steps: stretch * steps };
        // No longer falling, at the level of rounding or far above it.
        if f_norm <= enough || !f_norm.is_finite() || f_norm > 0.5 * before {
            break;
        }
    }
    if best.f_norm.is_finite() {
        stand_still(engine)?;
    } else {
        engine.run(&[Work::once(PlanId::Start)])?;
    }
    Ok(best)
}

/// u̇ and its history 0, u* the present output.
fn stand_still(engine: &mut Engine) -> Result<(), EngineError> {
    let model = std::sync::Arc::clone(engine.model());
    let (l, n) = (&model.layout, model.network.neurons());
    let outputs = model.network.outputs();
    let u = engine.read(l.u)?;
    let y: Vec<f64> = u.chunks_exact(n).flat_map(|row| row[outputs.range()].iter().copied()).collect();
    let still = vec![0.0; u.len()];
    for &buf in std::iter::once(&l.u_dot).chain(&l.history) {
        engine.write(buf, &still)?;
    }
    if let Some(micro) = &l.micro {
        engine.write(micro.u_dot, &vec![0.0; model.program.spec(micro.u_dot).len()])?;
    }
    engine.write(l.y, &y)?;
    if !model.program.spec(l.y_new).is_empty() {
        engine.write(l.y_new, &y)?;
    }
    Ok(())
}

/// Buffers with what they hold.
pub(super) type States = Vec<(Buf, Vec<f64>)>;

/// Sets the state of all trajectories to 0, that of a new engine: so that nothing tells of what ran before, were it by rounding.
///
/// # Errors
/// If the device is lost.
pub(super) fn forget(engine: &mut Engine) -> Result<(), EngineError> {
    let model = std::sync::Arc::clone(engine.model());
    for (buf, len) in state_buffers(&model) {
        engine.write(buf, &vec![0.0; len])?;
    }
    Ok(())
}

fn state_buffers(model: &Model) -> impl Iterator<Item = (Buf, usize)> {
    let specs = model.program.buffers.iter().enumerate();
    specs.filter(|(_, s)| s.role == Role::State && !s.is_empty()).map(|(i, s)| (Buf(i as u16), s.len()))
}

/// The state of all trajectories, to be put back with [`Engine::write`].
///
/// # Errors
/// If the device is lost.
pub(super) fn states(engine: &mut Engine) -> Result<States, EngineError> {
    let model = std::sync::Arc::clone(engine.model());
    state_buffers(&model).map(|(buf, _)| Ok((buf, engine.read(buf)?))).collect()
}
