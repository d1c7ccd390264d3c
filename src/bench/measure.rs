//! Warm-up, repetitions, and counted work of a case.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::material::Material;
use super::{BenchError, Case, Spread, memory};
use crate::cpu::status;
use crate::dynamics::Model;
use crate::engine::{Device, Engine, KernelTime, Snapshot, Timings, WAITING, Watch};
use crate::kernels::solver;
use crate::train::Need;

/// Presentations in flight, as in training.
const IN_FLIGHT: usize = 2;
/// Solver iterations that a GPU records before it is known how many are needed.
const FIRST_ITERATIONS: usize = 8;
/// Presentations of a warm-up at least.
const WARM: usize = 2;

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effort {
    /// Repetitions, at least 1.
    pub repetitions: usize,
    /// Shortest time of a repetition, seconds: short presentations are repeated within it.
    pub least_s: f64,
    /// Shortest time of the warm-up, seconds.
    pub warm_s: f64,
}

/// What was measured. Of a step: its share of a whole presentation, uploads included.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Which plans ran: `resident`, `whole` or `plain`.
    pub runs: &'static str,
    /// Solver that ran.
    pub solver: &'static str,
    /// Seconds of a step.
    pub step_s: Spread,
    /// Repetitions that were made.
    pub repetitions: usize,
    /// Presentations of a repetition.
    pub presentations: usize,
    /// Mean solver iterations of a trajectory and step.
    pub iterations: f64,
    /// Trajectories times steps in which the solver did not reach its tolerance, as a share of all.
    pub unconverged: f64,
    /// Counted work of a step; its seconds are those of the processor's threads.
    pub work: KernelTime,
    /// Of that, bytes of a number.
    pub real_bytes: usize,
    /// Seconds of a step in which the adapter was busy.
    pub busy_s: Option<f64>,
    /// Bytes of the engine's buffers.
    pub allocated: u64,
    /// Largest resident size of the process meanwhile, bytes.
    pub peak: Option<u64>,
}

/// Measures a case; `None` if it was stopped before the first repetition was over.
///
/// # Errors
/// If the case cannot run, or not within bounds.
pub fn measure(
    case: &Case,
    device: &Device,
    effort: Effort,
    stop: &AtomicBool,
) -> Result<Option<Measured>, BenchError> {
    let Some(threads) = case.threads else { return here(case, device, effort, stop) };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|e| BenchError::Threads { threads, reason: e.to_string() })?;
    pool.install(|| here(case, device, effort, stop))
}

fn here(
    case: &Case,
    device: &Device,
    effort: Effort,
    stop: &AtomicBool,
) -> Result<Option<Measured>, BenchError> {
    memory::restart();
    let (model, runs) = case.model()?;
    let mut bench = Bench::new(case, model, device)?;
    let once = bench.warm_up(effort.warm_s, stop)?;
    let presentations = (effort.least_s / once.max(1e-9)).ceil().clamp(1.0, 1e6) as usize;
    let (mut times, mut books) = (Vec::new(), [0.0; 2]);
    while times.len() < effort.repetitions.max(1) && !stop.load(Ordering::Relaxed) {
        bench.books = [0.0; 2];
        times.push(bench.present(presentations)? / (presentations * case.steps) as f64);
        books = bench.books;
    }
    let Some(step_s) = Spread::of(&times) else { return Ok(None) };
    let timings = bench.counted(device)?;
    let steps = case.steps as f64;
    let all = (presentations * case.steps * case.batch) as f64;
    let total = working(&timings);
    // An adapter takes whole steps of few trajectories only.
    let is_whole = timings.kernels.iter().any(|k| k.kernel.starts_with("small_"));
    let runs = if runs == "whole" && !is_whole { "plain" } else { runs };
    Ok(Some(Measured {
        runs,
        solver: bench.model.solver.map_or("", crate::dynamics::Solver::name),
        step_s,
        repetitions: times.len(),
        presentations,
        iterations: books[0] / all,
        unconverged: books[1] / all,
        work: KernelTime {
            kernel: String::new(),
            calls: total.calls / steps,
            seconds: total.seconds / steps,
            flops: total.flops / steps,
            reals: total.reals / steps,
            bytes: total.bytes / steps,
        },
        real_bytes: if bench.engine.precision() == crate::engine::Precision::F64 { 8 } else { 4 },
        busy_s: timings.submissions_s.map(|s| s / steps),
        allocated: bench.engine.allocated(),
        peak: memory::peak(),
    }))
}

/// What kernels did, without the time in which threads wait.
fn working(timings: &Timings) -> KernelTime {
    let kernels = timings.kernels.iter().filter(|k| k.kernel != WAITING).cloned().collect();
    Timings { kernels, ..Timings::default() }.total()
}

/// An engine at work on a case.
struct Bench {
    model: Arc<Model>,
    engine: Engine,
    material: Material,
    shown: usize,
    iterations: usize,
    /// Solver iterations, and steps without convergence, summed over trajectories.
    books: [f64; 2],
}

impl Bench {
    fn new(case: &Case, model: Model, device: &Device) -> Result<Self, BenchError> {
        let model = Arc::new(model);
        let mut engine = Engine::new(Arc::clone(&model), device)?;
        let material = Material::prepare(case, &mut engine)?;
        let iterations = FIRST_ITERATIONS.min(model.settings.max_iterations);
        Ok(Self { model, engine, material, shown: 0, iterations, books: [0.0; 2] })
    }

    /// Seconds of some presentations, of which two are in flight at a time.
    fn present(&mut self, count: usize) -> Result<f64, BenchError> {
        let begun = Instant::now();
        let mut away = VecDeque::new();
        for _ in 0..count {
            if away.len() == IN_FLIGHT
                && let Some(ticket) = away.pop_front()
            {
                let shot = self.engine.collect(ticket)?;
                self.book(&shot)?;
            }
            let work = self.material.show(&mut self.engine, self.shown)?;
            self.engine.set_iterations(self.iterations);
            away.push_back(self.engine.submit(work)?);
            self.shown += 1;
        }
        for ticket in away {
            let shot = self.engine.collect(ticket)?;
            self.book(&shot)?;
        }
        Ok(begun.elapsed().as_secs_f64())
    }

    /// Presents for some time; seconds of a presentation, by the latter half of them.
    fn warm_up(&mut self, least_s: f64, stop: &AtomicBool) -> Result<f64, BenchError> {
        let begun = Instant::now();
        let mut times = Vec::new();
        while times.len() < WARM || begun.elapsed().as_secs_f64() < least_s {
            if stop.load(Ordering::Relaxed) && !times.is_empty() {
                break;
            }
            times.push(self.present(1)?);
        }
        let late = &times[times.len() / 2..];
        Ok(late.iter().sum::<f64>() / late.len() as f64)
    }

    /// Counts of one presentation, and the adapter's time for it.
    fn counted(&mut self, device: &Device) -> Result<Timings, BenchError> {
        let watch = if matches!(device, Device::Cpu(_)) { Watch::Kernels } else { Watch::Submissions };
        self.engine.watch(watch)?;
        self.present(1)?;
        let timings = self.engine.timings();
        self.engine.watch(Watch::Off)?;
        Ok(timings)
    }

    /// Takes into account what a presentation needed.
    fn book(&mut self, shot: &Snapshot) -> Result<(), BenchError> {
        let batch = self.model.layout.batch;
        let bad = |b: usize| (0..3).any(|row| shot.status[row * batch + b] != status::FINE);
        let trajectories = (0..batch).filter(|&b| bad(b)).count();
        if trajectories > 0 {
            return Err(BenchError::Diverged { trajectories, batch });
        }
        for row in shot.solver.chunks_exact(solver::LEN) {
            self.books[0] += row[solver::TOTAL];
            self.books[1] += row[solver::UNCONVERGED];
        }
        self.iterations = Need::of(shot).next(self.iterations, self.model.settings.max_iterations);
        Ok(())
    }
}
