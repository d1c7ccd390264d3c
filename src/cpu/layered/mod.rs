//! Time steps of a layered feedforward network with resident weights as a whole, for [`crate::plan::Layered`]: what its plain twin does call
//! by call.
//!
//! Over a stretch of steps all vectors live in panels, `[neuron, trajectory]` of a few trajectories side by side (see [`super::panel`]). A thread has
//! panels of its own, from the rates to u̇ and the voltages after the step; threads meet twice a step, before and after each of them computes its
//! rows of Ẇ from the δ of all. The next W goes where the one before the present was, so that nobody waits for its readers. Of few trajectories each
//! thread has all of W for itself, and Ẇ comes by its factors where that is less work (see [`factors`]): the second meeting is then at the end of the
//! step. A single trajectory is a panel of width 1 (see [`single`]).

mod carry;
mod factors;
mod guess;
mod inverse;
mod iterate;
mod learn;
mod map;
mod note;
mod room;
mod sense;
mod short;
mod single;
mod solve;

use std::cell::RefCell;
use std::ops::Range;

pub(super) use room::{Ground, Room};

use super::panel::Part;
use super::short::{ACROSS, ALONG};
use super::team::Meeting;
use super::vector::each;
use super::{Lane, Real};
use crate::plan::{Layered, Program, StepControl};
use room::{Map, Panel};

/// The whole step of a program, where it is the faster run, as measured: a few trajectories that leave most of a group empty are left to the plain
/// twin.
pub(super) fn step<T: Real>(program: &Program) -> Option<&Layered> {
    let fills = program.batch <= room::SINGLES || 4 * program.batch >= 3 * T::GROUP;
    program.layered.as_ref().filter(|_| fills)
}

/// A thread of a run and its panels.
struct Crew<'a, T> {
    plan: &'a Layered,
    ground: Ground<'a, T>,
    /// Neurons N of the network.
    neurons: usize,
    /// This thread and their number.
    index: (usize, usize),
    /// Its panels.
    panels: Vec<Panel>,
    /// Those of all threads in their order.
    all: Vec<Panel>,
    parts: RefCell<Vec<Part<T>>>,
    beta: &'a [T],
}

impl<'a, T: Real> Crew<'a, T> {
    fn new(plan: &'a Layered, ground: Ground<'a, T>, lane: &Lane<'a, T>, index: (usize, usize)) -> Self {
        let of = |thread| panels::<T>(ground.map, (thread, index.1));
        let all: Vec<Panel> = (0..index.1).flat_map(of).collect();
        let panels = of(index.0);
        Self {
            plan,
            ground: ground.of_thread(index.0, panels.first().map_or(0, |p| p.first)),
            neurons: lane.neurons(),
            index,
            panels,
            parts: RefCell::new(Vec::with_capacity(all.len())),
            all,
            beta: lane.get(plan.beta),
        }
    }

    /// The rows that this thread computes.
    fn share(&self, count: usize) -> Range<usize> {
        if self.ground.map.own > 0 { 0..count } else { self.part(count) }
    }

    /// The rows that this thread brings back: whole tiles where there are any.
    fn part(&self, count: usize) -> Range<usize> {
        let (thread, threads) = self.index;
        let unit = if self.ground.map.packs.is_some() { ACROSS } else { 1 };
        let units = count.div_ceil(unit);
        let end = |thread: usize| (thread * units / threads * unit).min(count);
        end(thread)..end(thread + 1)
    }

    /// Operands in short numbers, where there are any.
    #[inline(always)]
    fn packs(&self) -> &'a short::Packs {
        let packs = self.ground.map.packs.as_ref();
        packs.unwrap_or_else(|| unreachable!("asked for where products are in short numbers"))
    }

    /// Sums over all trajectories: a part for each panel.
    #[inline(always)]
    fn everywhere(&self, part: impl Fn(Panel) -> Part<T>, run: impl FnOnce(&[Part<T>])) {
        let mut parts = self.parts.borrow_mut();
        parts.clear();
        parts.extend(self.all.iter().map(|&p| part(p)));
        run(&parts);
    }

    /// A row of [`room::lane`], by groups.
    #[inline(always)]
    fn lanes<const G: usize>(&self, row: usize, p: Panel) -> &'a mut [[T; G]] {
        self.ground.lane(row, p).as_chunks_mut::<G>().0
    }

    /// A group of it.
    #[inline(always)]
    fn book<const G: usize>(&self, row: usize, p: Panel, group: usize) -> &'a mut [T; G] {
        &mut self.lanes::<G>(row, p)[group]
    }

    /// β of the outputs.
    #[inline(always)]
    fn beta(&self, step: &StepControl) -> &'a [T] {
        let n_out = self.plan.n_out();
        &self.beta[step.beta_row as usize * n_out..][..n_out]
    }
}

/// The numbers of each neuron for a chunk of a field: in a panel those of one neuron, otherwise of as many as there are.
#[inline(always)]
fn of_neurons<T: Real, const G: usize, const C: usize>(all: &[T], p: Panel, chunk: usize) -> [T; C] {
    if G == 1 {
        all.as_chunks::<C>().0[chunk]
    } else {
        [all[if p.width > G { chunk / WIDE } else { chunk }]; C]
    }
}

/// The numbers of each trajectory for a chunk of a field.
#[inline(always)]
fn of_lanes<T: Real, const G: usize, const C: usize>(all: &[T], p: Panel, chunk: usize) -> [T; C] {
    if G == 1 { [all[0]; C] } else { all.as_chunks::<C>().0[if p.width > G { chunk % WIDE } else { 0 }] }
}

/// Groups to a panel: with two, each element of W that is fetched is used twice.
const WIDE: usize = 2;

/// The panels of a thread: its share of the groups, or of the tiles of a sum where there are such.
fn panels<T: Real>(map: &Map, (thread, threads): (usize, usize)) -> Vec<Panel> {
    let (group, wide) = if map.single { (1, 1) } else { (T::GROUP, WIDE * T::GROUP) };
    let unit = if map.packs.is_some() { ALONG } else { group };
    let units = map.lanes.div_ceil(unit);
    let end = |thread: usize| (thread * units / threads * unit).min(map.lanes);
    let (first, end) = (end(thread), end(thread + 1));
    (first..end).step_by(wide).map(|first| Panel { first, width: wide.min(end - first) }).collect()
}

/// The present value of the ramp in the rates of the input.
struct Ramp<T> {
    before: T,
    now: T,
}

impl<T: Real> Ramp<T> {
    fn new(step: &StepControl) -> Self {
        Self { before: T::of(1.0 - step.ramp_prev), now: T::of(step.ramp_prev) }
    }
}

/// Runs some steps on the panels of a thread; all threads have met before and meet afterwards. A lane of the thread lends the storage.
pub(super) fn run<T: Real>(
    plan: &Layered,
    ground: Ground<T>,
    lane: &mut Lane<T>,
    index: (usize, usize),
    controls: &[StepControl],
    meeting: &Meeting,
) {
    let crew = Crew::new(plan, ground, lane, index);
    carry::bring(&crew, lane);
    for &p in crew.panels.iter().filter(|_| ground.fresh) {
        if ground.map.single {
            guess::begin(&crew, p);
        } else if inverse::kept(&crew) {
            inverse::begin(&crew, p);
        }
    }
    meeting.wait();
    let w = steps(&crew, controls, meeting);
    // Nobody writes status words of a panel any more.
    meeting.wait();
    carry::back(&crew, lane, w);
}

/// Brings the status words of a lane up to date.
pub(super) fn report<T: Real>(plan: &Layered, ground: Ground<T>, lane: &mut Lane<T>) {
    carry::words(plan, ground, lane);
}

/// Compiled for the processor that is there; which of the two buffers holds the weights afterwards.
fn steps<T: Real>(crew: &Crew<T>, controls: &[StepControl], meeting: &Meeting) -> usize {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl") {
        // SAFETY: the features are there.
        return unsafe { steps_avx512(crew, controls, meeting) };
    } else if is_x86_feature_detected!("avx2") {
        // SAFETY: as above.
        return unsafe { steps_avx2(crew, controls, meeting) };
    }
    steps_any(crew, controls, meeting)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl")]
unsafe fn steps_avx512<T: Real>(crew: &Crew<T>, controls: &[StepControl], meeting: &Meeting) -> usize {
    steps_any(crew, controls, meeting)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn steps_avx2<T: Real>(crew: &Crew<T>, controls: &[StepControl], meeting: &Meeting) -> usize {
    steps_any(crew, controls, meeting)
}

#[inline(always)]
fn steps_any<T: Real>(crew: &Crew<T>, controls: &[StepControl], meeting: &Meeting) -> usize {
    match (crew.ground.map.single, T::GROUP) {
        (true, _) => {
            single::steps(crew, controls);
            0
        }
        (false, 8) => one_by_one::<T, 8, 8>(crew, controls, meeting),
        (false, _) => one_by_one::<T, 16, 16>(crew, controls, meeting),
    }
}

#[inline(always)]
fn one_by_one<T: Real, const G: usize, const C: usize>(
    crew: &Crew<T>,
    controls: &[StepControl],
    meeting: &Meeting,
) -> usize {
    // Where Ẇ comes by its factors, what the others have sensed is read to the end of a step; otherwise each panel goes on to the next step while it
    // lies in the cache.
    let by_factors = crew.ground.map.factors.contains(&true);
    let mut w = 0;
    for (k, step) in controls.iter().enumerate() {
        if k == 0 || by_factors {
            for &p in &crew.panels {
                sense::run::<T, G, C>(crew, p, step, w);
            }
        }
        let learns = step.rate_w != 0.0 || step.rate_b != 0.0;
        if learns {
            meeting.wait();
            learn::run::<T, G, C>(crew, step, w);
            if !by_factors {
                meeting.wait();
            }
        }
        let next = if learns { 1 - w } else { w };
        for &p in &crew.panels {
            solve::run::<T, G, C>(crew, p, step, w);
            if k + 1 < controls.len() && !by_factors {
                sense::run::<T, G, C>(crew, p, &controls[k + 1], next);
            }
        }
        if learns && by_factors {
            meeting.wait();
        }
        w = next;
    }
    w
}
