//! Dense solution of `H u̇ = rhs`, `H = JᵀJ + C`, per trajectory (small networks only).
//!
//! Cholesky first: if it fails, H is not positive definite; that is counted in `solver` and the system is solved by
//! elimination with row pivoting. In mode `fallback` trajectories with a positive definite H keep the u̇ they have.

use super::host::{Access, DENSE_LANES, Invocation, PlaceError, Places, cholesky_loops, params, to_u32};
use crate::plan::{Buf, Cols};

/// Arguments of the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// Only replace u̇ where H is indefinite.
    pub fallback: bool,
    /// J, `[batch, rows·n]`.
    pub jac: Buf,
    /// Room for H and its factors, `[batch, n·(n+1)]`.
    pub h: Buf,
    /// `[batch, N]`.
    pub rhs: Buf,
    /// ρ''·(Wᵀδ) as `bend` leaves it, `[batch, N]`; `None` where ρ'' = 0.
    pub bend: Option<Buf>,
    /// `[rows, n_out]`.
    pub beta: Buf,
    /// `[batch, N]`.
    pub u_dot: Buf,
    /// `[batch, 9]`.
    pub solver: Buf,
    /// Free columns.
    pub cols: Cols,
    /// Rows of J.
    pub rows: usize,
    /// J is unit lower triangular by blocks: feedforward networks.
    pub triangular: bool,
    /// Output columns.
    pub outputs: Cols,
}

params! {
    fallback: u32,
    jac: u32,
    h: u32,
    rhs: u32,
    bend: u32,
    beta: u32,
    u_dot: u32,
    solver: u32,
    n: u32,
    start: u32,
    len: u32,
    rows: u32,
    triangular: u32,
    out_start: u32,
    n_out: u32,
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
            fallback: u32::from(self.fallback),
            jac: p.at(self.jac)?,
            h: p.at(self.h)?,
            rhs: p.at(self.rhs)?,
            bend: p.maybe(self.bend)?,
            beta: p.at(self.beta)?,
            u_dot: p.at(self.u_dot)?,
            solver: p.at(self.solver)?,
            n: p.cols(self.u_dot),
            start: to_u32(self.cols.start),
            len: to_u32(self.cols.len),
            rows: to_u32(self.rows),
            triangular: u32::from(self.triangular),
            out_start: to_u32(self.outputs.start),
            n_out: to_u32(self.outputs.len),
        };
        Ok(Invocation::new(&params, p, p.by_trajectory()).looping(self.loops()))
    }
}

impl Args {
    /// Loop iterations of an invocation where the factorisation fails at the last pivot, so that everything runs.
    fn loops(&self) -> u64 {
        let (n, rows, lanes) = (self.cols.len as u64, self.rows as u64, u64::from(DENSE_LANES));
        // Entries dealt to one invocation lie `lanes` apart and have max(i, j) evenly spread: at most all of one diagonal more than n³/3.
        let terms = |e: u64| rows - if self.triangular { (e / n).max(e % n) } else { 0 };
        let gram = (0..n * n).step_by(DENSE_LANES as usize).map(|e| terms(e) + 2).sum::<u64>()
            + 3 * (n.div_ceil(lanes) + 1)
            + rows;
        let eliminate: u64 = (0..n)
            .map(|rest| {
                let search = (rest + 1).div_ceil(lanes) + 1 + u64::from(DENSE_LANES.ilog2()) + 1;
                let swap = n.div_ceil(lanes) + 1;
                let update = rest.div_ceil(lanes) + 1 + (rest * rest).div_ceil(lanes) + 1;
                let back = rest.div_ceil(lanes) + 1;
                search + swap + update + back + 2
            })
            .sum();
        2 * gram + cholesky_loops(self.cols.len) + eliminate + n.div_ceil(lanes) + 3
    }
}
