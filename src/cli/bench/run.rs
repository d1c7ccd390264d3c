//! Runs the cases one by one.

use std::sync::atomic::Ordering;

use anyhow::anyhow;

use super::Args;
use super::cases::Plan;
use super::output::Output;
use crate::bench::compare::compare;
use crate::bench::scaling::{Quantity, curves, describe, draw};
use crate::bench::{Case, Ceilings, Effort, Row, measure};
use crate::cli::interrupt::Interrupt;
use crate::cli::{Failure, say};
use crate::engine::Device;
use crate::sinks::text::count;
use crate::tune::Tuner;

/// Everything that a run needs.
pub(super) struct Run<'a> {
    pub args: &'a Args,
    pub effort: Effort,
    pub plan: &'a Plan,
    pub interrupt: &'a Interrupt,
    pub tuner: Tuner,
}

/// Ceilings of a device with a number of threads.
type Known = ((usize, Option<usize>), Ceilings);

impl Run<'_> {
    /// Measures, prints, compares; what is done stays done whatever comes after.
    pub(super) fn run(&self, mut output: Output, before: Option<&[Row]>) -> Result<(), Failure> {
        let (mut rows, mut failed): (Vec<(Row, Option<Quantity>)>, usize) = (Vec::new(), 0);
        let mut known: Vec<Known> = Vec::new();
        for (case, row, quantity) in &self.plan.cases {
            if self.is_stopped() {
                break;
            }
            match self.case(case, row, &mut known) {
                Ok(None) => break,
                Ok(Some(row)) => {
                    output.row(&row)?;
                    warn(&row);
                    rows.push((row, *quantity));
                }
                Err(error) => {
                    failed += 1;
                    say(&format!("failed: {}: {error}", row.key()));
                }
            }
        }
        self.scaling(&output, &rows)?;
        let rows: Vec<Row> = rows.into_iter().map(|(row, _)| row).collect();
        if let Some(before) = before {
            output.tell(&compare(&rows, before).table())?;
        }
        let of = self.plan.cases.len();
        if self.is_stopped() {
            let what = format!("{} of {of} cases are done, their rows are written", rows.len());
            return Err(Failure::Interrupted { what, code: self.interrupt.code() });
        }
        if failed > 0 {
            return Err(Failure::run(anyhow!("{failed} of {of} cases failed")));
        }
        Ok(())
    }

    fn is_stopped(&self) -> bool {
        self.interrupt.stop().load(Ordering::Relaxed)
    }

    /// The row of a case; `None` if it was stopped.
    fn case(&self, case: &Case, row: &Row, known: &mut Vec<Known>) -> Result<Option<Row>, anyhow::Error> {
        let (device, stop) = (&self.plan.devices[case.device], self.interrupt.stop());
        let place = (case.device, case.threads);
        if !self.args.no_ceilings && known.iter().all(|(at, _)| *at != place) {
            let Some(ceilings) = Ceilings::measure(device, case.threads, stop)? else { return Ok(None) };
            say(&ceilings_of(row, &ceilings));
            known.push((place, ceilings));
        }
        let ceilings = known.iter().find(|(at, _)| *at == place).map(|(_, ceilings)| ceilings);
        let tiled = self.tiled(case, device)?;
        let row = Row { profile: tiled.profile().into(), ..row.clone() };
        let measured = measure(case, &tiled, self.effort, stop)?;
        Ok(measured.map(|measured| row.measured(&measured, ceilings)))
    }

    /// The device with the tiles that the case asks for.
    fn tiled(&self, case: &Case, device: &Device) -> Result<Device, anyhow::Error> {
        let Device::Gpu(gpu) = device else { return Ok(device.clone()) };
        let (tiled, notes) = self.tuner.settle(case.tiles, gpu, || case.rehearsal())?;
        notes.iter().for_each(|note| say(&format!("warning: {note}")));
        Ok(Device::Gpu(tiled))
    }

    /// Fits and pictures of the quantities of which all cases are done.
    fn scaling(&self, output: &Output, rows: &[(Row, Option<Quantity>)]) -> Result<(), Failure> {
        for (_, quantity) in Quantity::NAMES {
            let mine = |of: &Option<Quantity>| *of == Some(quantity);
            let own: Vec<Row> = rows.iter().filter(|(_, of)| mine(of)).map(|(row, _)| row.clone()).collect();
            let Some(first) = own.first() else { continue };
            let curves = curves(quantity, &own);
            output.tell(&describe(quantity, &curves))?;
            let Some(folder) = &self.args.plots else { continue };
            let about = vec![
                format!(
                    "{}, {}, {}; first case: batch {}, {} steps",
                    first.network, first.architecture, first.activation, first.batch, first.steps
                ),
                format!("{}; lagrange-gpu {} ({})", first.device, first.version, first.commit),
            ];
            let file = draw(quantity, &curves, about, folder).map_err(Failure::run)?;
            output.tell(&format!("{}\n", file.display()))?;
        }
        Ok(())
    }
}

/// One line for people.
fn ceilings_of(row: &Row, ceilings: &Ceilings) -> String {
    let copies: Vec<String> =
        ceilings.copies.iter().map(|(set, rate)| format!("{:.1} ({} KiB)", rate / 1e9, set >> 10)).collect();
    let threads = row.threads.map_or_else(String::new, |n| format!(", {}", count(n, "thread", "threads")));
    format!(
        "ceilings of {} {}{threads}: {:.1} GFLOP/s; copies in GB/s by working set: {}",
        row.device,
        row.precision,
        ceilings.flops / 1e9,
        copies.join(", ")
    )
}

/// Figures that are not what they seem.
fn warn(row: &Row) {
    if row.unconverged > 0.0 {
        say(&format!(
            "warning: the solver did not reach its tolerance in {:.2} % of the steps of {}",
            100.0 * row.unconverged,
            row.key()
        ));
    }
    if row.spread > 0.1 {
        say(&format!(
            "warning: repetitions differ by {:.0} % of their median: something else runs, or they are too short (--least-ms): {}",
            100.0 * row.spread,
            row.key()
        ));
    }
}
