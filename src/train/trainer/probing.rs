//! Presentations that are probed: submitted in pieces that end where a sample is due.
//!
//! The device works through the same calls with the same control values as in one piece, so that results are the same bits; it waits
//! for the host after each piece.

use super::Trainer;
use crate::data::MiniBatch;
use crate::engine::{Snapshot, Work};
use crate::kernels::solver;
use crate::plan::{PlanId, StepControl};
use crate::probe::{Fields, Moment, ProbeError, Recording, Samples};
use crate::train::{Event, NUDGED, TrainError};

/// Work up to a step after which a sample is due.
struct Piece {
    work: Vec<Work>,
    /// Brings up to date what probes read, and the number of steps done by then.
    sample: Option<(Work, u64)>,
}

/// Cuts `work` after each step that is `due`; `first` steps came before it.
fn pieces(work: Vec<Work>, first: u64, due: impl Fn(u64) -> bool) -> Vec<Piece> {
    let (mut all, mut now, mut done) = (Vec::new(), Vec::new(), first);
    for Work { plan, controls } in work {
        let observe = match plan {
            PlanId::Step => PlanId::Observe,
            PlanId::ResidentStep => PlanId::ResidentObserve,
            _ => {
                now.push(Work { plan, controls });
                continue;
            }
        };
        let mut run = Vec::new();
        for control in controls {
            run.push(control);
            done += 1;
            if due(done) {
                now.push(Work { plan, controls: std::mem::take(&mut run) });
                let after = StepControl { ramp_prev: control.ramp, ..control };
                let sample = Some((Work { plan: observe, controls: vec![after] }, done));
                all.push(Piece { work: std::mem::take(&mut now), sample });
            }
        }
        if !run.is_empty() {
            now.push(Work { plan, controls: run });
        }
    }
    all.push(Piece { work: now, sample: None });
    all
}

/// What a submission of all pieces at once would have left.
fn joined(before: Snapshot, after: Snapshot) -> Snapshot {
    let mut all = after;
    for (row, old) in all.solver.chunks_exact_mut(solver::LEN).zip(before.solver.chunks_exact(solver::LEN)) {
        for sum in [solver::TOTAL, solver::INDEFINITE, solver::UNCONVERGED] {
            row[sum] += old[sum];
        }
        for most in [solver::MOST, solver::RESIDUAL] {
            row[most] = row[most].max(old[most]);
        }
    }
    // The earliest bad step has the smallest word.
    for (word, old) in all.status.iter_mut().zip(before.status) {
        *word = (*word).min(old);
    }
    all
}

impl Trainer<'_> {
    /// Records from now on, after what the recordings hold already. Nothing with backprop, which has no dynamics.
    ///
    /// # Errors
    /// If a probe cannot record this model.
    pub fn record(&mut self, recordings: Vec<Recording>) -> Result<(), ProbeError> {
        for recording in &recordings {
            let (network, settings) = (&self.model.network, &self.model.settings);
            recording.probe.check_model(network, &self.model.layout, settings.dt_ms)?;
        }
        self.recordings = recordings;
        Ok(())
    }

    /// What was recorded so far.
    #[must_use]
    pub fn recordings(&self) -> &[Recording] {
        &self.recordings
    }

    /// Whether any sample is due during a presentation, after `presented` mini-batches of an epoch.
    pub(super) fn is_probed(&self, (epoch, presented): (usize, usize)) -> bool {
        let first = self.steps_before(epoch, presented);
        let last = first + self.steps_of(presented) as u64;
        let due = |steps| self.is_due(Moment { steps, epoch, mini_batch: presented + 1 });
        !self.recordings.is_empty() && (first + 1..=last).any(due)
    }

    fn is_due(&self, at: Moment) -> bool {
        self.recordings.iter().any(|r| r.is_due(at))
    }

    /// Runs a presentation and takes the samples that are due.
    pub(super) fn probed(
        &mut self,
        work: Vec<Work>,
        batch: &MiniBatch,
        (epoch, presented): (usize, usize),
    ) -> Result<Snapshot, TrainError> {
        let moment = |steps| Moment { steps, epoch, mini_batch: presented + 1 };
        let first = self.steps_before(epoch, presented);
        let mut all: Option<Snapshot> = None;
        for Piece { work, sample } in pieces(work, first, |steps| self.is_due(moment(steps))) {
            let shot = self.engine.run(&work)?;
            all = Some(match all {
                None => shot,
                Some(before) => joined(before, shot),
            });
            if let Some((observe, steps)) = sample {
                let nudged = observe.controls.iter().any(|c| c.beta_row == NUDGED);
                self.engine.run(&[observe])?;
                self.sample(moment(steps), batch, nudged)?;
            }
        }
        // There is at least one piece: the rest after the last sample.
        all.map_or_else(|| Ok(self.engine.run(&[])?), Ok)
    }

    fn sample(&mut self, at: Moment, batch: &MiniBatch, nudged: bool) -> Result<(), TrainError> {
        let beta = if nudged { self.protocol.beta.clone() } else { vec![0.0; self.protocol.beta.len()] };
        let mut fields = Fields::new(&self.model, &beta);
        let shown = Samples { labels: &batch.labels, indices: &batch.indices };
        for recording in self.recordings.iter_mut().filter(|r| r.is_due(at)) {
            if !recording.take(&mut self.engine, &mut fields, at, shown)? {
                let (epoch, kind) = (at.epoch, "probe".to_owned());
                self.notices.push(Event::Warning { epoch, kind, message: recording.full_message() });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::{Gates, controls, work};

    /// All work is there in order, cut behind the steps that are due.
    #[test]
    fn pieces_are_the_whole() {
        for resident in [false, true] {
            let ramp = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6];
            let whole = work(controls(&ramp, Gates::default(), 1.0, 1.0, 1), resident);
            // Steps 7 to 12 of a run, of which 8 and 12 are due, and 7 in the other case.
            let due = |steps: u64| if resident { steps == 7 } else { steps.is_multiple_of(4) };
            let cut = pieces(whole.clone(), 6, due);
            let at: Vec<_> = cut.iter().map(|p| p.sample.as_ref().map(|(w, n)| (w.plan, *n))).collect();
            let want = if resident {
                vec![Some((PlanId::Observe, 7)), None]
            } else {
                vec![Some((PlanId::Observe, 8)), Some((PlanId::Observe, 12)), None]
            };
            assert_eq!(at, want);
            let flat = |work: &[Work]| -> Vec<(PlanId, StepControl)> {
                work.iter().flat_map(|w| w.controls.iter().map(|&c| (w.plan, c))).collect()
            };
            let joined: Vec<Work> = cut.into_iter().flat_map(|p| p.work).collect();
            assert_eq!(flat(&joined), flat(&whole));
        }
        let ramp = [0.1, 0.2, 0.3];
        let cut = pieces(work(controls(&ramp, Gates::default(), 1.0, 1.0, 1), true), 0, |n| n == 2);
        let sample = cut.first().and_then(|p| p.sample.as_ref()).map(|(w, _)| (w.plan, w.controls[0]));
        let ramps = sample.map(|(plan, control)| (plan, control.ramp, control.ramp_prev));
        assert_eq!(ramps, Some((PlanId::ResidentObserve, 0.2, 0.2)));
    }
}
