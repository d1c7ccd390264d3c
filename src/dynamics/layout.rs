//! Where everything is: the buffers of a model.
//!
//! Conjugate gradients of `exact` need no arrays of their own but one: when they begin, what the right-hand side was made from is used up. So t
//! lies where a did, p where c, the residual where g, z where `Wᵀδ`: 12 arrays `[batch, N]` on graphs with cycles (11 where ρ'' = 0), which the
//! tests of `sharing` prove to be 16 (15) that never meet.

use super::{
    Bias, BicgLayout, Dynamics, Features, Integrator, MicroLayout, PROBE_LIMIT, PlasticityInDynamics,
    Settings, Solver, StimulusKind,
};
use crate::kernels::{record, solver as solver_cols};
use crate::network::Network;
use crate::plan::{Buf, BufferSpec, Elem, Role};

/// Handles of all buffers. Buffers that a model does not need have no elements.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)] // The names are those of the model; shapes stand where they are made.
pub struct Layout {
    pub batch: usize,
    pub weights: Vec<Buf>,
    pub weight_rates: Vec<Option<Buf>>,
    pub biases: Buf,
    pub bias_rates: Buf,
    pub bias_factors: Buf,
    pub u: Buf,
    pub u_dot: Buf,
    pub history: Vec<Buf>,
    pub r: Buf,
    pub d: Buf,
    pub d2: Option<Buf>,
    pub a: Buf,
    pub delta: Buf,
    pub apical: Buf,
    pub c: Buf,
    pub g: Buf,
    pub y_vec: Buf,
    pub p: Buf,
    pub res: Buf,
    pub z: Buf,
    pub t: Buf,
    pub f: Buf,
    pub aim: Buf,
    pub u_start: Buf,
    pub best: Buf,
    pub direction: Buf,
    pub inflow: Buf,
    pub newton: Buf,
    pub held: Buf,
    pub rhs: Buf,
    pub solver: Buf,
    pub rows: Vec<Buf>,
    pub small: Buf,
    pub jac: Buf,
    pub h: Buf,
    pub pixels: Buf,
    pub labels: Buf,
    pub pixel_table: Buf,
    pub label_table: Buf,
    pub x_next: Buf,
    pub y_next: Buf,
    pub active: Buf,
    pub x_old: Buf,
    pub x_new: Buf,
    pub y_old: Buf,
    pub y_new: Buf,
    pub x_seq: Buf,
    pub y_seq: Buf,
    pub series: Buf,
    pub cursor: Buf,
    pub series_gain: Buf,
    pub series_offset: Buf,
    pub x: Buf,
    pub x_dot: Buf,
    pub y: Buf,
    pub y_dot: Buf,
    pub beta: Buf,
    pub record: Buf,
    pub entry_record: Buf,
    pub status: Buf,
    pub v_old: Buf,
    pub v_new: Buf,
    pub a_old: Buf,
    pub a_new: Buf,
    pub gram: [Buf; 3],
    pub bicg: BicgLayout,
    pub micro: Option<MicroLayout>,
    pub inverse: Buf,
    pub age: Buf,
    /// Presentations run with resident weights.
    pub resident: bool,
    /// The solver starts from 2u̇₁ − u̇₂, as the last two steps let expect.
    pub warm: bool,
    /// `Wᵀδ` is needed in every step.
    pub needs_apical: bool,
    /// A Cholesky factorisation tells in every step whether H is positive definite.
    pub probes: bool,
}

pub(super) struct Maker(Vec<BufferSpec>);

impl Maker {
    fn add(&mut self, name: impl Into<String>, role: Role, elem: Elem, rows: usize, cols: usize) -> Buf {
        let per_trajectory = elem != Elem::Word && matches!(role, Role::State | Role::Scratch | Role::Record);
        self.0.push(BufferSpec { name: name.into(), role, elem, rows, cols, per_trajectory });
        Buf((self.0.len() - 1) as u16)
    }
    /// What the host writes for each trajectory.
    fn samples(&mut self, name: &str, elem: Elem, rows: usize, cols: usize) -> Buf {
        let buf = self.add(name, Role::Stimulus, elem, rows, cols);
        self.0[buf.0 as usize].per_trajectory = true;
        buf
    }
    pub(super) fn real(&mut self, name: impl Into<String>, role: Role, rows: usize, cols: usize) -> Buf {
        self.add(name, role, Elem::Real, rows, cols)
    }
}

/// Voltages, their history and everything that is recomputed from them.
struct Fields {
    probes: bool,
    needs_apical: bool,
    iterates: bool,
    woodbury: bool,
    dense: bool,
}

impl Fields {
    fn new(network: &Network, solver: Option<Solver>) -> Self {
        let smooth = !network.activation.is_piecewise_linear();
        let dense = solver == Some(Solver::Dense);
        let free = network.free().len;
        Self {
            probes: smooth && solver == Some(Solver::Cg) && free <= PROBE_LIMIT,
            needs_apical: smooth,
            iterates: matches!(solver, Some(Solver::Cg | Solver::OutputCg | Solver::Bicgstab)),
            woodbury: solver == Some(Solver::Woodbury),
            dense,
        }
    }
}

impl Layout {
    /// Buffers for `batch` trajectories of `network`; `shares`: those that are never needed at the same time are one.
    pub(crate) fn new(
        network: &Network,
        settings: &Settings,
        solver: Option<Solver>,
        batch: usize,
        features: Features,
        shares: bool,
    ) -> (Self, Vec<BufferSpec>) {
        let (n, n_in, n_out) = (network.neurons(), network.n_in(), network.n_out());
        let free = network.free().len;
        let has = Fields::new(network, solver);
        let small = super::small::applies(network, settings, solver);
        let resident = super::resident::applies(network, settings, features, batch);
        let on = |yes: bool, size: usize| if yes { size } else { 0 };
        let mut m = Maker(Vec::new());
        let mut weights = Vec::new();
        let mut weight_rates = Vec::new();
        for (k, p) in network.projections.iter().enumerate() {
            let (post, pre) = (network.populations[p.post].size, network.populations[p.pre].size);
            let name = network.projection_name(k);
            weights.push(m.real(format!("W {name}"), Role::Parameter, post, pre));
            let learns = features.learning && p.factor != 0.0;
            weight_rates.push(learns.then(|| m.real(format!("W_dot {name}"), Role::Parameter, post, pre)));
        }
        // On graphs with cycles a warm start costs nothing: J u̇ takes as many products as L⁻¹ c and W_b do. In a Newton iteration u̇ is
        // another direction each time, and feedforward graphs need few iterations anyway.
        let warm = settings.integrator == Integrator::Exact
            && solver == Some(Solver::Cg)
            && !network.is_feedforward();
        let newton = settings.integrator == Integrator::Equilibrium;
        let explicit = settings.integrator != Integrator::Exact && !newton;
        let depth = match settings.integrator {
            Integrator::Exact => usize::from(warm),
            Integrator::Euler | Integrator::Equilibrium => 0,
            Integrator::Richardson1 => 1,
            Integrator::Richardson2 => 3,
        };
        use Role::{Parameter, Record, Scratch, State, Stimulus};
        let biases = m.real("b", Parameter, 1, n);
        let bias_rates = m.real("b_dot", Parameter, 1, n);
        let bias_factors = m.real("b_factor", Parameter, 1, n);
        let u = m.real("u", State, batch, n);
        let u_dot = m.real("u_dot", State, batch, n);
        let history = (0..depth).map(|k| m.real(format!("u_dot_{}", k + 2), State, batch, n)).collect();
        let back = !network.is_feedforward();
        let smooth = !network.activation.is_piecewise_linear();
        let (samples, seq_rows) = match features.stimulus {
            StimulusKind::Samples | StimulusKind::Values => (true, 0),
            StimulusKind::Sequence { steps } => (false, steps),
            StimulusKind::Series { .. } => (false, 0),
        };
        let [bytes, values] =
            [StimulusKind::Samples, StimulusKind::Values].map(|kind| features.stimulus == kind);
        // Rows, bytes of a row, channels.
        let [held, row_bytes, channels] = match features.stimulus {
            StimulusKind::Series { rows, format, channels } => [rows, channels * format.bytes(), channels],
            _ => [0; 3],
        };
        let bicg = BicgLayout::new(&mut m, on(solver == Some(Solver::Bicgstab), batch), n);
        let micro = network.microcircuit.as_ref().map(|micro| {
            let (w, b) = ((&weights[..], &weight_rates[..]), (biases, bias_rates, bias_factors));
            MicroLayout::new(&mut m, micro, network, batch, features, w, b)
        });
        let shared = shares
            && settings.integrator == Integrator::Exact
            && settings.dynamics == Dynamics::Nla
            && matches!(solver, Some(Solver::Cg | Solver::OutputCg));
        let [a, apical, c, g] = ["a", "apical", "c", "g"].map(|name| m.real(name, Scratch, batch, n));
        let mut room = |name: &str, used: Buf, needed: bool| {
            if shared && needed { used } else { m.real(name, Scratch, on(needed, batch), n) }
        };
        let p = room("p", c, has.iterates);
        let res = room("res", g, has.iterates);
        let z = room("z", apical, explicit || has.iterates);
        let t = room("t", a, has.iterates && back);
        let lay = Layout {
            batch,
            weights,
            weight_rates,
            biases,
            bias_rates,
            bias_factors,
            u,
            u_dot,
            history,
            r: m.real("r", Scratch, batch, n),
            d: m.real("rho'", Scratch, batch, n),
            d2: smooth.then(|| m.real("rho''", Scratch, batch, n)),
            a,
            delta: m.real("delta", Scratch, batch, n),
            apical,
            c,
            g,
            y_vec: m.real("y", Scratch, on(explicit || has.iterates, batch), n),
            p,
            res,
            z,
            solver: m.real("solver", Record, batch, solver_cols::LEN),
            t,
            f: m.real("f", Scratch, on(newton || settings.dynamics != Dynamics::Nla, batch), n),
            aim: m.real("aim", Scratch, on(newton, batch), n),
            u_start: m.real("u_start", Scratch, on(newton, batch), n),
            best: m.real("best", Scratch, on(newton, batch), n),
            direction: m.real("direction", Scratch, on(newton, batch), n),
            inflow: m.real("inflow", Scratch, on(newton && network.clamped().len > 0, batch), n),
            newton: m.real("newton", Scratch, on(newton, batch), solver_cols::LEN),
            held: m.real("held", Scratch, on(settings.hard_targets, batch), n),
            rhs: m.real("rhs", Scratch, on(has.dense || has.probes, batch), n),
            rows: (0..on(has.woodbury, n_out)).map(|o| m.real(format!("m_{o}"), Scratch, batch, n)).collect(),
            small: m.real("small", Scratch, on(has.woodbury, batch), n_out * (n_out + 1)),
            jac: m.real("J", Scratch, on(has.dense || has.probes, batch), network.rows().len * free),
            h: m.real("H", Scratch, on(has.dense || has.probes, batch), free * (free + 1)),
            pixels: m.samples("pixels", Elem::Byte, on(bytes, batch), n_in),
            labels: m.samples("labels", Elem::Byte, on(bytes, batch), 1),
            pixel_table: m.real("pixel_table", Stimulus, 1, on(bytes, 256)),
            label_table: m.real("label_table", Stimulus, 1, on(bytes, 2)),
            x_next: m.samples("x_next", Elem::Real, on(values, batch), n_in),
            y_next: m.samples("u*_next", Elem::Real, on(values, batch), n_out),
            active: m.samples("active", Elem::Real, batch, 1),
            x_old: m.real("x_old", State, on(samples, batch), n_in),
            x_new: m.real("x_new", State, on(samples, batch), n_in),
            y_old: m.real("u*_old", State, on(samples, batch), n_out),
            y_new: m.real("u*_new", State, on(samples, batch), n_out),
            x_seq: m.real("x_seq", Stimulus, seq_rows, batch * n_in),
            y_seq: m.real("u*_seq", Stimulus, seq_rows, batch * n_out),
            series: m.add("series", Stimulus, Elem::Byte, held, row_bytes),
            cursor: m.samples("cursor", Elem::Byte, on(held > 0, batch), 4),
            series_gain: m.real("series_gain", Stimulus, 1, channels),
            series_offset: m.real("series_offset", Stimulus, 1, channels),
            x: m.real("x", State, batch, n_in),
            x_dot: m.real("x_dot", Scratch, batch, n_in),
            y: m.real("u*", State, batch, n_out),
            y_dot: m.real("u*_dot", Scratch, batch, n_out),
            beta: m.real("beta", Stimulus, features.beta_rows, n_out),
            record: m.real("record", Record, batch, record::LEN),
            entry_record: m.real("entry_record", Record, on(features.entry_norms, batch), record::LEN),
            status: m.add("status", Record, Elem::Word, 3, batch),
            v_old: m.real("W r_old", Scratch, on(resident, batch), n),
            v_new: m.real("W r_new", Scratch, on(resident, batch), n),
            a_old: m.real("a_old", Scratch, on(resident, batch), n),
            a_new: m.real("a_new", Scratch, on(resident, batch), n),
            gram: ["r_old r_old", "r_old r_new", "r_new r_new"]
                .map(|name| m.real(name, Scratch, on(resident, batch), batch)),
            bicg,
            micro,
            inverse: m.real("H^-1", Parameter, on(small, n), n),
            age: m.real("age of H^-1", Parameter, 1, on(small, 1)),
            resident,
            warm,
            needs_apical: has.needs_apical,
            probes: has.probes,
        };
        (lay, m.0)
    }
}

impl Settings {
    /// Whether Ẇ enters the dynamics of u.
    #[must_use]
    pub fn weights_in_dynamics(&self) -> bool {
        self.plasticity_in_dynamics != PlasticityInDynamics::None
    }
    /// Whether ḃ enters the dynamics of u.
    #[must_use]
    pub fn biases_in_dynamics(&self) -> bool {
        match self.plasticity_in_dynamics {
            PlasticityInDynamics::None => false,
            PlasticityInDynamics::Weights => self.bias == Bias::UnitRate,
            PlasticityInDynamics::All => true,
        }
    }
}
