//! What a simulation is given.

use super::{MicrocircuitInput, SimulationError};
use crate::network::{Network, Parameters};

/// Stimulus, parameters and the state at the start; all arrays row-major, T steps, B trajectories, N neurons. Time in ms, voltages
/// dimensionless.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SimulationInput {
    /// T.
    pub steps: usize,
    /// B.
    pub batch: usize,
    /// Input x of each step, `[T, B, n_in]`.
    pub x: Vec<f64>,
    /// Target u* of each step, `[T, B, n_out]`.
    pub y: Vec<f64>,
    /// Nudging strength β of each step, `[T, n_out]`.
    pub beta: Vec<f64>,
    /// Whether W and b learn, `[T]`.
    pub learn: Vec<bool>,
    /// Initial W (a block `[post, pre]` a projection) and b (`[N]`).
    pub parameters: Parameters,
    /// Voltages before the first step, `[B, N]`. A clamped input starts on these, not on `x_prev`.
    pub u0: Vec<f64>,
    /// x before the first step, `[B, n_in]`.
    pub x_prev: Vec<f64>,
    /// u* before the first step, `[B, n_out]`.
    pub y_prev: Vec<f64>,
    /// u̇ of the step before the first, `[B, N]`; `None` = 0.
    pub u_dot0: Option<Vec<f64>>,
    /// u̇ two, three and four steps before the first, `[B, N]` each, for a restart of the Richardson schemes; those that are not given
    /// are 0, those that a scheme does not need are ignored.
    pub history: Vec<Vec<f64>>,
    /// Trajectories that take part, `[B]`; the others hold their state and do not teach. `None` = all.
    pub active: Option<Vec<bool>>,
    /// Of a microcircuit.
    pub microcircuit: MicrocircuitInput,
}

impl SimulationInput {
    /// Checks every length against the network.
    ///
    /// # Errors
    /// [`SimulationError::NoTrajectory`], or [`SimulationError::Length`] for the first that does not match.
    pub fn check(&self, network: &Network) -> Result<(), SimulationError> {
        let (t, b, n) = (self.steps, self.batch, network.neurons());
        let (n_in, n_out) = (network.n_in(), network.n_out());
        if b == 0 {
            return Err(SimulationError::NoTrajectory);
        }
        length("x", "[T, B, n_in]", t * b * n_in, self.x.len())?;
        length("y", "[T, B, n_out]", t * b * n_out, self.y.len())?;
        length("beta", "[T, n_out]", t * n_out, self.beta.len())?;
        length("learn", "[T]", t, self.learn.len())?;
        length(
            "weights",
            "one block a projection",
            network.projections.len(),
            self.parameters.weights.len(),
        )?;
        for (k, (p, w)) in network.projections.iter().zip(&self.parameters.weights).enumerate() {
            let want = network.populations[p.pre].size * network.populations[p.post].size;
            length(&format!("W:{}", network.projection_name(k)), "[post, pre]", want, w.len())?;
        }
        length("b", "[N]", n, self.parameters.biases.len())?;
        length("u0", "[B, N]", b * n, self.u0.len())?;
        length("x_prev", "[B, n_in]", b * n_in, self.x_prev.len())?;
        length("y_prev", "[B, n_out]", b * n_out, self.y_prev.len())?;
        if let Some(u_dot) = &self.u_dot0 {
            length("u_dot0", "[B, N]", b * n, u_dot.len())?;
        }
        self.microcircuit.check(network, &self.parameters.microcircuit, (t, b))?;
        for (k, past) in self.history.iter().enumerate() {
            length(&format!("u_dot_{}", k + 2), "[B, N]", b * n, past.len())?;
        }
        self.active.as_ref().map_or(Ok(()), |active| length("active", "[B]", b, active.len()))
    }

    /// Number of trajectories that take part.
    #[must_use]
    pub fn active_count(&self) -> usize {
        self.active.as_ref().map_or(self.batch, |a| a.iter().filter(|on| **on).count())
    }
}

pub(super) fn length(name: &str, shape: &str, want: usize, got: usize) -> Result<(), SimulationError> {
    if want == got {
        return Ok(());
    }
    Err(SimulationError::Length { name: name.into(), want, got, shape: shape.into() })
}
