//! A microcircuit in the Newton iteration of `equilibrium`: `u^I_{n+1} = g^I(u_{n+1}) + e^{−dt/τ}(u^I_n − g^I_n)` where interneurons are dynamic,
//! `g^I(u_{n+1})` where they are instantaneous (model, section 8).

use super::Circuit;
use crate::kernels::blend;
use crate::plan::{Cols, Plan};

impl Circuit<'_> {
    fn span(&self) -> Cols {
        Cols { start: 0, len: self.cells() }
    }

    fn moves(&self) -> bool {
        self.is_dynamic() && self.cells() > 0
    }

    /// u^I and E of the old state, with the old x; what will be left of u^I − g^I.
    pub(in super::super) fn old_state(&self, plan: &mut Plan) {
        let l = self.l;
        self.interneurons(plan, l.u);
        self.error(plan, l.u);
        if self.moves() {
            let decay = self.b.decay();
            plan.push(blend::Args::new(l.gap, self.span(), &[(decay, l.u), (-decay, l.g)]));
            // From here on u^I is that of this step: its targets can be computed again without another step.
            self.b.zero(plan, l.u_dot, self.span());
        }
    }

    /// The same with the new x, from which plasticity works.
    pub(in super::super) fn present_state(&self, plan: &mut Plan) {
        self.interneurons(plan, self.l.u);
        self.error(plan, self.l.u);
    }

    /// u^I and E of an iterate; u^I goes to `ahead`.
    pub(in super::super) fn iterate(&self, plan: &mut Plan) {
        self.next_voltages(plan);
        self.error(plan, self.l.ahead);
    }

    fn next_voltages(&self, plan: &mut Plan) {
        let l = self.l;
        self.interneurons(plan, l.ahead);
        if self.moves() {
            plan.push(blend::Args::new(l.ahead, self.span(), &[(1.0, l.g), (1.0, l.gap)]));
        }
    }

    /// `H Δ = −F`, with −F in `g`.
    pub(in super::super) fn direction(&self, plan: &mut Plan) {
        let lay = self.b.lay;
        plan.push(blend::Args::new(lay.c, self.b.net.free(), &[(1.0, lay.g)]));
        self.solve(plan);
    }

    /// u̇^I of the step, from the voltages and rates of its end.
    pub(in super::super) fn interneuron_steps(&self, plan: &mut Plan) {
        let (l, dt) = (self.l, self.b.set.dt_ms);
        if self.moves() {
            self.next_voltages(plan);
            plan.push(blend::Args::new(l.u_dot, self.span(), &[(1.0 / dt, l.ahead), (-1.0 / dt, l.u)]));
            self.hold(plan);
        }
    }
}
