//! Overlaps of what W learns from: with few trajectories the products `Ẇᵀδ = κ Σ r̄ (δ·δ)` and `Ẇ r̄ = κ Σ δ (r̄·r̄)` of a panel take less work than
//! those with Ẇ, which then is not formed. Sums are over all trajectories.

use super::Crew;
use super::room::{Field, Panel};
use super::single::rate;
use crate::cpu::Real;
use crate::cpu::panel::{Finish, Part, Size};
use crate::plan::StepControl;

/// `κ δᵀδ` of all trajectories with those of a panel, `[other trajectory, trajectory]`.
#[inline(always)]
pub(super) fn of_mismatches<'a, T: Real>(
    crew: &Crew<'a, T>,
    p: Panel,
    l: usize,
    step: &StepControl,
) -> &'a [T] {
    let (ground, post) = (&crew.ground, crew.ground.map.layers[l]);
    let to = ground.mixed(0, p);
    for &other in &crew.all {
        let part = Part {
            a: ground.see(Field::Delta, other, post).as_ptr(),
            strides: (1, other.width),
            x: ground.see(Field::Delta, p, post).as_ptr(),
            stride: p.width,
            depth: post.len,
        };
        let out = to[other.first * p.width..].as_mut_ptr();
        let size = Size { rows: other.width, cols: p.width, stride: p.width };
        // SAFETY: everything lies in the room; nobody else has this scratch.
        unsafe { T::panels(size, &[part], &Finish::Scale { scale: rate(crew, l, Some(step)), out }) };
    }
    to
}

/// `κ r̄ᵀr̄` of the layer before.
#[inline(always)]
pub(super) fn of_rates<'a, T: Real>(crew: &Crew<'a, T>, p: Panel, l: usize, step: &StepControl) -> &'a [T] {
    let (ground, pre) = (&crew.ground, crew.ground.map.layers[l - 1]);
    let to = ground.mixed(1, p);
    let part = Part {
        a: ground.see_rates(l - 1, 0..ground.map.lanes).as_ptr(),
        strides: (pre.stride(), 1),
        x: ground.see(Field::R, p, pre).as_ptr(),
        stride: p.width,
        depth: pre.len,
    };
    let size = Size { rows: ground.map.lanes, cols: p.width, stride: p.width };
    // SAFETY: as above.
    unsafe {
        T::panels(size, &[part], &Finish::Scale { scale: rate(crew, l, Some(step)), out: to.as_mut_ptr() });
    }
    to
}
