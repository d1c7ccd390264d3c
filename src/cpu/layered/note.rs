//! What is not finite, or beyond the limit: looked for only where a panel has it.

use super::Crew;
use super::room::{Field, Output, Panel, lane};
use crate::cpu::{Real, status};

/// As [`status::note`], for a trajectory of its own.
fn note<T: Real>(crew: &Crew<T>, at: usize, row: usize, (step, neuron): (u32, usize)) {
    status::note(crew.ground.words(at), row, 1, 0, step, neuron, crew.neurons);
}

/// Targets that are not finite.
#[cold]
pub(super) fn targets<T: Real>(crew: &Crew<T>, p: Panel, step: u32) {
    let (y, active) = (crew.ground.output(Output::Target, p), crew.ground.lane(lane::ACTIVE, p));
    for j in (0..p.width).filter(|&j| active[j] != T::ZERO) {
        if let Some(o) = (0..crew.plan.n_out()).find(|o| !y[o * p.width + j].finite()) {
            note(crew, p.first + j, status::INPUT, (step, crew.neurons + o));
        }
    }
}

/// Voltages that are not finite, or too large.
#[cold]
pub(super) fn states<T: Real>(crew: &Crew<T>, p: Panel, step: u32) {
    let (ground, limit) = (&crew.ground, T::of(crew.plan.u_limit));
    let active = ground.lane(lane::ACTIVE, p);
    let wrong: [(usize, &dyn Fn(T) -> bool); 2] =
        [(status::STATE, &|u: T| !u.finite()), (status::LIMIT, &|u: T| u.finite() && u.abs() > limit)];
    for j in (0..p.width).filter(|&j| active[j] != T::ZERO) {
        for (row, wrong) in wrong {
            let found = crew.plan.layers.iter().zip(&ground.map.layers).find_map(|(layer, &rows)| {
                let u = ground.see(Field::U, p, rows);
                (0..rows.len).find(|i| wrong(u[i * p.width + j])).map(|i| layer.cols.start + i)
            });
            if let Some(neuron) = found {
                note(crew, p.first + j, row, (step, neuron));
            }
        }
    }
}
