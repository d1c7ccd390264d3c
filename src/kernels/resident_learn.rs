//! Plasticity of a projection from a clamped input population without touching its weights.
//!
//! With `r̄ = (1 − s) r_old + s r_new` (s the ramp of the step before) and the overlaps G of the patterns, the learning of a step changes
//! `W r_old` of trajectory b at the rate `v̇_old[b] = η·factor/B Σ_b' δ[b'] (r̄_b'·r_old_b)`, and `W r_new` likewise. Then
//! `c += (1 − s) v̇_old + s v̇_new` (which is Ẇ r̄) `+ ṡ (v_new − v_old)` (which is `W u̇_in`), `v += dt·v̇`, and for the one update of W at the end
//! of the presentation `a_old += dt·η·factor/B (1 − s) δ`, `a_new += dt·η·factor/B s δ`.

use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `[batch, N]`.
    pub delta: Buf,
    /// Overlaps old·old, old·new, new·new, `[batch, batch]`.
    pub gram: [Buf; 3],
    /// W r_old, `[batch, N]`.
    pub v_old: Buf,
    /// W r_new, `[batch, N]`.
    pub v_new: Buf,
    /// `[batch, N]`.
    pub a_old: Buf,
    /// `[batch, N]`.
    pub a_new: Buf,
    /// `[batch, N]`.
    pub c: Buf,
    /// Postsynaptic columns.
    pub cols: Cols,
    /// Learning-rate factor of the projection.
    pub factor: f64,
    /// Whether Ẇ enters the dynamics of u.
    pub in_dynamics: bool,
    /// Time step.
    pub dt_ms: f64,
}
