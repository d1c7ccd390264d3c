//! Times each profile on a rehearsal: about a second of work, and what the driver needs to compile the kernels.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Rehearsal, allowed};
use crate::engine::{Device, Engine, EngineError, Watch, Work};
use crate::gpu::{self, GpuError, Profile};
use crate::plan::Buf;

/// All of it, kernels compiled: no other profile is begun then.
const PATIENCE: Duration = Duration::from_secs(8);
/// Repetitions of one profile, after its first run: for so long at least, and at most where few of them fill it.
const EACH: [Duration; 2] = [Duration::from_millis(150), Duration::from_millis(300)];
/// Before the first time is taken: adapters raise their clock under load.
const WARM: Duration = Duration::from_millis(60);
/// Least repetitions, of which the fastest counts.
const REPETITIONS: usize = 5;
/// What a repetition should take, and most steps of a plan in it.
const TARGET_S: f64 = 10e-3;
const MOST_STEPS: usize = 16;
/// Solver iterations of a step.
const ITERATIONS: usize = 4;

/// What was measured.
pub(super) struct Times {
    /// Seconds of the same work with each profile.
    pub times: Vec<(Profile, f64)>,
    /// All profiles that the adapter allows were measured.
    pub is_complete: bool,
}

/// Measures all profiles that the adapter allows, the default of its class first, on an opening of their own: memory and faults end with it.
///
/// # Errors
/// If not even the default runs.
pub(super) fn all(device: &gpu::Device, rehearsal: &Rehearsal) -> Result<Times, EngineError> {
    let begun = Instant::now();
    let device = device.reopened()?;
    let default = device.default_profile();
    let others = Profile::NAMES.into_iter().map(|(_, profile)| profile).filter(|p| *p != default);
    let profiles = std::iter::once(default).chain(others).filter(|p| allowed(device.info(), *p));
    let mut found = Times { times: Vec::new(), is_complete: true };
    let mut work = None;
    for profile in profiles {
        if begun.elapsed() >= PATIENCE {
            found.is_complete = false;
            break;
        }
        match one(&device, profile, rehearsal, &mut work) {
            Ok(seconds) => found.times.push((profile, seconds)),
            Err(error) if profile == default => return Err(error),
            Err(error) => {
                log::debug!("{} tiles: {error}", profile.name());
                // More loops or workgroups than the adapter bears are a property of the profile; after anything else nothing here can be trusted.
                let limit = matches!(
                    error,
                    EngineError::Gpu(GpuError::TooManyLoops { .. } | GpuError::TooManyGroups { .. })
                );
                if !limit {
                    found.is_complete = false;
                    break;
                }
            }
        }
    }
    Ok(found)
}

/// Seconds of the work with one profile: the fastest of a few repetitions. The first profile decides how much work that is.
fn one(
    device: &gpu::Device,
    profile: Profile,
    rehearsal: &Rehearsal,
    work: &mut Option<Vec<Work>>,
) -> Result<f64, EngineError> {
    let device = Device::Gpu(device.with_profile(profile));
    let mut engine = Engine::new(Arc::clone(&rehearsal.model), &device)?;
    engine.set_iterations(ITERATIONS.min(rehearsal.model.settings.max_iterations));
    engine.watch(Watch::Submissions)?;
    awaken(&mut engine)?;
    let work = match work {
        Some(work) => work,
        None => work.insert(warm(&mut engine, &rehearsal.work)?),
    };
    // The first run with these kernels pays for what drivers put off until then.
    timed(&mut engine, work)?;
    let (own, mut least) = (Instant::now(), f64::INFINITY);
    for repetition in 0.. {
        let [enough, some] = [REPETITIONS, 1].map(|count| repetition >= count);
        if enough && own.elapsed() >= EACH[0] || some && own.elapsed() >= EACH[1] {
            break;
        }
        least = least.min(timed(&mut engine, work)?);
    }
    Ok(least)
}

/// Writes weights of spectral norm about 1, voltages within the range of rates, nudging and samples that differ from it.
fn awaken(engine: &mut Engine) -> Result<(), EngineError> {
    let model = Arc::clone(engine.model());
    let (l, program) = (&model.layout, &model.program);
    // Spread evenly over −1..1.
    let spread = |i: usize| ((i * 7919) % 1009) as f64 / 504.0 - 1.0;
    for &w in &l.weights {
        let spec = program.spec(w);
        let scale = (spec.cols.max(spec.rows).max(1) as f64).sqrt().recip();
        let values: Vec<f64> = (0..spec.len()).map(|i| scale * spread(i)).collect();
        engine.write(w, &values)?;
    }
    let middle = |i: usize| 0.5 + 0.3 * spread(i);
    let of: [(Buf, &dyn Fn(usize) -> f64); 7] = [
        (l.u, &middle),
        (l.beta, &|_| 0.1),
        (l.active, &|_| 1.0),
        (l.pixel_table, &middle),
        (l.label_table, &middle),
        (l.x_seq, &middle),
        (l.y_seq, &middle),
    ];
    for (buf, value) in of {
        let values: Vec<f64> = (0..program.spec(buf).len()).map(value).collect();
        engine.write(buf, &values)?;
    }
    for buf in [l.pixels, l.labels] {
        let values: Vec<u8> = (0..program.spec(buf).len()).map(|i| (i % 7) as u8).collect();
        engine.write_bytes(buf, &values)?;
    }
    Ok(())
}

/// Runs for a while; returns as many steps of the work as a repetition should have.
fn warm(engine: &mut Engine, work: &[Work]) -> Result<Vec<Work>, EngineError> {
    let (begun, single) = (Instant::now(), shortened(work, 1));
    let mut seconds = timed(engine, &single)?;
    while begun.elapsed() < WARM {
        seconds = timed(engine, &single)?;
    }
    let steps = (TARGET_S / seconds.max(1e-9)) as usize;
    Ok(shortened(work, steps.clamp(1, MOST_STEPS)))
}

/// The first steps of each plan.
fn shortened(work: &[Work], steps: usize) -> Vec<Work> {
    let first = |w: &Work| Work { plan: w.plan, controls: w.controls.iter().take(steps).copied().collect() };
    work.iter().map(first).collect()
}

/// Seconds of some work by the adapter's clock, where it has one; else by ours.
fn timed(engine: &mut Engine, work: &[Work]) -> Result<f64, EngineError> {
    let begun = Instant::now();
    engine.run(work)?;
    let wall = begun.elapsed().as_secs_f64();
    Ok(engine.timings().submissions_s.filter(|s| *s > 0.0).unwrap_or(wall))
}
