//! Passes over the resident weights W of a single trajectory, at the ends of a presentation: in all other steps none is needed.
//!
//! Call by call they are five: `W r̄` and `W u̇_in` of the first step, which runs plainly, its `dt Ẇ`, `W r_old` and `W r_new`; then what was
//! learned, and `W r̄` for those who observe. Here it is one at the beginning, for `W r̄`, `W r_old` and `W r_new` together, from which all the
//! others follow by the algebra of [`crate::dynamics`]'s resident weights, and one at the end. The sums are the same however a run is split:
//! what waits from one run to the next is known by [`Onset`], and forgotten where anything else happens in between.

use super::rows;
use super::tasks::Task;
use super::{Lane, Real};
use crate::kernels::{Base, Call, forward, resident_apply, update, weight_rate};
use crate::plan::{Layered, PlanId, StepControl};

/// What is known of W beside W.
#[derive(Clone, Debug, Default)]
pub(super) struct Onset<T> {
    /// r̄ of the first step, `[n_in]`, r_old and r_new.
    patterns: Vec<T>,
    /// W r̄ of the first step.
    drive: Vec<T>,
    /// What W learns along r̄ there.
    learned: Vec<T>,
    /// W in its buffer lacks it.
    owed: bool,
    /// W r_old and W r_new in their buffers are those of W as it is.
    ready: bool,
    /// The ramp at which the presentation ended that W r_old and W r_new belong to.
    ended: Option<f64>,
}

impl<T> Onset<T> {
    /// Somebody may have changed a buffer.
    pub(super) fn forget(&mut self) {
        (self.ready, self.ended) = (false, None);
    }

    /// A plan begins.
    pub(super) fn begins(&mut self, id: PlanId) {
        // Those who observe change neither W nor what it does to the patterns.
        self.ready &= matches!(id, PlanId::ResidentStart | PlanId::Observe);
        self.ended = self.ended.filter(|_| id == PlanId::Observe);
    }
}

/// A task that has to do with a pass over W.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part<'a> {
    /// W r̄, W r_old and W r_new.
    First(&'a forward::Args),
    /// W u̇_in.
    Follow(&'a forward::Args),
    /// `W += dt·Ẇ`; whether W may wait for the end of the presentation.
    Learn(&'a update::Args, &'a weight_rate::Args, bool),
    /// W r_old and W r_new.
    Ready(&'a forward::Args, &'a forward::Args),
    /// What W has learned.
    Apply(&'a resident_apply::Args),
    /// W r̄ after that.
    Drive(&'a forward::Args),
}

/// The tasks of a plan with such parts, for a single trajectory; `ends`: the presentation ends in the same run.
pub(super) fn adapt<'a>(
    mut tasks: Vec<Task<'a>>,
    plan: &'a Layered,
    id: PlanId,
    ends: bool,
) -> Vec<Task<'a>> {
    let w = plan.layers[0].w;
    let uses = |task: &Task| match *task {
        Task::Call(Call::Forward(a)) => a.w == w,
        Task::Both(a, _) => a.w == w,
        Task::Learn(a, _) | Task::Call(Call::Update(a)) => a.p == w,
        Task::Call(Call::ResidentApply(a)) => a.w == w,
        Task::Call(Call::Backward(a)) => a.w == w,
        _ => false,
    };
    let part = |task: &Task<'a>| match (*task, id) {
        (Task::Call(Call::Forward(a)), PlanId::Step) if plain(a) => Some(Part::First(a)),
        (Task::Call(Call::Forward(a)), PlanId::Step) if a.base == Base::Out && a.x == plan.u_dot => {
            Some(Part::Follow(a))
        }
        (Task::Learn(a, rate), PlanId::Step) if a.clip.is_none() => Some(Part::Learn(a, rate, ends)),
        (Task::Both(a, b), PlanId::ResidentStart) if [a.out, b.out] == plan.v => Some(Part::Ready(a, b)),
        (Task::Call(Call::ResidentApply(a)), PlanId::ResidentEnd) => Some(Part::Apply(a)),
        (Task::Call(Call::Forward(a)), PlanId::Observe) if plain(a) => Some(Part::Drive(a)),
        _ => None,
    };
    let parts: Vec<_> = tasks.iter().map(|task| uses(task).then(|| part(task))).collect();
    let found: Option<Vec<_>> = parts.iter().flatten().copied().collect();
    // First of all W r̄, then what follows from it, each once.
    let fits = matches!(
        found.as_deref(),
        Some(
            [Part::First(_), Part::Follow(_)]
                | [Part::First(_), Part::Follow(_), Part::Learn(..)]
                | [Part::Ready(..) | Part::Apply(_) | Part::Drive(_)]
        )
    );
    for (task, part) in tasks.iter_mut().zip(parts).filter(|_| fits) {
        if let Some(part) = part.flatten() {
            *task = Task::Onset(part, plan);
        }
    }
    tasks
}

/// A product of r̄ as it is.
fn plain(a: &forward::Args) -> bool {
    a.base == Base::Zero && a.gate.is_none() && a.scale == 1.0
}

/// Runs a part.
pub(super) fn run<T: Real>(s: &mut Lane<T>, part: Part, plan: &Layered, step: &StepControl) {
    let mut known = std::mem::take(&mut s.onset);
    match part {
        Part::First(a) => first(s, &mut known, a, plan),
        Part::Follow(a) => follow(s, &known, a, plan, step),
        Part::Learn(a, rate, later) => learn(s, &mut known, (a, rate, later), plan, step),
        Part::Ready(a, b) if !known.ready => super::forward::both(s, a, b),
        Part::Ready(..) => {}
        Part::Apply(a) => apply(s, &mut known, a, step),
        Part::Drive(a) => drive(s, &known, a, plan, step),
    }
    s.onset = known;
}

/// W with r̄, r_old and r_new, some rows at a time.
fn first<T: Real>(s: &mut Lane<T>, known: &mut Onset<T>, a: &forward::Args, plan: &Layered) {
    let (w, len) = (s.get(a.w), a.pre.len);
    known.patterns.clear();
    for buf in [a.x, plan.x[0], plan.x[1]] {
        known.patterns.extend_from_slice(&s.get(buf)[a.pre.range()]);
    }
    known.drive.resize(a.post.len, T::ZERO);
    known.learned.clear();
    let [mut out, mut old, mut new] = [a.out, plan.v[0], plan.v[1]].map(|buf| s.take(buf));
    assert!(w.len() >= a.post.len * len && known.patterns.len() == 3 * len, "a row for each result");
    let mut i = 0;
    while i < a.post.len {
        let count = rows::next(a.post.len - i);
        let row = w[i * len..].as_ptr();
        for (x, to) in known.patterns.chunks_exact(len).zip([&mut out, &mut old, &mut new]) {
            // SAFETY: W has these rows, each as long as x.
            let sums = unsafe { T::dots(row, len, count, len, x.as_ptr()) };
            to[a.post.start + i..][..count].copy_from_slice(&sums[..count]);
        }
        i += count;
    }
    known.drive.copy_from_slice(&out[a.post.range()]);
    (known.owed, known.ready) = (false, true);
    s.put(a.out, out);
    s.put(plan.v[0], old);
    s.put(plan.v[1], new);
}

/// `W u̇_in`, where `u̇_in = ((1 − s) r_old + s r_new − r̄)/dt`.
fn follow<T: Real>(s: &mut Lane<T>, known: &Onset<T>, a: &forward::Args, plan: &Layered, step: &StepControl) {
    // Without a sample nothing moves.
    if s.get(plan.active)[0] == T::ZERO {
        return;
    }
    let (old, new) = (&s.get(plan.v[0])[a.post.range()], &s.get(plan.v[1])[a.post.range()]);
    let (ramp, share) = (T::of(step.ramp), T::of(a.scale / plan.dt_ms));
    let mut out = s.take(a.out);
    let sums = out[a.post.range()].iter_mut().zip(&known.drive).zip(old.iter().zip(new));
    for ((out, &before), (&old, &new)) in sums {
        *out += share * ((old - before) + ramp * (new - old));
    }
    s.put(a.out, out);
}

/// `W += dt κ δ r̄ᵀ`, in W r_old and W r_new at once.
fn learn<T: Real>(
    s: &mut Lane<T>,
    known: &mut Onset<T>,
    (a, rate, later): (&update::Args, &weight_rate::Args, bool),
    plan: &Layered,
    step: &StepControl,
) {
    let share = T::of(step.rate_w * rate.factor * a.dt_ms);
    if share == T::ZERO {
        return;
    }
    known.learned.clear();
    known.learned.extend(s.get(rate.delta)[rate.post.range()].iter().map(|&delta| share * delta));
    let len = rate.pre.len;
    let (r, others) = known.patterns.split_at(len);
    for (&buf, x) in plan.v.iter().zip(others.chunks_exact(len)) {
        // SAFETY: vectors of the same length.
        let overlap = unsafe { T::dots(x.as_ptr(), len, 1, len, r.as_ptr()) }[0];
        let mut v = s.take(buf);
        for (v, &learned) in v[rate.post.range()].iter_mut().zip(&known.learned) {
            *v += overlap * learned;
        }
        s.put(buf, v);
    }
    known.owed = later;
    if !later {
        let (mut w, posts) = s.take_rows(a.p);
        add(&mut w, len, r, |i| [known.learned[i], T::ZERO], 1);
        s.put(a.p, w);
        s.follow(a.p, posts);
    }
}

/// `w_i ← w_i + Σ t_k x_k` for every row of W, of as many patterns.
fn add<T: Real>(w: &mut [T], len: usize, patterns: &[T], t: impl Fn(usize) -> [T; 2], count: usize) {
    assert!(patterns.len() >= count * len, "patterns as long as rows");
    for (i, row) in w.chunks_exact_mut(len).enumerate() {
        let mut factors = [T::ZERO; rows::ROWS];
        factors[..2].copy_from_slice(&t(i));
        // SAFETY: patterns as long as the row.
        unsafe { T::combine(patterns.as_ptr(), len, count, len, &factors, row.as_mut_ptr()) };
    }
}

/// What W has learned since the presentation began.
fn apply<T: Real>(s: &mut Lane<T>, known: &mut Onset<T>, a: &resident_apply::Args, step: &StepControl) {
    let (len, n) = (a.pre.len, a.post.len);
    let (mut w, posts) = s.take_rows(a.w);
    let [old, new] = [a.a_old, a.a_new].map(|buf| &s.get(buf)[a.post.range()]);
    let mut samples = s.take_operand(2 * len);
    for (to, buf) in samples.chunks_exact_mut(len).zip([a.x_old, a.x_new]) {
        to.copy_from_slice(&s.get(buf)[a.pre.range()]);
    }
    let owed = known.owed && known.learned.len() == n;
    for (i, row) in w.chunks_exact_mut(len).enumerate() {
        if owed {
            add(row, len, &known.patterns, |_| [known.learned[i], T::ZERO], 1);
        }
        add(row, len, &samples, |_| [old[i], new[i]], 2);
    }
    s.put_operand(samples);
    s.put(a.w, w);
    s.follow(a.w, posts);
    (known.owed, known.ended) = (false, Some(step.ramp));
}

/// `W r̄` of the last value of the ramp.
fn drive<T: Real>(s: &mut Lane<T>, known: &Onset<T>, a: &forward::Args, plan: &Layered, step: &StepControl) {
    let Some(ramp) = known.ended else { return super::forward::run(s, a, step) };
    let (old, new) = (&s.get(plan.v[0])[a.post.range()], &s.get(plan.v[1])[a.post.range()]);
    let ramp = T::of(ramp);
    let mut out = s.take(a.out);
    for (out, (&old, &new)) in out[a.post.range()].iter_mut().zip(old.iter().zip(new)) {
        *out = old + ramp * (new - old);
    }
    s.put(a.out, out);
}
