//! Runs plans on several threads, each with trajectories of its own; they meet only where weights change or trajectories mix.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::lane::{Lane, Shared};
use super::tasks::{Task, Use, tasks};
use super::{Real, Store, dispatch};
use crate::kernels::solver;
use crate::plan::{Buf, Loop, Op, PlanId, Program, StepControl};

/// Trajectories below which a thread of its own costs more than it saves.
const FEWEST: usize = 4;

/// Runs plans in order, each once for each of its control values. Words (status) start from what `words` holds.
pub fn run<T: Real>(program: &Program, store: &mut Store<T>, words: Buf, work: &[(PlanId, &[StepControl])]) {
    store.refresh();
    let lanes = (program.batch / FEWEST).clamp(1, rayon::current_num_threads());
    let shared = Shared::new(store);
    let meeting = Meeting::new(lanes);
    let all = |index: usize| {
        let mut lane = Lane::new(&shared, program, index, lanes);
        let guard = Guard(&meeting);
        let mut since = Since::new(program.buffers.len());
        for &(id, controls) in work {
            let tasks = tasks(program.plan(id), program.batch);
            for step in controls {
                for task in &tasks {
                    if task.awake(&mut lane, step) {
                        since.meet(task, step, &meeting);
                        task.run(&mut lane, step);
                    }
                }
            }
        }
        std::mem::forget(guard);
        (lane.rows(), lane.take_words(words))
    };
    let found: Vec<_> = if lanes == 1 {
        // On a thread of the pool: products then split without a system call.
        vec![rayon::scope(|_| all(0))]
    } else {
        std::thread::scope(|scope| {
            let others: Vec<_> = (1..lanes).map(|i| scope.spawn(move || all(i))).collect();
            let first = all(0);
            let join = |h: std::thread::ScopedJoinHandle<'_, _>| match h.join() {
                Ok(found) => found,
                Err(panic) => std::panic::resume_unwind(panic),
            };
            std::iter::once(first).chain(others.into_iter().map(join)).collect()
        })
    };
    let batch = program.batch;
    let all = store.words_mut(words);
    for (rows, words) in found {
        let width = rows.len();
        for (to, from) in all.chunks_exact_mut(batch).zip(words.chunks_exact(width)) {
            to[rows.clone()].copy_from_slice(from);
        }
    }
}

/// What has happened to each buffer since the lanes last met.
struct Since {
    written: Vec<bool>,
    read: Vec<bool>,
}

impl Since {
    fn new(buffers: usize) -> Self {
        Self { written: vec![false; buffers], read: vec![false; buffers] }
    }

    /// Meets before a task that needs what others have written, or writes what others may still read.
    fn meet(&mut self, task: &Task, step: &StepControl, meeting: &Meeting) {
        if meeting.lanes == 1 {
            return;
        }
        let mut wait = false;
        task.uses(step, |buf, how| {
            let i = buf.0 as usize;
            wait |= if how == Use::Read { self.written[i] } else { self.read[i] };
        });
        if wait {
            meeting.wait();
            self.written.fill(false);
            self.read.fill(false);
        }
        task.uses(step, |buf, how| {
            let i = buf.0 as usize;
            *if how == Use::Read { &mut self.read[i] } else { &mut self.written[i] } = true;
        });
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
                Op::Call(call) => dispatch(call, lane, step),
                Op::Loop(inner) => iterate(inner, lane, step),
            }
        }
    }
}

/// Where the lanes wait for each other. Waits are shorter than a system call would take, so they spin at first.
#[derive(Debug)]
struct Meeting {
    lanes: usize,
    arrived: AtomicUsize,
    round: AtomicUsize,
    broken: AtomicBool,
}

/// Turns of the waiting loop before the processor is offered to others.
const SPINS: usize = 4000;

impl Meeting {
    fn new(lanes: usize) -> Self {
        Self {
            lanes,
            arrived: AtomicUsize::new(0),
            round: AtomicUsize::new(0),
            broken: AtomicBool::new(false),
        }
    }

    /// Returns when all lanes have called it.
    fn wait(&self) {
        if self.lanes == 1 {
            return;
        }
        let round = self.round.load(Ordering::Relaxed);
        if self.arrived.fetch_add(1, Ordering::AcqRel) + 1 == self.lanes {
            self.arrived.store(0, Ordering::Relaxed);
            self.round.store(round.wrapping_add(1), Ordering::Release);
            return;
        }
        let mut turns = 0;
        while self.round.load(Ordering::Acquire) == round {
            assert!(!self.broken.load(Ordering::Relaxed), "another thread of the run panicked");
            if turns < SPINS {
                turns += 1;
                std::hint::spin_loop();
            } else {
                std::thread::yield_now();
            }
        }
    }
}

/// Frees the others where a lane panics: they would wait for ever.
struct Guard<'a>(&'a Meeting);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.broken.store(true, Ordering::Relaxed);
    }
}
