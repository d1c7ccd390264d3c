//! What a call reads and writes: each operand once, an operand that is updated in place twice.
//!
//! Rows of a few numbers a trajectory (books of the solver, `active`, β) are left out: they are small beside everything else.

use super::{Buf, Cols, Program};
use crate::kernels::{Base, Call, bicg_start, bicg_step, cg_start, stimulus};

/// Numbers of the executor's floating-point type, and bytes of operands of other types.
pub(super) fn traffic(call: &Call, program: &Program) -> (u64, u64) {
    let count = Count { program, batch: program.batch as u64 };
    let reals = count.product(call).or_else(|| count.solver(call)).or_else(|| count.state(call));
    let bytes = match call {
        Call::Decode(a) => program.spec(a.pixels).len() as u64 + count.batch,
        // One row of the recording a trajectory.
        Call::Slice(a) => count.batch * program.spec(a.series).cols as u64,
        _ => 0,
    };
    (reals.unwrap_or(0), bytes)
}

struct Count<'a> {
    program: &'a Program,
    batch: u64,
}

impl Count<'_> {
    /// `arrays` arrays with these columns, a row a trajectory.
    fn rows(&self, cols: Cols, arrays: usize) -> u64 {
        self.batch * cols.len as u64 * arrays as u64
    }

    /// A whole buffer.
    fn whole(&self, buf: Buf) -> u64 {
        self.program.spec(buf).len() as u64
    }

    /// What a result of these columns is added to.
    fn base(&self, base: Base, cols: Cols) -> u64 {
        if base == Base::Zero { 0 } else { self.rows(cols, 1) }
    }

    /// Calls that multiply matrices.
    fn product(&self, call: &Call) -> Option<u64> {
        let block = |pre: Cols, post: Cols| pre.len as u64 * post.len as u64;
        let square = self.batch * self.batch;
        Some(match call {
            Call::Forward(a) => {
                let gate = usize::from(a.gate.is_some());
                block(a.pre, a.post)
                    + self.rows(a.pre, 1 + gate)
                    + self.rows(a.post, 1)
                    + self.base(a.base, a.post)
            }
            Call::Backward(a) => {
                let gate = usize::from(a.gate.is_some());
                block(a.pre, a.post)
                    + self.rows(a.post, 1)
                    + self.rows(a.pre, 1 + gate)
                    + self.base(a.base, a.pre)
            }
            Call::WeightRate(a) => block(a.pre, a.post) + self.rows(a.pre, 1) + self.rows(a.post, 1),
            Call::Learn(a) => 2 * block(a.pre, a.post) + self.rows(a.pre, 1) + self.rows(a.post, 1),
            Call::Overlap(a) => self.rows(a.cols, 1) + square,
            Call::RateProduct(a) => {
                self.rows(a.cols, 3 + usize::from(a.gate.is_some()) + usize::from(a.hollow)) + square
            }
            Call::Gram(a) => self.whole(a.x) + self.whole(a.y) + square,
            Call::ResidentApply(a) => 2 * block(a.pre, a.post) + self.rows(a.pre, 2) + self.rows(a.post, 2),
            // δ, c, v and a; v and a of both samples, updated; three overlaps.
            Call::ResidentLearn(a) => self.rows(a.cols, 1 + 2 + 4 + 4) + 3 * square,
            Call::Jacobian(a) => match a.w {
                None => self.whole(a.jac),
                Some(w) => self.whole(w) + self.rows(a.pre, 1) + 2 * self.batch * block(a.pre, a.post),
            },
            Call::DenseSolve(a) => {
                let bend = usize::from(a.bend.is_some());
                self.whole(a.jac) + 2 * self.whole(a.h) + self.rows(a.cols, 2 + bend)
            }
            Call::Woodbury(a) => {
                let outputs = a.outputs.len as u64;
                // Each pair of rows, then the rows once more.
                self.rows(a.cols, 2) + outputs * (outputs + 2) * self.rows(a.cols, 1)
            }
            _ => return None,
        })
    }

    /// Vector work of solvers and integrators.
    fn solver(&self, call: &Call) -> Option<u64> {
        let few = |outputs: Cols, arrays| self.rows(outputs, arrays);
        Some(match call {
            Call::Assemble(a) => self.rows(a.cols, 3 + usize::from(!a.warm)),
            Call::Bend(a) => self.rows(a.cols, 3),
            Call::Curvature(a) => match a.bend {
                Some(_) => self.rows(a.cols, 3),
                None => self.rows(a.cols, 1) + few(a.outputs, 2),
            },
            Call::CgStart(a) if a.space == cg_start::Space::Full => self.rows(a.cols, 4),
            Call::CgStart(a) => self.rows(a.cols, 1) + few(a.outputs, 4),
            // p, z, u̇, y of `u̇ += α y`; res, p and y anew.
            Call::CgStep(a) if a.space == cg_start::Space::Full => self.rows(a.cols, 9),
            Call::CgStep(a) => self.rows(a.cols, 4) + few(a.outputs, 6),
            Call::Unit(a) => self.rows(a.cols, 1),
            Call::Guess(a) => self.rows(a.cols, 2 + 2 * a.history.len()) + self.rows(a.clamped, 2),
            Call::Relax(a) => self.rows(a.cols, 3),
            Call::Combine(a) => self.rows(a.cols, 4 + 2 * usize::from(a.d2.is_some())),
            Call::BicgStart(a) => self.rows(a.cols, if a.stage == bicg_start::Stage::Guess { 2 } else { 6 }),
            Call::BicgStep(a) => self.rows(a.cols, if a.half == bicg_step::Half::First { 7 } else { 11 }),
            Call::NewtonCheck(a) => self.rows(a.cols, 5),
            Call::NewtonMove(a) => self.rows(a.cols, 4),
            Call::CgFinish(_) => 0,
            Call::NewtonBook(_) => 0,
            Call::Couple(a) => self.rows(a.cols, 6),
            Call::Image(a) => {
                let fed = 2 * usize::from(a.t.is_some());
                self.rows(a.cols, 2 + fed + 3 * usize::from(a.d2.is_some()))
            }
            _ => return None,
        })
    }

    /// Stimuli, rates, mismatch, plasticity and the update of the state.
    fn state(&self, call: &Call) -> Option<u64> {
        let here = |buf: &Option<Buf>| usize::from(buf.is_some());
        Some(match call {
            Call::Decode(a) => 3 * (self.whole(a.x_new) + self.whole(a.y_new)),
            Call::Renew(a) => 4 * self.whole(a.new),
            Call::Stimulus(a) => {
                let samples = if matches!(a.source, stimulus::Source::Ramp { .. }) { 2 } else { 1 };
                let input = if a.input { self.whole(a.x) } else { 0 };
                let clamp = if a.input && a.clamp.is_some() { 3 * self.whole(a.x) } else { 0 };
                // Value before and after, and the rate.
                (samples + 3) * (self.whole(a.y) + input) + clamp
            }
            Call::Slice(a) => 3 * (self.whole(a.x) + self.whole(a.y)),
            Call::Rates(a) => self.rows(a.cols, 3 + here(&a.d2)),
            Call::Mismatch(a) => self.rows(a.cols, 4) + a.x.map_or(0, |x| self.whole(x)),
            Call::BiasRate(a) => self.rows(a.cols, 1) + 2 * a.cols.len as u64,
            Call::Drive(a) => self.rows(a.cols, 3) + a.x_dot.map_or(0, |x| self.whole(x)),
            Call::Integrate(a) => self.rows(a.cols, 3) + a.clamp.map_or(0, |x| 2 * self.whole(x)),
            Call::Update(a) => {
                let rows = self.program.spec(a.p).rows as u64;
                rows * a.cols.len as u64 * (2 + here(&a.p_dot)) as u64
            }
            Call::Observe(a) => self.rows(a.cols, 5),
            Call::Copy(a) => (a.rows * a.len * (1 + usize::from(a.src.is_some()))) as u64,
            Call::Blend(a) => self.rows(a.cols, 1 + a.terms.iter().flatten().count()),
            Call::Pin(a) => self.rows(a.outputs, 1 + usize::from(a.src.is_some())),
            Call::Gradient(a) => self.rows(a.cols, 4) + self.rows(a.outputs, 2),
            Call::Hold(_) => 0,
            Call::ResidentDrive(a) => self.rows(a.cols, 3) + self.base(a.base, a.cols),
            Call::ApicalError(a) => self.whole(a.u) * 3,
            Call::Interneuron(a) => self.whole(a.p) * (7 + here(&a.u_dot)) as u64,
            Call::InterneuronDrive(a) => self.whole(a.m) * 4,
            // Of the other two. Listed, so that a new kernel is not forgotten.
            Call::Forward(_) | Call::Backward(_) | Call::WeightRate(_) | Call::Learn(_) => return None,
            Call::Overlap(_) | Call::RateProduct(_) | Call::Gram(_) | Call::Jacobian(_) => return None,
            Call::ResidentApply(_) | Call::ResidentLearn(_) | Call::DenseSolve(_) => return None,
            Call::Woodbury(_) | Call::Assemble(_) | Call::Bend(_) | Call::Curvature(_) => return None,
            Call::CgStart(_) | Call::CgStep(_) | Call::CgFinish(_) | Call::Unit(_) => return None,
            Call::Guess(_) | Call::Relax(_) | Call::Combine(_) | Call::Couple(_) => return None,
            Call::BicgStart(_) | Call::BicgStep(_) | Call::Image(_) => return None,
            Call::NewtonCheck(_) | Call::NewtonMove(_) | Call::NewtonBook(_) => return None,
        })
    }
}
