//! The time step of a network with a learning microcircuit: separate feedback weights and interneurons (model, sections 4 and 8).
//!
//! With the apical error `E = B u − W^PI u^I` in place of `Wᵀδ`, `T = (1 − β^I) W^IP D + β^I B^IP`, and `m` what moves interneurons beside
//! the voltages of free neurons,
//!
//! `H y = y − W D y − D (B y − W^PI T y) − ρ''·E·y + β y`,
//! `rhs = [(a − u) + D E + β(u* − u)]/τ + s + β u̇* + D (B u̇_in + Ḃ u − Ẇ^PI u^I − W^PI m)`, `s = Ẇ r̄ + ḃ + ẋ + W D u̇_in`,
//! `m = T u̇_in + (1 − β^I)([ẋ]_in + Ẇ^IP r̄ + ḃ^I) + (g^I − u^I)/τ`, and then `u̇^I = m + T u̇`.

mod equilibrium;
mod layout;
mod plasticity;

use super::{Build, Dynamics, InputMismatch, Integrator, basal, bicgstab, exact, explicit, flow, observe};
use crate::kernels::interneuron_drive;
use crate::kernels::{Base, apical_error, backward, copy, couple, forward, hold, image, interneuron};
use crate::network::{InterneuronDynamics, Microcircuit};
use crate::plan::{Buf, Cols, Plan};

pub use layout::{MicroLayout, Path, lies_transposed};

/// What the parts of a step read.
pub(super) struct Circuit<'a> {
    b: &'a Build<'a>,
    micro: &'a Microcircuit,
    l: &'a MicroLayout,
}

/// One time step; `None` for a network without a microcircuit.
pub(super) fn step(b: &Build) -> Option<Plan> {
    let c = Circuit::new(b)?;
    let mut plan = Plan::default();
    basal::stimulus(b, &mut plan, false); // 1
    basal::rates(b, &mut plan, false); // 2
    basal::mismatch(b, &mut plan, false); // 2
    c.interneurons(&mut plan, c.l.u); // 3
    c.error(&mut plan, c.l.u);
    observe::entry(b, &mut plan);
    basal::plasticity(b, &mut plan, false); // 4
    c.plasticity(&mut plan); // 4
    c.rate_of_change(&mut plan); // 5
    c.interneuron_rates(&mut plan); // 6
    basal::integrate(b, &mut plan, false); // 7
    c.weight_updates(&mut plan); // 7
    c.bias_updates(&mut plan); // 7
    Some(plan)
}

/// The apical error of the state after a step, with interneurons as the next step will find them: for metrics. Whether there is one.
pub(super) fn error_after(b: &Build, plan: &mut Plan) -> bool {
    let Some(c) = Circuit::new(b) else { return false };
    c.interneurons(plan, c.l.ahead);
    c.error(plan, c.l.ahead);
    true
}

/// Interneurons at their targets, at rest: where a run starts.
pub(super) fn settle(b: &Build, plan: &mut Plan) {
    let Some(c) = Circuit::new(b) else { return };
    let cells = Cols { start: 0, len: c.cells() };
    if c.is_dynamic() {
        b.zero(plan, c.l.u_dot, cells);
    }
    c.interneurons(plan, c.l.u);
    if c.is_dynamic() && cells.len > 0 {
        let (src, dst) = (Some((c.l.g, 0)), (c.l.u, 0));
        plan.push(copy::Args { src, dst, len: cells.len, rows: b.lay.batch });
    }
}

impl<'a> Circuit<'a> {
    pub(super) fn new(b: &'a Build<'a>) -> Option<Self> {
        Some(Self { b, micro: b.net.microcircuit.as_ref()?, l: b.lay.micro.as_ref()? })
    }

    /// Item 5, and m for item 6.
    fn rate_of_change(&self, plan: &mut Plan) {
        let b = self.b;
        match (b.set.dynamics, b.set.integrator) {
            (Dynamics::Nla, Integrator::Exact) => {
                self.drive(plan);
                self.solve(plan);
                exact::finish(b, plan);
            }
            (Dynamics::Nla, _) => {
                self.drive(plan);
                self.explicit(plan);
            }
            (Dynamics::GradientFlow, _) => flow::gradient_flow(b, plan),
            (Dynamics::LookaheadRateOnly, _) => {
                self.cell_drive(plan);
                flow::lookahead_rate_only(b, plan);
            }
        }
    }

    /// `H u̇ = c`.
    fn solve(&self, plan: &mut Plan) {
        let image = |plan: &mut Plan, y, out| self.image(plan, y, (y, 1.0), out);
        bicgstab::solve(self.b, plan, image, |plan, z| self.left(plan, z));
    }

    /// Number of interneurons.
    fn cells(&self) -> usize {
        self.micro.count(self.b.net)
    }

    fn is_dynamic(&self) -> bool {
        self.micro.dynamics == InterneuronDynamics::Dynamic
    }

    /// The drive of the input acts on interneurons that stand for the input neurons.
    fn input(&self, x: Buf) -> Option<Buf> {
        let drops = !self.b.drives_input() && self.b.set.input_mismatch == InputMismatch::Prediction;
        (self.micro.is_tied() && self.b.net.n_in() > 0 && !drops).then_some(x)
    }

    fn all(&self) -> Cols {
        Cols { start: 0, len: self.b.net.neurons() }
    }

    fn is_free(&self, cols: Cols) -> bool {
        cols.start >= self.b.net.free().start
    }

    /// `out_to += scale · w (gate ⊙ x_from)` of W^IP, B^IP or their derivatives.
    fn drive_cells(
        &self,
        plan: &mut Plan,
        path: &Path,
        (w, x): (Buf, Buf),
        gate: Option<Buf>,
        out: Buf,
        scale: f64,
    ) {
        let (pre, post) = (path.from, path.to);
        plan.push(forward::Args { w, x, gate, base: Base::Out, out, pre, post, scale });
    }

    /// `out_to += scale · w x_from` of B, W^PI or their derivatives, which lie as W does.
    fn feed_back(&self, plan: &mut Plan, path: &Path, (w, x): (Buf, Buf), out: Buf, scale: f64) {
        let (pre, post) = (path.to, path.from);
        plan.push(backward::Args { w, x, gate: None, base: Base::Out, out, pre, post, scale });
    }

    /// Item 3: basal inputs, targets and voltages of the interneurons; the voltages go to `out`.
    pub(super) fn interneurons(&self, plan: &mut Plan, out: Buf) {
        let (l, lay) = (self.l, self.b.lay);
        let cells = Cols { start: 0, len: self.cells() };
        if cells.len == 0 {
            return;
        }
        self.b.zero(plan, l.p, cells);
        self.b.zero(plan, l.g, cells);
        for path in &l.ip {
            self.drive_cells(plan, path, (path.w, lay.r), None, l.p, 1.0);
        }
        for path in &l.nudge {
            self.drive_cells(plan, path, (path.w, lay.u), None, l.g, self.micro.beta);
        }
        plan.push(interneuron::Args {
            p: l.p,
            g: l.g,
            u: l.u,
            out,
            u_dot: self.is_dynamic().then_some(l.u_dot),
            mismatch: l.mismatch,
            b: l.biases,
            x: self.input(lay.x),
            active: lay.active,
            beta: self.micro.beta,
            dt_ms: self.b.set.dt_ms,
        });
    }

    /// `E = B u − W^PI u^I`, and `u − B u`, from which B learns.
    pub(super) fn error(&self, plan: &mut Plan, u_i: Buf) {
        let (l, lay) = (self.l, self.b.lay);
        self.b.zero(plan, l.sum, self.all());
        for path in &l.feedback {
            self.feed_back(plan, path, (path.w, lay.u), l.sum, 1.0);
        }
        let len = self.all().len;
        plan.push(copy::Args { src: Some((l.sum, 0)), dst: (lay.apical, 0), len, rows: lay.batch });
        for path in &l.pi {
            self.feed_back(plan, path, (path.w, u_i), lay.apical, -1.0);
        }
        plan.push(apical_error::Args { u: lay.u, feedback: l.sum, apical: lay.apical, active: lay.active });
    }

    /// The right-hand side in `c`.
    fn drive(&self, plan: &mut Plan) {
        let (b, l, lay) = (self.b, self.l, self.b.lay);
        basal::drive(b, plan, false);
        self.cell_drive(plan);
        b.zero(plan, l.q, self.all());
        for path in &l.feedback {
            if !self.is_free(path.from) {
                self.feed_back(plan, path, (path.w, lay.u_dot), l.q, 1.0);
            }
            if let Some(rate) = path.rate.filter(|_| b.set.weights_in_dynamics()) {
                self.feed_back(plan, path, (rate, lay.u), l.q, 1.0);
            }
        }
        for path in &l.pi {
            if let Some(rate) = path.rate.filter(|_| b.set.weights_in_dynamics()) {
                self.feed_back(plan, path, (rate, l.u), l.q, -1.0);
            }
            self.feed_back(plan, path, (path.w, l.m), l.q, -1.0);
        }
        let (cols, tau_ms) = (b.net.free(), b.set.tau_ms);
        let (c, g, d, apical) = (lay.c, lay.g, lay.d, lay.apical);
        plan.push(couple::Args { c, g, d, apical, q: l.q, cols, tau_ms });
    }

    /// m: what moves interneurons beside u̇ of the free neurons.
    fn cell_drive(&self, plan: &mut Plan) {
        let (b, l, lay) = (self.b, self.l, self.b.lay);
        if self.cells() == 0 {
            return;
        }
        let learns = b.features.learning && b.set.biases_in_dynamics();
        plan.push(interneuron_drive::Args {
            m: l.m,
            g: l.g,
            u: l.u,
            b_dot: learns.then_some(l.bias_rates),
            x_dot: self.input(lay.x_dot),
            beta: self.micro.beta,
            tau_ms: b.set.tau_ms,
        });
        let keep = 1.0 - self.micro.beta;
        for path in &l.ip {
            if let Some(rate) = path.rate.filter(|_| b.set.weights_in_dynamics()) {
                self.drive_cells(plan, path, (rate, lay.r), None, l.m, keep);
            }
        }
        self.transfer(plan, lay.u_dot, l.m, false);
    }

    /// `out += T y` from the free columns of y, or from the clamped ones.
    fn transfer(&self, plan: &mut Plan, y: Buf, out: Buf, free: bool) {
        let (l, d) = (self.l, self.b.lay.d);
        for path in l.ip.iter().filter(|p| self.is_free(p.from) == free) {
            self.drive_cells(plan, path, (path.w, y), Some(d), out, 1.0 - self.micro.beta);
        }
        for path in l.nudge.iter().filter(|p| self.is_free(p.from) == free) {
            self.drive_cells(plan, path, (path.w, y), None, out, self.micro.beta);
        }
    }

    /// `out = base + sign (H y − y)` on the free columns: the image of y with itself as base, `rhs + y − H y` with rhs and −1.
    fn image(&self, plan: &mut Plan, y: Buf, (base, sign): (Buf, f64), out: Buf) {
        let (b, l, lay) = (self.b, self.l, self.b.lay);
        b.zero(plan, l.t, Cols { start: 0, len: self.cells() });
        self.transfer(plan, y, l.t, true);
        b.zero(plan, l.q, self.all());
        for path in l.feedback.iter().filter(|p| self.is_free(p.from) && self.is_free(p.to)) {
            self.feed_back(plan, path, (path.w, y), l.q, 1.0);
        }
        for path in l.pi.iter().filter(|p| self.is_free(p.to)) {
            self.feed_back(plan, path, (path.w, l.t), l.q, -1.0);
        }
        plan.push(image::Args {
            base,
            y,
            t: Some(l.q),
            d: lay.d,
            d2: lay.d2,
            apical: lay.apical,
            beta: Some(lay.beta),
            out,
            sign,
            cols: b.net.free(),
            outputs: b.net.outputs(),
        });
        for k in b.free_projections().into_iter().filter(|&k| self.is_free(b.ends(k).1)) {
            let (pre, post) = b.ends(k);
            let (w, x, gate) = (lay.weights[k], y, Some(lay.d));
            plan.push(forward::Args { w, x, gate, base: Base::Out, out, pre, post, scale: -sign });
        }
    }

    /// Applies `(1 − D B)⁻¹` in place, from the feedback along forward projections: `z_to += D B z_from`, last populations first.
    fn left(&self, plan: &mut Plan, z: Buf) {
        let forward = |p: &&Path| p.from.start > p.to.start && self.is_free(p.to);
        let mut paths: Vec<&Path> = self.l.feedback.iter().filter(forward).collect();
        paths.sort_by_key(|p| std::cmp::Reverse(p.from.start));
        for path in paths {
            let (pre, post) = (path.to, path.from);
            let gate = Some(self.b.lay.d);
            plan.push(backward::Args {
                w: path.w,
                x: z,
                gate,
                base: Base::Out,
                out: z,
                pre,
                post,
                scale: 1.0,
            });
        }
    }

    /// `u̇ = rhs + v − H v` with a guess v from the history of u̇.
    fn explicit(&self, plan: &mut Plan) {
        let lay = self.b.lay;
        explicit::guess(self.b, plan);
        self.image(plan, lay.y_vec, (lay.c, -1.0), lay.u_dot);
    }

    /// Item 6: `u̇^I = m + T u̇`.
    fn interneuron_rates(&self, plan: &mut Plan) {
        let (l, lay) = (self.l, self.b.lay);
        let len = self.cells();
        if !self.is_dynamic() || len == 0 {
            return;
        }
        if self.b.set.dynamics == Dynamics::GradientFlow {
            // No look-ahead: they relax to their target.
            let (b_dot, x_dot, tau_ms) = (None, None, self.b.set.tau_ms);
            let (m, g, u, beta) = (l.u_dot, l.g, l.u, self.micro.beta);
            plan.push(interneuron_drive::Args { m, g, u, b_dot, x_dot, beta, tau_ms });
        } else {
            plan.push(copy::Args { src: Some((l.m, 0)), dst: (l.u_dot, 0), len, rows: lay.batch });
            self.transfer(plan, lay.u_dot, l.u_dot, true);
        }
        self.hold(plan);
    }

    /// Interneurons of trajectories without a sample rest.
    fn hold(&self, plan: &mut Plan) {
        let cols = Cols { start: 0, len: self.cells() };
        plan.push(hold::Args { dst: self.l.u_dot, active: self.b.lay.active, cols });
    }
}
