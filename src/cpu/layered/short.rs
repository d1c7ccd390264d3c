//! What a network learns, in short numbers: see [`crate::cpu::short`]. `Ẇ = κ Σ δ r̄ᵀ` and what it does to the drives of the input are sums over the
//! trajectories of a batch, and multiplied with dt before they are added to anything that lasts.

use std::ops::Range;

use super::room::{Field, Input, Panel};
use super::{Crew, Ramp};
use crate::cpu::Real;
use crate::cpu::panel::Learn;
use crate::cpu::short::{ACROSS, ALONG, End, Operand, SHORT, Size, TILE, Term};
use crate::plan::{Layered, StepControl};

/// Trajectories, in whole groups, that leave it to vectors: half-filled tiles take as long as full ones.
const FEW: usize = ALONG;

/// Where the operands are. All have the trajectories along their sums.
#[derive(Clone, Debug)]
pub(super) struct Packs {
    /// Tiles along a sum over all trajectories.
    pub along: usize,
    /// δ of each layer.
    delta: Vec<usize>,
    /// r̄ of each layer but the last one.
    rates: Vec<usize>,
    /// Overlaps of the present rates with a pattern.
    mixed: usize,
}

impl Packs {
    /// Where the type has such products and trajectories fill their tiles.
    pub(super) fn new<T: Real>(
        plan: &Layered,
        (lanes, single): (usize, bool),
        mut place: impl FnMut(usize) -> usize,
    ) -> Option<Self> {
        if single || !plan.short || lanes <= FEW || !T::ready() {
            return None;
        }
        let along = lanes.div_ceil(ALONG);
        let mut of = |n: usize| place(n.div_ceil(ACROSS) * along * SHORT * TILE);
        let layers = || plan.layers.iter().map(|l| l.cols.len);
        Some(Self {
            along,
            delta: layers().map(&mut of).collect(),
            rates: layers().take(plan.layers.len() - 1).map(&mut of).collect(),
            mixed: of(lanes),
        })
    }
}

/// From a panel's first tile along the sum on, `n` elements across it.
fn of_panel<T: Real>(crew: &Crew<T>, at: usize, p: Panel, n: usize) -> Operand<T> {
    let outer = crew.packs().along * SHORT * TILE;
    let all = crew.ground.tiles(at, n.div_ceil(ACROSS) * outer);
    Operand { at: all.wrapping_add(p.first / ALONG * SHORT * TILE), outer }
}

/// Of all trajectories, elements from `first` on.
fn of_all<T: Real>(crew: &Crew<T>, at: usize, n: usize, first: usize) -> Operand<T> {
    let outer = crew.packs().along * SHORT * TILE;
    let all = crew.ground.tiles(at, n.div_ceil(ACROSS) * outer);
    Operand { at: all.wrapping_add(first / ACROSS * outer), outer }
}

/// A field of a panel.
fn size(rows: usize, p: Panel) -> Size {
    Size { rows, tiles: p.width / ACROSS, stride: p.width }
}

/// r̄ of a layer, when it is known.
#[inline(always)]
pub(super) fn rates<T: Real>(crew: &Crew<T>, p: Panel, l: usize) {
    let (rows, packs) = (crew.ground.map.layers[l], crew.packs());
    let from = crew.ground.see(Field::R, p, rows).as_ptr();
    // SAFETY: everything lies in the room; the panel is this thread's, here and below.
    unsafe { T::turned(from, size(rows.len, p), of_panel(crew, packs.rates[l], p, rows.len)) };
}

/// δ of a layer, when it is known.
#[inline(always)]
pub(super) fn mismatch<T: Real>(crew: &Crew<T>, p: Panel, l: usize) {
    let (rows, packs) = (crew.ground.map.layers[l], crew.packs());
    let from = crew.ground.see(Field::Delta, p, rows).as_ptr();
    // SAFETY: as above.
    unsafe { T::left(from, size(rows.len, p), of_panel(crew, packs.delta[l], p, rows.len)) };
}

/// `Ẇ = κ Σ δ r̄ᵀ`, `W + dt Ẇ` of a thread's rows.
#[inline(always)]
pub(super) fn weights<T: Real>(crew: &Crew<T>, l: usize, rows: &Range<usize>, learn: Learn<T>) {
    let (pre, post, packs) = (crew.ground.map.layers[l - 1], crew.ground.map.layers[l], crew.packs());
    let a = of_all(crew, packs.delta[l], post.len, rows.start);
    let term = Term { a, x: of_all(crew, packs.rates[l - 1], pre.len, 0), depth: packs.along };
    let size = Size { rows: rows.len(), tiles: pre.stride() / ACROSS, stride: pre.stride() };
    // SAFETY: everything lies in the room; these rows are this thread's, and Ẇ has a place where it does not come by its factors.
    unsafe { T::multiply(size, term, &End::Learn(learn)) };
}

/// `Ẇ r_old` and `Ẇ r_new` of the resident weights.
#[inline(always)]
pub(super) fn resident<T: Real>(crew: &Crew<T>, p: Panel, step: &StepControl, rate: T) {
    let (ground, packs, ramp) = (&crew.ground, crew.packs(), Ramp::<T>::new(step));
    let rows = ground.map.layers[0];
    let outer = packs.along * SHORT * TILE;
    let at = packs.mixed + ground.home() / ACROSS * outer;
    let x = Operand { at: ground.tiles(at, p.width / ACROSS * outer), outer };
    for (k, to) in [Input::OldRate, Input::NewRate].into_iter().enumerate() {
        let (old, new) = (ground.overlaps(2 * k, p), ground.overlaps(2 * k + 1, p));
        let term = Term { a: of_all(crew, packs.delta[0], rows.len, 0), x, depth: packs.along };
        let end = End::Scale { scale: rate, out: ground.input(to, p).as_mut_ptr() };
        // SAFETY: as above; overlaps of all trajectories with those of the panel.
        unsafe {
            T::mixed(old.as_ptr(), new.as_ptr(), (ramp.before, ramp.now), size(ground.map.lanes, p), x);
            T::multiply(size(rows.len, p), term, &end);
        }
    }
}
