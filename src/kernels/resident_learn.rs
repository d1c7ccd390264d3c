//! Plasticity of a projection from a clamped input population without touching its weights.
//!
//! With `r̄ = (1 − s) r_old + s r_new` (s the ramp of the step before) and the overlaps G of the patterns, the learning of a step changes
//! `W r_old` of trajectory b at the rate `v̇_old[b] = η·factor/B Σ_b' δ[b'] (r̄_b'·r_old_b)`, and `W r_new` likewise. Then
//! `c += (1 − s) v̇_old + s v̇_new` (which is Ẇ r̄) `+ ṡ (v_new − v_old)` (which is `W u̇_in`), `v += dt·v̇`, and for the one update of W at the end
//! of the presentation `a_old += dt·η·factor/B (1 − s) δ`, `a_new += dt·η·factor/B s δ`.

use super::host::{Access, Invocation, PlaceError, Places, params, to_u32};
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

params! {
    delta: u32,
    gram_oo: u32,
    gram_on: u32,
    gram_nn: u32,
    v_old: u32,
    v_new: u32,
    a_old: u32,
    a_new: u32,
    c: u32,
    batch: u32,
    n: u32,
    start: u32,
    len: u32,
    in_dynamics: u32,
    factor: f32,
    dt: f32,
}

/// Storage bindings of the shader from 3 on.
pub const BINDINGS: &[Access] = &[];

impl Args {
    /// The call as a dispatch of its shader.
    ///
    /// # Errors
    /// If a buffer is not where the shader reads it.
    pub fn host(&self, p: &Places) -> Result<Invocation, PlaceError> {
        let params = Params {
            delta: p.at(self.delta)?,
            gram_oo: p.at(self.gram[0])?,
            gram_on: p.at(self.gram[1])?,
            gram_nn: p.at(self.gram[2])?,
            v_old: p.at(self.v_old)?,
            v_new: p.at(self.v_new)?,
            a_old: p.at(self.a_old)?,
            a_new: p.at(self.a_new)?,
            c: p.at(self.c)?,
            batch: to_u32(p.batch()),
            n: p.cols(self.c),
            start: to_u32(self.cols.start),
            len: to_u32(self.cols.len),
            in_dynamics: u32::from(self.in_dynamics),
            factor: self.factor as f32,
            dt: self.dt_ms as f32,
        };
        let call = Invocation::new(&params, p, p.elementwise(self.cols.len, p.batch()));
        Ok(call.looping(p.batch() as u64 + 1))
    }
}
