//! The time step of a layered feedforward network with resident weights as a whole, for executors that keep its trajectories in panels.

use super::{Buf, Cols};
use crate::network::Activation;

/// A free population with what projects into it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Layer {
    /// Its columns among all neurons.
    pub cols: Cols,
    /// W from the population before, `[post, pre]`; that of the first one is resident.
    pub w: Buf,
    /// Learning-rate factor of the projection; 0 where W does not learn.
    pub factor: f64,
    /// Bound of |W|.
    pub clip: Option<f64>,
    /// Bound of |b|.
    pub bias_clip: Option<f64>,
}

/// What a whole time step of `exact` with resident weights needs: [`crate::plan::PlanId::ResidentStep`] is its plain twin, call by call. The
/// system is solved by conjugate gradients over the outputs (`ρ'' = 0`). W and b lie within their clips at the start: the first step of a presentation,
/// call by call, sees to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Layered {
    /// The free populations in their order.
    pub layers: Vec<Layer>,
    /// ρ.
    pub activation: Activation,
    /// Samples: the presynaptic rates of the first layer, before and after the ramp, `[batch, n_in]`.
    pub x: [Buf; 2],
    /// Overlaps old·old, old·new, new·new, `[batch, batch]`.
    pub gram: [Buf; 3],
    /// W r_old and W r_new, `[batch, N]`.
    pub v: [Buf; 2],
    /// What W learns at the end of the presentation, `[batch, N]`.
    pub a: [Buf; 2],
    /// b, `[1, N]`.
    pub biases: Buf,
    /// Factors of the learning rate of b, `[1, N]`.
    pub bias_factors: Buf,
    /// u, `[batch, N]`.
    pub u: Buf,
    /// u̇, `[batch, N]`.
    pub u_dot: Buf,
    /// u* before and after the ramp, `[batch, n_out]`.
    pub targets: [Buf; 2],
    /// u*, `[batch, n_out]`.
    pub y: Buf,
    /// u̇*, `[batch, n_out]`.
    pub y_dot: Buf,
    /// β, `[rows, n_out]`.
    pub beta: Buf,
    /// 1 where a trajectory has a sample, `[batch, 1]`.
    pub active: Buf,
    /// Books of the solver, `[batch, 9]`.
    pub solver: Buf,
    /// Status words, `[3, batch]`.
    pub status: Buf,
    /// Ẇ enters the dynamics.
    pub weights_in_dynamics: bool,
    /// ḃ enters the dynamics.
    pub biases_in_dynamics: bool,
    /// Relative residual at which a trajectory has converged.
    pub tolerance: f64,
    /// Upper bound of iterations.
    pub at_most: usize,
    /// Time step in ms.
    pub dt_ms: f64,
    /// τ in ms.
    pub tau_ms: f64,
    /// Bound of |u|.
    pub u_limit: f64,
    /// In f32, what weights learn may be summed in products of short numbers where the processor multiplies tiles of those.
    pub short: bool,
}

/// Largest batch: panels of overlaps take its square in memory once more.
pub const LIMIT: usize = 2048;

impl Layered {
    /// Neurons of the last layer.
    #[must_use]
    pub fn n_out(&self) -> usize {
        self.layers.last().map_or(0, |l| l.cols.len)
    }
}
