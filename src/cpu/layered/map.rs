//! Where the panels of a layered network are in their memory.

use crate::cpu::Real;
use crate::plan::Layered;

use super::short::Packs;

/// `[neuron, trajectory]` of all free populations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// u.
    U,
    /// r̄.
    R,
    /// ρ'.
    D,
    /// δ.
    Delta,
    /// What the backward sweep carries.
    Back,
    /// u̇.
    Rate,
    /// What the forward sweep carries, times ρ'.
    Gated,
    /// A direction of the solver.
    Way,
}

/// Number of fields.
const FIELDS: usize = 8;

/// `[neuron, trajectory]` of the first layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// W r_old.
    OldDrive,
    /// W r_new.
    NewDrive,
    /// What W learns along r_old.
    OldLearned,
    /// What W learns along r_new.
    NewLearned,
    /// Ẇ r_old.
    OldRate,
    /// Ẇ r_new.
    NewRate,
}

/// Number of inputs.
const INPUTS: usize = 6;

/// `[output, trajectory]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Output {
    /// Target before the ramp.
    OldTarget,
    /// Target after the ramp.
    NewTarget,
    /// u*.
    Target,
    /// u̇*.
    TargetRate,
    /// Residual.
    Residual,
    /// Direction.
    Direction,
    /// u̇ as it is expected.
    Guess,
    /// Image of a direction.
    Image,
    /// What changes the estimate of the inverse.
    Change,
}

/// Number of outputs.
const OUTPUTS: usize = 9;

/// Backward differences of u̇ that are kept: u̇, its change, the change of that, …
pub(super) const DIFFERENCES: usize = 6;

/// Numbers of each trajectory: the mask, α, and the books of the solver.
pub(super) mod lane {
    use crate::kernels::solver;
    /// 1 where the trajectory has a sample.
    pub const ACTIVE: usize = solver::LEN;
    /// Step along the direction.
    pub const STEP: usize = solver::LEN + 1;
    /// Number of differences of u̇ that are known.
    pub const KNOWN: usize = solver::LEN + 2;
    /// Number of rows.
    pub const LEN: usize = solver::LEN + 3;
}

/// Overlaps of the patterns: old·old, new·old, old·new, new·new, as `[other trajectory, trajectory]`.
pub(super) const OVERLAPS: usize = 4;

/// Trajectories up to which each is a panel of its own.
pub(super) const SINGLES: usize = 2;

/// Trajectories and elements of W up to which each thread has all of W for itself: to compute all of Ẇ is less work than to fetch what others have
/// computed from their caches.
const OWN: (usize, usize) = (64, 1 << 18);

/// Elements of a cache line, for either type.
pub(super) const LINE: usize = 16;

/// 64 bytes in f32.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct Line<T>(pub(super) [T; LINE]);

/// Neurons of a layer in a panel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows {
    /// First row.
    pub start: usize,
    /// Neurons.
    pub len: usize,
}

impl Rows {
    /// Row length of matrices with a column for each of these neurons.
    pub(super) fn stride(self) -> usize {
        self.len.next_multiple_of(LINE)
    }
}

/// Sizes, and the first element of everything.
#[derive(Clone, Debug)]
pub(super) struct Map {
    /// Trajectories, a multiple of a group; 1 of a single one.
    pub lanes: usize,
    /// Each trajectory is a panel of its own.
    pub single: bool,
    /// Rows of the layers.
    pub layers: Vec<Rows>,
    /// Rows of a field.
    pub rows: usize,
    /// First elements of the fields.
    pub(super) fields: [usize; FIELDS],
    /// Of the inputs.
    pub(super) inputs: [usize; INPUTS],
    /// Of the outputs.
    pub(super) outputs: [usize; OUTPUTS],
    /// Of the differences of u̇.
    pub(super) differences: [usize; DIFFERENCES],
    /// Estimates of the inverse of the system of the outputs, `[output, output, trajectory]`.
    pub(super) inverses: usize,
    /// Of the numbers of each trajectory.
    pub(super) books: usize,
    /// Of the overlaps of the patterns.
    pub(super) overlaps: usize,
    /// Of those of the present rates.
    pub(super) mixed: usize,
    /// r̄ of each layer, `[trajectory, neuron]`.
    pub(super) rates: Vec<usize>,
    /// W, its successor and Ẇ of each layer.
    pub(super) weights: Vec<[usize; 3]>,
    /// b, ḃ and the factors.
    pub(super) biases: usize,
    /// Elements between the weights and biases of one thread and those of the next; 0 where all share them.
    pub(super) own: usize,
    /// Layers whose Ẇ has a part in the dynamics by its factors, δ and r̄ of all trajectories.
    pub(super) factors: Vec<bool>,
    /// Operands of products in short numbers.
    pub(super) packs: Option<Packs>,
    /// Elements of all.
    pub(super) len: usize,
}

impl Map {
    /// For so many trajectories.
    pub(super) fn new<T: Real>(plan: &Layered, batch: usize) -> Self {
        let single = batch <= SINGLES;
        let lanes = if single { batch } else { batch.next_multiple_of(T::GROUP) };
        let mut len = 0;
        let mut place = |size: usize| {
            let at = len;
            // Arrays that begin at the same place of a page would meet in the cache.
            len += size.next_multiple_of(LINE) + 5 * LINE;
            at
        };
        let mut rows = 0;
        let layers: Vec<Rows> = plan
            .layers
            .iter()
            .map(|layer| {
                let start = rows;
                rows += layer.cols.len.next_multiple_of(LINE);
                Rows { start, len: layer.cols.len }
            })
            .collect();
        let first = layers.first().map_or(0, |l| l.stride());
        let out = layers.last().map_or(0, |l| l.stride());
        let n_out = plan.n_out();
        let pre = |l: usize| if l == 0 { 0 } else { layers[l - 1].stride() };
        let n_layers = layers.len();
        let sizes: Vec<usize> = (0..n_layers).map(|l| layers[l].stride() * pre(l)).collect();
        // Before the weights: what follows those is there once for each thread.
        let packs = Packs::new::<T>(plan, (lanes, single), &mut place);
        // What is learned from needs no place where it is packed.
        let full = usize::from(packs.is_none());
        let owned = !single && lanes <= OWN.0 && sizes.iter().sum::<usize>() <= OWN.1;
        // Products with δᵀδ and r̄ᵀr̄ in place of those with Ẇ.
        let by_factors = |l: usize| {
            owned && packs.is_none() && l > 0 && lanes * (layers[l].len + layers[l - 1].len) < sizes[l]
        };
        let map = Self {
            lanes,
            single,
            rows,
            fields: std::array::from_fn(|_| place(rows * lanes)),
            inputs: std::array::from_fn(|_| place(first * lanes)),
            outputs: std::array::from_fn(|_| place(out * lanes)),
            differences: std::array::from_fn(|_| place(out * lanes)),
            inverses: place(if single || n_out > super::inverse::MOST { 0 } else { n_out * n_out * lanes }),
            books: place(lane::LEN * lanes),
            overlaps: place(OVERLAPS * lanes * lanes),
            mixed: place(full * 2 * lanes * lanes),
            rates: (0..n_layers).map(|l| place(full * layers[l].stride() * lanes)).collect(),
            weights: sizes.iter().map(|&size| std::array::from_fn(|_| place(size))).collect(),
            biases: place(3 * rows),
            own: 0,
            factors: (0..n_layers).map(by_factors).collect(),
            packs,
            len: 0,
            layers,
        };
        let own = if owned { len - map.weights[0][0] } else { 0 };
        // As many as there may be threads.
        Self { own, len: len + own * (lanes / T::GROUP).saturating_sub(1), ..map }
    }

    /// The last layer.
    pub(super) fn out(&self) -> Rows {
        self.layers[self.layers.len() - 1]
    }
}
