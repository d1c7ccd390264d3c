//! Runs plans on several threads, which meet only where weights change or trajectories mix.
//!
//! Each thread has some lanes: groups of trajectories small enough that what a time step computes of them stays in its cache. All
//! that needs nothing of other lanes is run for one lane after the other, over as many time steps as there are without learning.

mod meeting;

use std::ops::Range;
use std::sync::Mutex;
use std::time::Instant;

use meeting::Guard;
pub(super) use meeting::Meeting;

use super::lane::{Lane, Rooms, Shared};
use super::layered::{self, Ground, Room};
use super::tasks::{Task, Use, of_run};
use super::watch::Booking;
use super::{Real, Store, split, watch};
use crate::engine::Timings;
use crate::kernels::{Call, solver, update};
use crate::plan::{Buf, Layered, Loop, Op, PlanId, Program, Role, StepControl};

/// Trajectories below which a thread of its own costs more than it saves.
const FEWEST: usize = 4;

/// Elements that each thread may copy: what a cache of its own holds.
const COPIED: usize = 1 << 20;

/// Trajectories up to which each thread has weights of its own.
const COPIES_UP_TO: usize = 32;

/// Trajectories of a lane: 32 of 784-300-100-10 fill a cache of 1 MB.
const MOST: usize = 32;

/// Runs plans in order, each once for each of its control values. Words (status) start from [`super::status::FINE`].
pub fn run<T: Real>(program: &Program, store: &mut Store<T>, words: Buf, work: &[(PlanId, &[StepControl])]) {
    store.refresh();
    let mut room = store.layered.take();
    let (panels, onset) = (room.is_some(), Held(Mutex::new(std::mem::take(&mut store.onset))));
    let whole = work.iter().any(|(id, _)| *id == PlanId::ResidentStep);
    let layered = layered::step::<T>(program).filter(|_| whole).zip(room.as_mut().map(Room::ground));
    let Division { threads, parts, lanes } = Division::of(program, layered.map(|(_, ground)| ground));
    let crew = crew(store.crew.take(), threads);
    // Where the system refuses threads, the first one has the lanes of all.
    let threads = if crew.is_some() { threads } else { 1 };
    // Steps that run as a whole share their weights.
    let private = private(program, threads, lanes, layered.is_none());
    let shared = Shared::new(store);
    let meeting = Meeting::new(threads);
    let part = |thread: usize| {
        let guard = Guard(&meeting);
        let own = thread * lanes / threads..(thread + 1) * lanes / threads;
        let mut copies = shared.copies(&private, thread);
        let slots = shared.slots(&private, &mut copies);
        // Nobody writes before all have copied.
        meeting.wait();
        let plans = of_run(program, work, program.layered.as_ref().filter(|_| panels));
        let mut member = Member {
            lanes: own.map(|i| Lane::new(&shared, &slots, program, (i, lanes))).collect(),
            parts: (0..parts).map(|i| Lane::new(&shared, &slots, program, (i, parts))).collect(),
            rooms: Rooms::default(),
            pending: Vec::new(),
            since: Since::new(&private, lanes),
            meeting: &meeting,
            layered,
            thread,
        };
        if let Some(lane) = member.lanes.first_mut().filter(|_| lanes == 1) {
            lane.onset = onset.take();
        }
        for (&(id, controls), tasks) in work.iter().zip(&plans) {
            member.plan(id, controls, tasks);
        }
        member.flush();
        std::mem::forget(guard);
        if let Some(lane) = member.lanes.first_mut().filter(|_| lanes == 1) {
            onset.put(std::mem::take(&mut lane.onset));
        }
        member.found(words)
    };
    let found = together(crew.as_ref(), &meeting, layered.is_some_and(|(_, ground)| ground.single()), part);
    if let Some(room) = &mut room {
        room.ran(work.iter().map(|(id, _)| *id));
    }
    store.layered = room;
    store.crew = crew;
    store.onset = onset.take();
    put(store, words, program.batch, found);
}

/// How a run is divided.
struct Division {
    /// Threads with lanes of their own.
    threads: usize,
    /// Parts of the only lane, one a thread, where threads share its tasks; else 0.
    parts: usize,
    /// Lanes.
    lanes: usize,
}

impl Division {
    /// `ground`: the room of steps that run as a whole, where they do.
    fn of<T: Real>(program: &Program, ground: Option<Ground<T>>) -> Self {
        let threads = (program.batch / FEWEST).clamp(1, rayon::current_num_threads());
        // A thread without panels would only disturb those that have some.
        let threads = ground.as_ref().map_or(threads, |ground| threads.min(ground.most()));
        if threads > 1 && ground.is_none() && program.batch < MOST * threads && split::pays(program) {
            return Self { threads: 1, parts: threads, lanes: 1 };
        }
        Self { threads, parts: 0, lanes: program.batch.div_ceil(MOST).next_multiple_of(threads) }
    }
}

/// Rows of a lane, their status words, and what took its time.
type Found = (Range<usize>, Vec<u32>, Option<Timings>);

/// Threads that help the one that runs, as many as are needed or more; none where the system refuses them. They are kept from run to run: a thread that
/// begins where another one has just ended may be put on the processor of the one that waits for it, and stay there for milliseconds.
fn crew(kept: Option<rayon::ThreadPool>, threads: usize) -> Option<rayon::ThreadPool> {
    let others = threads - 1;
    if others == 0 {
        return kept;
    }
    kept.filter(|crew| crew.current_num_threads() >= others)
        .or_else(|| rayon::ThreadPoolBuilder::new().num_threads(others).build().ok())
}

/// Runs the part of each thread, and gives back what they found, thread by thread.
fn together(
    crew: Option<&rayon::ThreadPool>,
    meeting: &Meeting,
    single: bool,
    part: impl Fn(usize) -> Vec<Found> + Sync,
) -> Vec<Found> {
    if single {
        // Other threads of the pool, looking for work, would only be in the way.
        return part(0);
    }
    let Some(crew) = crew.filter(|_| meeting.threads > 1) else {
        // On a thread of the pool: products then split without a system call.
        return rayon::scope(|_| part(0));
    };
    let slots: Vec<Held<Vec<Found>>> = (1..meeting.threads).map(|_| Held::default()).collect();
    let mut found = crew.in_place_scope(|scope| {
        // To each of them its own: parts wait for each other, and find their data where they left it.
        scope.spawn_broadcast(|_, helper| {
            if let Some(slot) = slots.get(helper.index()) {
                slot.put(part(helper.index() + 1));
            }
        });
        part(0)
    });
    found.extend(slots.iter().flat_map(Held::take));
    found
}

/// Status words and times to the storage. Words of parts come after those of their lane, which they take the place of.
fn put<T: Real>(store: &mut Store<T>, words: Buf, batch: usize, found: Vec<Found>) {
    let mut timings = std::mem::take(&mut store.timings);
    let all = store.words_mut(words);
    for (rows, words, seen) in found {
        seen.iter().for_each(|seen| timings.merge(seen));
        for (to, from) in all.chunks_exact_mut(batch).zip(words.chunks_exact(rows.len())) {
            to[rows.clone()].copy_from_slice(from);
        }
    }
    store.timings = timings;
}

/// What one thread at a time has.
#[derive(Default)]
struct Held<T>(Mutex<T>);

impl<T: Default> Held<T> {
    fn take(&self) -> T {
        self.0.lock().map(|mut held| std::mem::take(&mut *held)).unwrap_or_default()
    }

    fn put(&self, what: T) {
        if let Ok(mut held) = self.0.lock() {
            *held = what;
        }
    }
}

/// The buffers that each thread has a copy of: weights, biases and their rates, in small batches. What a thread computes twice
/// there costs less than fetching what another has written. Not what a presentation writes once, the weights of a resident input.
fn private(program: &Program, threads: usize, lanes: usize, may: bool) -> Vec<bool> {
    let mut private: Vec<bool> = program.buffers.iter().map(|b| b.role == Role::Parameter).collect();
    let calls = || program.plans.iter().flat_map(|p| &p.ops).filter_map(Op::as_call);
    for call in calls() {
        if let Call::ResidentApply(a) = call {
            private[a.w.0 as usize] = false;
        }
    }
    // Nor their rate, which is as large and used in one step of a presentation at most.
    for call in calls() {
        if let Call::Update(update::Args { p, p_dot: Some(rate), .. }) = call
            && !private[p.0 as usize]
        {
            private[rate.0 as usize] = false;
        }
    }
    let lens = program.buffers.iter().zip(&private).map(|(b, &private)| if private { b.len() } else { 0 });
    let pays = may
        && threads > 1
        && lanes == threads
        && program.batch <= COPIES_UP_TO
        && lens.sum::<usize>() <= COPIED;
    if pays { private } else { vec![false; private.len()] }
}

/// A thread of a run.
struct Member<'a, T> {
    lanes: Vec<Lane<'a, T>>,
    /// The trajectories of its only lane, in as many parts as there are threads, where these share each task: see [`split`].
    parts: Vec<Lane<'a, T>>,
    rooms: Rooms<T>,
    /// What no lane has run yet.
    pending: Vec<(&'a Task<'a>, &'a StepControl)>,
    since: Since<'a>,
    meeting: &'a Meeting,
    layered: Option<(&'a Layered, Ground<'a, T>)>,
    /// Number of this thread.
    thread: usize,
}

impl<'a, T: Real> Member<'a, T> {
    /// A plan, once for each of the control values.
    fn plan(&mut self, id: PlanId, controls: &'a [StepControl], tasks: &'a [Task<'a>]) {
        self.lanes.iter_mut().for_each(|lane| lane.onset.begins(id));
        if id == PlanId::ResidentStep && self.layered.is_some() {
            self.stretch(controls);
            self.begins(false);
            return;
        }
        controls.iter().for_each(|step| self.step(tasks, step));
        // What a part knows, the next plan has to be told.
        if self.since.alone {
            self.flush();
        }
        if id == PlanId::ResidentStart {
            self.begins(true);
        }
    }

    /// What its lanes and their parts found.
    fn found(self, words: Buf) -> Vec<Found> {
        let found = |mut lane: Lane<T>| {
            (lane.rows(), lane.take_words(words), lane.booking.take().map(Booking::finish))
        };
        self.lanes.into_iter().chain(self.parts).map(found).collect()
    }

    fn step(&mut self, tasks: &'a [Task<'a>], step: &'a StepControl) {
        for task in tasks {
            if !task.awake(&mut self.since.resting, step) {
                continue;
            }
            if self.since.must_meet(task, step) {
                self.flush();
                self.meet();
            }
            self.pending.push((task, step));
        }
    }

    /// Steps with resident weights as a whole.
    fn stretch(&mut self, controls: &[StepControl]) {
        let Some((plan, ground)) = self.layered else { return };
        self.flush();
        self.meeting.wait();
        let (threads, begun) = (self.meeting.threads, Instant::now());
        if let Some(lane) = self.lanes.first_mut() {
            layered::run(plan, ground, lane, (self.thread, threads), controls, self.meeting);
        }
        self.meeting.wait();
        self.lanes.iter_mut().for_each(|lane| layered::report(plan, ground, lane));
        if let Some(lane) = self.lanes.first_mut().filter(|lane| lane.booking.is_some()) {
            watch::stretch(lane, plan, threads, controls.len(), begun);
        }
        self.since.met();
    }

    /// Whether a presentation begins with the next step.
    fn begins(&mut self, fresh: bool) {
        if let Some((_, ground)) = &mut self.layered {
            ground.fresh = fresh;
        }
    }

    /// Waits for the other threads.
    fn meet(&mut self) {
        match self.lanes.first_mut().and_then(|lane| lane.booking.as_mut()) {
            Some(booking) => booking.waiting(|| self.meeting.wait()),
            None => self.meeting.wait(),
        }
    }

    /// Runs what is pending, lane after lane.
    fn flush(&mut self) {
        for lane in &mut self.lanes {
            lane.swap_rooms(&mut self.rooms);
            for (task, step) in &self.pending {
                if self.parts.is_empty() {
                    task.run(lane, step);
                } else {
                    split::run(task, lane, &mut self.parts, step);
                }
            }
            lane.swap_rooms(&mut self.rooms);
        }
        self.pending.clear();
    }
}

/// What has happened to each buffer since the lanes last met. All threads see the same tasks, and so meet at the same ones.
struct Since<'a> {
    written: Vec<bool>,
    read: Vec<bool>,
    /// Rates of change that are 0 as long as learning is off.
    resting: Vec<bool>,
    private: &'a [bool],
    alone: bool,
}

impl<'a> Since<'a> {
    fn new(private: &'a [bool], lanes: usize) -> Self {
        let none = || vec![false; private.len()];
        Self { written: none(), read: none(), resting: none(), private, alone: lanes == 1 }
    }

    /// All threads have just met.
    fn met(&mut self) {
        self.written.fill(false);
        self.read.fill(false);
    }

    /// Whether a task needs what other lanes have written, or writes what they may still read; notes what it does.
    fn must_meet(&mut self, task: &Task, step: &StepControl) -> bool {
        if self.alone {
            return false;
        }
        let mut meet = false;
        task.uses(step, |buf, how| {
            let i = buf.0 as usize;
            let other = if how == Use::Read { self.written[i] } else { self.read[i] };
            meet |= other && !self.private[i];
        });
        if meet {
            self.met();
        }
        task.uses(step, |buf, how| {
            let i = buf.0 as usize;
            *if how == Use::Read { &mut self.read[i] } else { &mut self.written[i] } = true;
        });
        meet
    }
}

/// Runs a loop until every trajectory of the lane has converged.
pub(super) fn iterate<T: Real>(body: &Loop, lane: &mut Lane<T>, step: &StepControl) {
    for _ in 0..body.at_most {
        let open = |row: &[T]| row[solver::RESIDUAL2] > row[solver::THRESHOLD2];
        if !lane.get(body.until).chunks_exact(solver::LEN).any(open) {
            return;
        }
        for op in &body.body {
            match op {
                Op::Call(call) => watch::call(call, lane, step),
                Op::Loop(inner) => iterate(inner, lane, step),
            }
        }
    }
}
