//! The parts of a time step that every integrator shares: stimulus, rates, mismatch, plasticity, right-hand side.

mod motion;

pub(super) use motion::{
    bias_updates, integrate, move_voltages, prescribe, take_targets, update, weight_updates,
};

use super::{Bias, Build, InputMismatch, StimulusKind};
use crate::kernels::{
    Base, backward, bias_rate, copy, decode, drive, forward, mismatch, pin, rates as rates_kernel, renew,
    resident_drive, resident_learn, slice as slice_kernel, stimulus, weight_rate,
};
use crate::network::InputMode;
use crate::plan::{Buf, Cols, Plan, Rate};

impl Build<'_> {
    /// Driven input: x enters the basal input of the first population.
    pub(super) fn drives_input(&self) -> bool {
        self.net.input == InputMode::Driven
    }

    /// Projections from free populations, in the order of a forward sweep.
    pub(super) fn free_projections(&self) -> Vec<usize> {
        let mut order = self.net.forward_order();
        order.retain(|&k| !self.is_clamped(k));
        order
    }

    /// Those that run forward: L, the block lower triangle of `J = L − W_b D`, which sweeps invert.
    pub(super) fn sweep_projections(&self) -> Vec<usize> {
        let mut order = self.free_projections();
        order.retain(|&k| self.net.projections[k].pre < self.net.projections[k].post);
        order
    }

    /// Those that run backward, within a population, or into a clamped input: W_b.
    pub(super) fn back_projections(&self) -> Vec<usize> {
        let mut order = self.free_projections();
        order.retain(|&k| self.net.projections[k].pre >= self.net.projections[k].post);
        order
    }

    /// Whether a clamped input has a mismatch, because something projects into it.
    pub(super) fn reaches_input(&self) -> bool {
        self.net.rows() != self.net.free()
    }

    /// Whether x is part of the basal input of the first population.
    pub(super) fn input_has_drive(&self) -> bool {
        self.drives_input() || (self.reaches_input() && self.set.input_mismatch == InputMismatch::Drive)
    }

    /// `dst ← keep·dst + scale·src` at outputs with β = ∞; nothing where no β can be.
    pub(super) fn pin(&self, plan: &mut Plan, dst: Buf, keep: f64, src: Option<(f64, Buf)>) {
        let outputs = self.net.outputs();
        let (scale, src) = src.map_or((0.0, None), |(k, buf)| (k, Some((buf, outputs.start))));
        if self.set.hard_targets {
            plan.push(pin::Args { beta: self.lay.beta, dst, src, keep, scale, outputs });
        }
    }

    /// Projections from a clamped input population.
    pub(super) fn clamped_projections(&self) -> Vec<usize> {
        let mut order = self.net.forward_order();
        order.retain(|&k| self.is_clamped(k));
        order
    }

    /// Whether projection `k` comes from a clamped input population.
    pub(super) fn is_clamped(&self, k: usize) -> bool {
        self.net.cols(self.net.projections[k].pre).start < self.net.free().start
    }

    pub(super) fn ends(&self, k: usize) -> (Cols, Cols) {
        let p = &self.net.projections[k];
        (self.net.cols(p.pre), self.net.cols(p.post))
    }

    /// Sets columns of a buffer of trajectories to 0.
    pub(super) fn zero(&self, plan: &mut Plan, dst: Buf, cols: Cols) {
        if cols.len > 0 {
            plan.push(copy::Args { src: None, dst: (dst, cols.start), len: cols.len, rows: self.lay.batch });
        }
    }

    /// What is left of f after a step: `e^{−dt/τ}`.
    pub(super) fn decay(&self) -> f64 {
        (-self.set.dt_ms / self.set.tau_ms).exp()
    }

    /// `out_post = base + W (gate ⊙ x_pre)` along projection `k` with the weights in `w`.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn forward(
        &self,
        plan: &mut Plan,
        k: usize,
        w: Buf,
        x: Buf,
        gate: Option<Buf>,
        base: Base,
        out: Buf,
    ) {
        let (pre, post) = self.ends(k);
        plan.push(forward::Args { w, x, gate, base, out, pre, post, scale: 1.0 });
    }

    /// `out_pre += scale · gate ⊙ (Wᵀ x_post)` along projection `k` with the weights in `w`.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn backward(
        &self,
        plan: &mut Plan,
        k: usize,
        w: Buf,
        x: Buf,
        gate: Option<Buf>,
        out: Buf,
        scale: f64,
    ) {
        let (pre, post) = self.ends(k);
        plan.push(backward::Args { w, x, gate, base: Base::Out, out, pre, post, scale });
    }

    /// Applies `L⁻¹` in place: `y_post += W D y_pre` in forward order; on feedforward graphs L = J.
    pub(super) fn forward_sweep(&self, plan: &mut Plan, y: Buf) {
        for k in self.sweep_projections() {
            self.forward(plan, k, self.lay.weights[k], y, Some(self.lay.d), Base::Out, y);
        }
    }

    /// Applies `L⁻ᵀ` in place: `z_pre += D Wᵀ z_post` in backward order.
    pub(super) fn backward_sweep(&self, plan: &mut Plan, z: Buf) {
        // By postsynaptic population, last first: all that adds to z_post has then been added.
        let mut order = self.sweep_projections();
        order.sort_by_key(|&k| std::cmp::Reverse(self.net.projections[k].post));
        for k in order {
            self.backward(plan, k, self.lay.weights[k], z, Some(self.lay.d), z, 1.0);
        }
    }
}

/// Takes the next static sample; or goes to the start of the next window of a recording: x and u* are its first row, without a jump in
/// their derivatives, and everything else carries over.
pub(super) fn present(b: &Build) -> Plan {
    let mut plan = Plan::default();
    let l = b.lay;
    if matches!(b.features.stimulus, StimulusKind::Series { .. }) {
        slice(b, &mut plan, true);
        // Where a clamped input starts, it is.
        let Cols { start, len } = b.net.clamped();
        plan.push(copy::Args { src: Some((l.x, 0)), dst: (l.u, start), len, rows: l.batch });
    }
    if b.features.stimulus == StimulusKind::Samples {
        plan.push(decode::Args {
            pixels: l.pixels,
            labels: l.labels,
            pixel_table: l.pixel_table,
            label_table: l.label_table,
            active: l.active,
            x_old: l.x_old,
            x_new: l.x_new,
            y_old: l.y_old,
            y_new: l.y_new,
        });
    }
    if b.features.stimulus == StimulusKind::Values {
        for (next, old, new) in [(l.x_next, l.x_old, l.x_new), (l.y_next, l.y_old, l.y_new)] {
            plan.push(renew::Args { next, active: l.active, old, new });
        }
    }
    plan
}

/// Item 1: x, ẋ, u*, u̇*, and u̇ of a clamped input.
pub(super) fn stimulus(b: &Build, plan: &mut Plan, resident: bool) {
    let l = b.lay;
    let source = match b.features.stimulus {
        StimulusKind::Samples | StimulusKind::Values => {
            stimulus::Source::Ramp { x_old: l.x_old, x_new: l.x_new, y_old: l.y_old, y_new: l.y_new }
        }
        StimulusKind::Sequence { .. } => stimulus::Source::Sequence { x: l.x_seq, y: l.y_seq },
        StimulusKind::Series { .. } => return slice(b, plan, false),
    };
    plan.push(stimulus::Args {
        source,
        input: !resident,
        active: l.active,
        x: l.x,
        x_dot: l.x_dot,
        y: l.y,
        y_dot: l.y_dot,
        clamp: b.net.input.is_clamped().then_some((l.u, l.u_dot)),
        dt_ms: b.set.dt_ms,
        status: l.status,
    });
}

/// x, ẋ, u*, u̇*, and u̇ of a clamped input, from a recording.
fn slice(b: &Build, plan: &mut Plan, start: bool) {
    let StimulusKind::Series { format, .. } = b.features.stimulus else { return };
    let l = b.lay;
    plan.push(slice_kernel::Args {
        series: l.series,
        format,
        cursor: l.cursor,
        gain: l.series_gain,
        offset: l.series_offset,
        start,
        active: l.active,
        x: l.x,
        x_dot: l.x_dot,
        y: l.y,
        y_dot: l.y_dot,
        clamp: (b.net.input.is_clamped() && !start).then_some((l.u, l.u_dot)),
        dt_ms: b.set.dt_ms,
        status: l.status,
    });
}

/// Item 2: r̄, ρ', ρ'' of all neurons (of the free ones, where the weights of the input are resident).
pub(super) fn rates(b: &Build, plan: &mut Plan, resident: bool) {
    rates_of(b, plan, if resident { b.net.free() } else { Cols { start: 0, len: b.net.neurons() } });
}

/// r̄, ρ', ρ'' of some columns.
pub(super) fn rates_of(b: &Build, plan: &mut Plan, cols: Cols) {
    plan.push(rates_kernel::Args {
        u: b.lay.u,
        r: b.lay.r,
        d: b.lay.d,
        d2: b.lay.d2,
        cols,
        identity: if b.net.input == InputMode::Rates { b.net.n_in() } else { 0 },
        activation: b.net.activation,
    });
}

/// `W r̄` of every population that something projects into, then a and δ.
pub(super) fn mismatch(b: &Build, plan: &mut Plan, resident: bool) {
    let l = b.lay;
    let mut written = Vec::new();
    for k in b.net.forward_order() {
        let post = b.net.projections[k].post;
        // The first product into a population overwrites what the step before left there.
        let base = if written.contains(&post) { Base::Out } else { Base::Zero };
        written.push(post);
        if resident && b.is_clamped(k) {
            let (v_old, v_new, cols) = (l.v_old, l.v_new, b.ends(k).1);
            plan.push(resident_drive::Args { v_old, v_new, base, out: l.a, cols });
        } else {
            b.forward(plan, k, l.weights[k], l.r, None, base, l.a);
        }
    }
    let rows = b.net.rows();
    for p in 0..b.net.populations.len() {
        let cols = b.net.cols(p);
        if cols.start >= rows.start && !written.contains(&p) {
            b.zero(plan, l.a, cols);
        }
    }
    difference(b, plan);
}

/// a and δ from `W r̄`.
pub(super) fn difference(b: &Build, plan: &mut Plan) {
    let l = b.lay;
    plan.push(mismatch::Args {
        u: l.u,
        b: l.biases,
        x: b.input_has_drive().then_some(l.x),
        active: l.active,
        a: l.a,
        delta: l.delta,
        cols: b.net.rows(),
    });
}

/// The apical error `Wᵀδ` of the free populations.
pub(super) fn apical(b: &Build, plan: &mut Plan) {
    let l = b.lay;
    let free = b.net.free();
    b.zero(plan, l.apical, free);
    for k in b.free_projections() {
        b.backward(plan, k, l.weights[k], l.delta, None, l.apical, 1.0);
    }
}

/// Item 4: Ẇ and ḃ from old values.
pub(super) fn plasticity(b: &Build, plan: &mut Plan, resident: bool) {
    if b.features.learning {
        rates_of_parameters(b, plan, resident, b.set.derivative_clip);
    }
}

/// Ẇ, bounded by `clip`, and ḃ, bounded likewise where biases are weights, from δ and r̄.
pub(super) fn rates_of_parameters(b: &Build, plan: &mut Plan, resident: bool, clip: Option<f64>) {
    let l = b.lay;
    for (k, rate) in l.weight_rates.iter().enumerate() {
        let (pre, post) = b.ends(k);
        if let Some(w_dot) = rate.filter(|_| !(resident && b.is_clamped(k))) {
            let factor = b.net.projections[k].factor;
            plan.push(weight_rate::Args {
                delta: l.delta,
                r: l.r,
                w_dot,
                pre,
                post,
                factor,
                clip,
                hollow: b.net.projections[k].is_hollow(),
                rate: Rate::Weights,
            });
        }
    }
    plan.push(bias_rate::Args {
        delta: l.delta,
        factor: l.bias_factors,
        b_dot: l.bias_rates,
        cols: b.net.rows(),
        rate: Rate::Biases,
        clip: clip.filter(|_| b.set.bias == Bias::UnitRate),
    });
}

/// `c = s − δ/τ` (with `W D u̇` of a clamped input, whose own rows get `−u̇`) and `g = β(u* − u)/τ + β u̇* + ρ'·(Ẇᵀδ)`.
pub(super) fn drive(b: &Build, plan: &mut Plan, resident: bool) {
    let l = b.lay;
    drive_of(b, plan, l.delta, b.net.rows());
    // Separate feedback weights have a rate of change of their own.
    if b.set.weights_in_dynamics() && l.micro.is_none() {
        for k in b.free_projections() {
            if let Some(w_dot) = l.weight_rates[k] {
                b.backward(plan, k, w_dot, l.delta, Some(l.d), l.g, 1.0);
            }
        }
    }
    moves(b, plan, resident);
}

/// `c = −f/τ + ḃ + ẋ` on some columns, with f in place of δ where that looks ahead alone, and the nudging g.
pub(super) fn drive_of(b: &Build, plan: &mut Plan, f: Buf, cols: Cols) {
    let l = b.lay;
    plan.push(drive::Args {
        delta: f,
        b_dot: (b.features.learning && b.set.biases_in_dynamics()).then_some(l.bias_rates),
        x_dot: b.input_has_drive().then_some(l.x_dot),
        held: (cols.start < b.net.free().start).then_some(l.u_dot),
        clamped: b.net.clamped(),
        u: l.u,
        y: l.y,
        y_dot: l.y_dot,
        beta: l.beta,
        c: l.c,
        g: l.g,
        cols,
        outputs: b.net.outputs(),
        tau_ms: b.set.tau_ms,
    });
}

/// `c += Ẇ r̄`, and `W D u̇` of all voltages whose u̇ is known: a clamped input, outputs with β = ∞.
pub(super) fn moves(b: &Build, plan: &mut Plan, resident: bool) {
    let l = b.lay;
    if b.set.weights_in_dynamics() {
        for k in b.net.forward_order() {
            if let Some(w_dot) = l.weight_rates[k].filter(|_| !(resident && b.is_clamped(k))) {
                b.forward(plan, k, w_dot, l.r, None, Base::Out, l.c);
            }
        }
    }
    for k in b.clamped_projections() {
        if resident {
            learn_resident(b, plan, k);
            continue;
        }
        b.forward(plan, k, l.weights[k], l.u_dot, Some(l.d), Base::Out, l.c);
    }
}

/// `Ẇ r̄` and `W u̇_in` of a resident projection, and its learning.
fn learn_resident(b: &Build, plan: &mut Plan, k: usize) {
    let l = b.lay;
    plan.push(resident_learn::Args {
        delta: l.delta,
        gram: l.gram,
        v_old: l.v_old,
        v_new: l.v_new,
        a_old: l.a_old,
        a_new: l.a_new,
        c: l.c,
        cols: b.ends(k).1,
        factor: b.net.projections[k].factor,
        in_dynamics: b.set.weights_in_dynamics(),
        dt_ms: b.set.dt_ms,
    });
}
