//! Weight blocks beyond what an adapter can bind, as several buffers of whole rows.
//!
//! A row is a postsynaptic neuron. A product along a projection then is one for each buffer, on its own results; a product against it is a sum
//! of them; rates and updates are row by row. So the program is rewritten, and the kernels are the same.

use crate::kernels::{Base, Call, backward, forward, jacobian, learn, resident_apply, update, weight_rate};
use crate::plan::{Buf, Cols, Elem, Loop, Op, Plan, Program};

/// Some rows of a buffer in a buffer of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The buffer of these rows.
    pub buf: Buf,
    /// First row.
    pub from: usize,
    /// Number of rows.
    pub rows: usize,
}

/// A program whose weight blocks can all be bound, as far as rows allow.
pub struct Blocks {
    /// The rewritten program; buffers keep their numbers, further parts follow.
    pub program: Program,
    /// Of each buffer of the original program: its parts, none where it is whole.
    parts: Vec<Vec<Part>>,
}

impl Blocks {
    /// Splits weights and their derivatives of more than `limit` bytes.
    pub fn new(program: &Program, limit: u64) -> Self {
        let mut fits = vec![true; program.buffers.len()];
        program.plans.iter().for_each(|plan| mark(&plan.ops, &mut fits));
        let mut split = program.clone();
        let parts = (0..program.buffers.len()).map(|i| {
            let spec = &program.buffers[i];
            let row = 4 * spec.cols as u64;
            let rows = usize::try_from(limit / row.max(1)).unwrap_or(usize::MAX);
            if fits[i] || spec.elem != Elem::Real || row * spec.rows as u64 <= limit || rows == 0 {
                return Vec::new();
            }
            let part = |from: usize| {
                let own = crate::plan::BufferSpec { rows: rows.min(spec.rows - from), ..spec.clone() };
                let rows = own.rows;
                let buf = if from == 0 {
                    split.buffers[i] = own;
                    Buf(i as u16)
                } else {
                    split.buffers.push(own);
                    Buf((split.buffers.len() - 1) as u16)
                };
                Part { buf, from, rows }
            };
            (0..spec.rows).step_by(rows).map(part).collect()
        });
        let parts: Vec<Vec<Part>> = parts.collect();
        if parts.iter().any(|parts| !parts.is_empty()) {
            split.plans = split.plans.map(|plan| Plan { ops: rewrite(&plan.ops, &parts) });
        }
        Self { program: split, parts }
    }

    /// The parts of a buffer of the original program; empty where it is whole.
    pub fn parts(&self, buf: Buf) -> &[Part] {
        &self.parts[buf.0 as usize]
    }
}

/// Weights and their derivatives need not fit: all that uses them can be split.
fn mark(ops: &[Op], fits: &mut [bool]) {
    for op in ops {
        match op {
            Op::Loop(l) => mark(&l.body, fits),
            Op::Call(Call::Forward(a)) => fits[a.w.0 as usize] = false,
            Op::Call(Call::Backward(a)) => fits[a.w.0 as usize] = false,
            Op::Call(Call::WeightRate(a)) => fits[a.w_dot.0 as usize] = false,
            Op::Call(Call::Learn(a)) => fits[a.w.0 as usize] = false,
            Op::Call(_) => {}
        }
    }
}

fn rewrite(ops: &[Op], parts: &[Vec<Part>]) -> Vec<Op> {
    let mut out = Vec::new();
    for op in ops {
        match op {
            Op::Loop(l) => out.push(Op::Loop(Loop { body: rewrite(&l.body, parts), ..l.clone() })),
            Op::Call(call) => out.extend(calls(call, parts).into_iter().map(Op::Call)),
        }
    }
    out
}

/// The call, or one for each part of its weights.
fn calls(call: &Call, parts: &[Vec<Part>]) -> Vec<Call> {
    let of = |buf: Buf| parts[buf.0 as usize].as_slice();
    let rows = |post: Cols, part: &Part| Cols { start: post.start + part.from, len: part.rows };
    match call {
        Call::Forward(a) if !of(a.w).is_empty() => {
            let one = |p: &Part| forward::Args { w: p.buf, post: rows(a.post, p), ..a.clone() }.into();
            of(a.w).iter().map(one).collect()
        }
        Call::Backward(a) if !of(a.w).is_empty() => {
            let one = |p: &Part| {
                // The first takes the base, the others add to it.
                let base = if p.from == 0 { a.base } else { Base::Out };
                backward::Args { w: p.buf, post: rows(a.post, p), base, ..a.clone() }.into()
            };
            of(a.w).iter().map(one).collect()
        }
        Call::WeightRate(a) if !of(a.w_dot).is_empty() => {
            let one =
                |p: &Part| weight_rate::Args { w_dot: p.buf, post: rows(a.post, p), ..a.clone() }.into();
            of(a.w_dot).iter().map(one).collect()
        }
        Call::Learn(a) if !of(a.w).is_empty() => {
            let one = |p: &Part| learn::Args { w: p.buf, post: rows(a.post, p), ..a.clone() }.into();
            of(a.w).iter().map(one).collect()
        }
        Call::Update(a) if !of(a.p).is_empty() => {
            let rates = a.p_dot.map(of);
            let one = |(i, p): (usize, &Part)| {
                let p_dot = rates.and_then(|rates| rates.get(i)).map(|p| p.buf);
                update::Args { p: p.buf, p_dot, ..a.clone() }.into()
            };
            of(a.p).iter().enumerate().map(one).collect()
        }
        Call::Jacobian(a) if a.w.is_some_and(|w| !of(w).is_empty()) => {
            let one = |p: &Part| jacobian::Args { w: Some(p.buf), post: rows(a.post, p), ..a.clone() }.into();
            a.w.map(of).unwrap_or_default().iter().map(one).collect()
        }
        Call::ResidentApply(a) if !of(a.w).is_empty() => {
            let one = |p: &Part| resident_apply::Args { w: p.buf, post: rows(a.post, p), ..a.clone() }.into();
            of(a.w).iter().map(one).collect()
        }
        other => vec![other.clone()],
    }
}
