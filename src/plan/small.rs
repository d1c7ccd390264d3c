//! The time step of a small network as a whole, for executors that keep it in a cache or in workgroup memory.

use super::{Buf, Cols};

/// A projection with its weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Block {
    /// W, `[post, pre]`.
    pub w: Buf,
    /// Ẇ, where it enters the dynamics.
    pub w_dot: Option<Buf>,
    /// Learning-rate factor of the projection; 0 where W does not learn.
    pub factor: f64,
    /// No neuron projects onto itself.
    pub hollow: bool,
    /// Bound of |W|.
    pub clip: Option<f64>,
    /// Columns of the presynaptic population.
    pub pre: Cols,
    /// Columns of the postsynaptic population.
    pub post: Cols,
}

/// What a whole time step of `exact` needs: [`crate::plan::PlanId::Step`] is its plain twin, call by call.
///
/// On the processor `H u̇ = rhs` is solved by conjugate gradients that are preconditioned with P, the inverse of the mean of H over the
/// trajectories, which is made anew every [`PERIOD`] steps. Weights and voltages change little in that time, so that P H is close to the
/// identity. A GPU, whose workgroups would be long over an inversion, takes the sweeps of the plan instead, iteration by iteration, and has no
/// P.
#[derive(Clone, Debug, PartialEq)]
pub struct Small {
    /// All projections.
    pub blocks: Vec<Block>,
    /// P, `[N, N]`; in the first of its elements packed in 16 bits where the processor multiplies it so.
    pub inverse: Buf,
    /// Steps since P was made, modulo [`PERIOD`]; a half more where P is packed.
    pub age: Buf,
    /// `Wᵀδ`, `[batch, N]`.
    pub apical: Buf,
    /// Ẇ is never bounded, so that it need not be formed.
    pub in_factors: bool,
    /// Relative residual at which a trajectory has converged.
    pub tolerance: f64,
    /// Upper bound of iterations.
    pub at_most: usize,
}

/// Steps between two inversions: one costs as much as a few solver iterations of each step in between.
pub const PERIOD: usize = 32;

/// Largest number of neurons of a small network: P has the square of it, and one inversion takes the cube.
pub const LIMIT: usize = 256;
