//! From the storage to the panels before a stretch of steps, and back after it: copies, so that results are the same bits however a run is
//! split.

use super::Crew;
use super::room::{Field, Ground, Input, Output, Panel, Rows, lane};
use crate::cpu::sweep::NARROW;
use crate::cpu::{Lane, Real};
use crate::kernels::solver;
use crate::plan::{Buf, Cols, Layered};

/// Columns of a buffer of trajectories, to a panel.
fn gather<T: Real>(lane: &Lane<T>, buf: Buf, cols: Cols, p: Panel, to: &mut [T]) {
    let (from, n) = (lane.whole(buf), lane.cols(buf));
    for j in 0..p.width.min(lane.whole_batch().saturating_sub(p.first)) {
        let row = &from[(p.first + j) * n + cols.start..][..cols.len];
        for (to, &v) in to[j..].iter_mut().step_by(p.width).zip(row) {
            *to = v;
        }
    }
}

/// And back.
fn scatter<T: Real>(lane: &Lane<T>, buf: Buf, cols: Cols, p: Panel, from: &[T]) {
    let n = lane.cols(buf);
    for j in 0..p.width.min(lane.whole_batch().saturating_sub(p.first)) {
        // SAFETY: a row of this thread's panel, which nobody else reads or writes before the threads meet.
        let row = unsafe { lane.raw(buf, (p.first + j) * n + cols.start, cols.len) };
        for (to, &v) in row.iter_mut().zip(from[j..].iter().step_by(p.width)) {
            *to = v;
        }
    }
}

/// Every field that is carried, with its place in the storage.
fn carried<T: Real>(crew: &Crew<T>, p: Panel, mut each: impl FnMut(Buf, Cols, &mut [T], bool)) {
    let (plan, ground) = (crew.plan, &crew.ground);
    for (layer, &rows) in plan.layers.iter().zip(&ground.map.layers) {
        each(plan.u, layer.cols, ground.field(Field::U, p, rows), true);
        each(plan.u_dot, layer.cols, ground.field(Field::Rate, p, rows), true);
    }
    let first = plan.layers[0].cols;
    for (buf, input) in [
        (plan.v[0], Input::OldDrive),
        (plan.v[1], Input::NewDrive),
        (plan.a[0], Input::OldLearned),
        (plan.a[1], Input::NewLearned),
    ] {
        each(buf, first, ground.input(input, p), true);
    }
    let out = Cols { start: 0, len: plan.n_out() };
    for (buf, output, changes) in [
        (plan.targets[0], Output::OldTarget, false),
        (plan.targets[1], Output::NewTarget, false),
        (plan.y, Output::Target, true),
        (plan.y_dot, Output::TargetRate, true),
    ] {
        each(buf, out, ground.output(output, p), changes);
    }
    for row in 0..solver::LEN {
        each(plan.solver, Cols { start: row, len: 1 }, ground.lane(row, p), true);
    }
    each(plan.active, Cols { start: 0, len: 1 }, ground.lane(lane::ACTIVE, p), false);
}

/// To the panels of a thread, and its share of the weights.
pub(super) fn bring<T: Real>(crew: &Crew<T>, lane: &Lane<T>) {
    for &p in &crew.panels {
        if crew.ground.map.single {
            // What was not finite must not come back from beside the neurons.
            crew.ground.clear(p);
        }
        carried(crew, p, |buf, cols, to, _| gather(lane, buf, cols, p, to));
        overlaps(crew, lane, p);
        for j in p.first..p.first + p.width {
            crew.ground.words(j).fill(crate::cpu::status::FINE);
        }
    }
    for (l, layer) in crew.plan.layers.iter().enumerate() {
        let rows = crew.ground.map.layers[l];
        let share = crew.share(rows.len);
        let at = layer.cols.start + share.start..layer.cols.start + share.end;
        let to = rows.start + share.start..rows.start + share.end;
        crew.ground.biases(0, to.clone()).copy_from_slice(&lane.whole(crew.plan.biases)[at.clone()]);
        crew.ground.biases(2, to).copy_from_slice(&lane.whole(crew.plan.bias_factors)[at]);
        if l > 0 && crew.ground.map.single {
            let pre = crew.ground.map.layers[l - 1].len;
            let (w, (a, b)) = (crew.ground.blocks(l), strides(crew, l));
            // What was not finite must not come back from beside the weights, either.
            w.fill(T::ZERO);
            for (i, row) in lane.whole(layer.w).chunks_exact(pre).enumerate() {
                for (j, &from) in row.iter().enumerate() {
                    w[i * a + j * b] = from;
                }
            }
        } else if l > 0 {
            let pre = crew.ground.map.layers[l - 1];
            let from = lane.whole(layer.w)[share.start * pre.len..].chunks_exact(pre.len);
            let to = crew.ground.weights(0, l, share).chunks_exact_mut(pre.stride());
            to.zip(from).for_each(|(to, from)| to[..pre.len].copy_from_slice(from));
        }
    }
}

/// Strides of a [`crate::cpu::sweep::Block`] along its post- and presynaptic neurons.
fn strides<T: Real>(crew: &Crew<T>, l: usize) -> (usize, usize) {
    let (pre, post) = (crew.ground.map.layers[l - 1], crew.ground.map.layers[l]);
    if post.len <= NARROW { (pre.stride(), 1) } else { (1, post.stride()) }
}

/// Overlaps of all patterns with those of a panel.
fn overlaps<T: Real>(crew: &Crew<T>, lane: &Lane<T>, p: Panel) {
    let batch = lane.whole_batch();
    let [oo, on, nn] = crew.plan.gram.map(|g| lane.whole(g));
    let to: [&mut [T]; 4] = std::array::from_fn(|k| crew.ground.overlaps(k, p));
    let real = p.width.min(batch.saturating_sub(p.first));
    for other in 0..batch {
        for j in 0..real {
            let (at, b) = (other * p.width + j, p.first + j);
            to[0][at] = oo[b * batch + other];
            to[1][at] = on[b * batch + other];
            to[2][at] = on[other * batch + b];
            to[3][at] = nn[b * batch + other];
        }
    }
}

/// Back to the storage, with the weights of buffer `w`.
pub(super) fn back<T: Real>(crew: &Crew<T>, lane: &mut Lane<T>, w: usize) {
    for &p in &crew.panels {
        let put = |buf, cols, from: &mut [T], changes| {
            if changes {
                scatter(lane, buf, cols, p, from);
            }
        };
        carried(crew, p, put);
    }
    for (l, layer) in crew.plan.layers.iter().enumerate() {
        let rows: Rows = crew.ground.map.layers[l];
        let share = crew.part(rows.len);
        let from = crew.ground.biases(0, rows.start + share.start..rows.start + share.end);
        // SAFETY: this thread's share.
        unsafe { lane.raw(crew.plan.biases, layer.cols.start + share.start, share.len()) }
            .copy_from_slice(from);
        if l > 0 && crew.ground.map.single {
            let pre = crew.ground.map.layers[l - 1].len;
            let (w, (a, b)) = (crew.ground.blocks(l), strides(crew, l));
            // SAFETY: there is no other thread.
            let to = unsafe { lane.raw(layer.w, 0, rows.len * pre) };
            for (i, row) in to.chunks_exact_mut(pre).enumerate() {
                for (j, to) in row.iter_mut().enumerate() {
                    *to = w[i * a + j * b];
                }
            }
            lane.follow(layer.w, 0..rows.len);
        } else if l > 0 {
            let pre = crew.ground.map.layers[l - 1];
            // SAFETY: as above.
            let to = unsafe { lane.raw(layer.w, share.start * pre.len, share.len() * pre.len) };
            let from = crew.ground.weights(w, l, share.clone()).chunks_exact(pre.stride());
            to.chunks_exact_mut(pre.len)
                .zip(from)
                .for_each(|(to, from)| to.copy_from_slice(&from[..pre.len]));
            lane.follow(layer.w, share);
        }
    }
}

/// Status words of a lane's trajectories: the earliest bad step has the smallest word.
pub(super) fn words<T: Real>(plan: &Layered, ground: Ground<T>, lane: &mut Lane<T>) {
    let rows = lane.rows();
    let mut words = lane.take_words(plan.status);
    for (j, at) in rows.clone().enumerate() {
        for (row, &found) in ground.words(at).iter().enumerate() {
            let word = &mut words[row * rows.len() + j];
            *word = (*word).min(found);
        }
    }
    lane.put_words(plan.status, words);
}
