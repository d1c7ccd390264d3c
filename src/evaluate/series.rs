//! A network that follows recordings with given parameters: some outputs are nudged towards their channels, the others are predicted.
//!
//! Each span is a trajectory of its own, from the equilibrium for x = 0 to the last row of the span; nothing learns. The answer at a row of
//! the recording is the voltage `u_o` of the output population after the last time step that is not after the row.

use std::sync::Arc;

use super::predictor::write_parameters;
use super::rest::forget;
use super::{EvaluateError, Trouble, rest};
use crate::cpu::status;
use crate::data::DataError;
use crate::data::series::{Grid, Series, SeriesSet, Span};
use crate::dynamics::{Features, Model, OnIndefinite, Settings};
use crate::engine::{Device, Engine, Precision, Snapshot, Work};
use crate::kernels::solver;
use crate::network::{Network, Parameters};
use crate::plan::{PlanId, StepControl};
use crate::simulate::place;
use crate::tune::Rehearsal;

/// Rows of each span that the device holds at a time.
const ROWS: usize = 512;

/// Most spans that are followed side by side.
const BATCH: usize = 32;

/// Solver iterations that a GPU records at first, and beyond the largest count so far.
const ITERATIONS: [usize; 2] = [64, 4];

/// Steps of a rehearsal.
const REHEARSED: u32 = 32;

/// The row of the `beta` buffer that holds the nudging; the other row is 0.
const NUDGED: u32 = 1;

/// A row of a span.
#[derive(Clone, Copy, Debug)]
pub struct Slice<'a> {
    /// Which of the spans.
    pub span: usize,
    /// Place in the span, from 0.
    pub row: usize,
    /// Voltages that all channels stand for: inputs, then targets.
    pub all: &'a [f64],
    /// Those of the targets.
    pub truth: &'a [f64],
    /// Voltages of all outputs.
    pub outputs: &'a [f64],
}

/// Trajectories that follow recordings.
pub struct Follower<'a> {
    engine: Engine,
    set: &'a SeriesSet,
    grid: Grid,
    beta: Vec<f64>,
    precision: Precision,
    iterations: usize,
    trouble: Trouble,
}

/// What is known of a group of spans that are followed side by side.
struct Group<'b> {
    spans: &'b [Span],
    /// Number of the first among all.
    first: usize,
}

/// The model that follows at most `spans` spans at once.
fn model(
    network: &Network,
    settings: Settings,
    set: &SeriesSet,
    spans: usize,
) -> Result<Model, EvaluateError> {
    let Some(first) = set.series.first() else { return Err(EvaluateError::NoSeries) };
    let batch = spans.clamp(1, BATCH);
    let features = Features {
        entry_norms: false,
        ..Features::series(batch * (ROWS + 1), first.format, set.inputs + set.targets())
    };
    Ok(Model::new(network.clone(), settings, batch, features)?)
}

impl<'a> Follower<'a> {
    /// Allocates trajectories for at most `spans` spans at once. `beta`: nudging strength of each output, 0 of those that are predicted.
    ///
    /// # Errors
    /// If network and settings do not fit one another, or the device cannot hold them.
    pub fn new(
        network: &Network,
        settings: Settings,
        set: &'a SeriesSet,
        spans: usize,
        beta: &[f64],
        device: &Device,
    ) -> Result<Self, EvaluateError> {
        let model = model(network, settings, set, spans)?;
        let Some(first) = set.series.first() else { return Err(EvaluateError::NoSeries) };
        let engine = Engine::new(Arc::new(model), device)?;
        Ok(Self {
            engine,
            set,
            grid: Grid::new(first.step_ms, settings.dt_ms),
            beta: beta.to_vec(),
            precision: device.precision(),
            iterations: ITERATIONS[0].min(settings.max_iterations),
            trouble: Trouble::default(),
        })
    }

    /// The model of [`Follower::new`], and the work of some time steps.
    ///
    /// # Errors
    /// If network and settings do not fit one another.
    pub fn rehearsal(
        network: &Network,
        settings: Settings,
        set: &SeriesSet,
        spans: usize,
    ) -> Result<Rehearsal, EvaluateError> {
        let model = Arc::new(model(network, settings, set, spans)?);
        let control = |row| StepControl { row, index: row, beta_row: NUDGED, ..StepControl::default() };
        let work = vec![Work { plan: PlanId::Step, controls: (0..REHEARSED).map(control).collect() }];
        Ok(Rehearsal { model, work })
    }

    /// What the solver met so far.
    #[must_use]
    pub fn trouble(&self) -> Trouble {
        self.trouble
    }

    /// Calls `each` for every row of all spans; of a span in order, spans side by side.
    ///
    /// # Errors
    /// Divergence, an indefinite H where the settings say so, rows that cannot be read, or a lost device.
    pub fn run(
        &mut self,
        parameters: &Parameters,
        spans: &[Span],
        mut each: impl FnMut(Slice<'_>),
    ) -> Result<(), EvaluateError> {
        let batch = self.engine.model().layout.batch;
        for (number, group) in spans.chunks(batch).enumerate() {
            let group = Group { spans: group, first: number * batch };
            self.start(parameters, &group)?;
            let rows = group.spans.iter().map(|s| s.rows.len()).max().unwrap_or(0);
            for from in (0..rows).step_by(ROWS) {
                let to = rows.min(from + ROWS + 1);
                let truth = self.load(&group, from, to)?;
                if from == 0 {
                    self.engine.run(&[Work::once(PlanId::Present)])?;
                    self.tell(&group, 0, (0, &truth), &mut each)?;
                }
                for row in from + 1..to {
                    self.advance(&group, from, row)?;
                    self.tell(&group, row, (row - from, &truth), &mut each)?;
                }
            }
        }
        Ok(())
    }

    /// All trajectories at the equilibrium for x = 0, with channels at 0 until then.
    fn start(&mut self, parameters: &Parameters, group: &Group) -> Result<(), EvaluateError> {
        let model = Arc::clone(self.engine.model());
        let l = &model.layout;
        write_parameters(&mut self.engine, parameters)?;
        let Some(first) = self.set.series.first() else { return Err(EvaluateError::NoSeries) };
        for buf in [l.series_gain, l.series_offset] {
            self.engine.write(buf, &vec![0.0; first.cols()])?;
        }
        self.engine.write(l.beta, &[vec![0.0; self.beta.len()], self.beta.clone()].concat())?;
        self.engine.write(l.active, &vec![1.0; l.batch])?;
        // What the solver remembers of other parameters must not tell.
        self.iterations = ITERATIONS[0].clamp(1, self.engine.model().settings.max_iterations.max(1));
        self.engine.write(l.age, &vec![0.0; model.program.spec(l.age).len()])?;
        forget(&mut self.engine)?;
        rest(&mut self.engine, self.precision)?;
        self.engine.write(l.series_gain, &first.gain)?;
        self.engine.write(l.series_offset, &first.offset)?;
        self.mask(group, 0)
    }

    /// Only spans that reach beyond a row take part.
    fn mask(&mut self, group: &Group, row: usize) -> Result<(), EvaluateError> {
        let model = Arc::clone(self.engine.model());
        let on = |b: usize| group.spans.get(b).is_some_and(|s| s.rows.len() > row);
        let active: Vec<f64> = (0..model.layout.batch).map(|b| f64::from(u8::from(on(b)))).collect();
        Ok(self.engine.write(model.layout.active, &active)?)
    }

    /// Brings the rows `from..to` of all spans to the device; returns what they stand for, span by span.
    fn load(&mut self, group: &Group, from: usize, to: usize) -> Result<Vec<Vec<f64>>, EvaluateError> {
        let model = Arc::clone(self.engine.model());
        let row_bytes = self.set.series.first().map_or(0, Series::row_bytes);
        let (mut bytes, mut truth) = (Vec::new(), Vec::new());
        let failed = |error| DataError::Rows { from: self.set.description.clone(), error };
        for (b, span) in group.spans.iter().enumerate() {
            let part = span.rows.start + from.min(span.rows.len())..span.rows.start + to.min(span.rows.len());
            let series = &self.set.series[span.series];
            series.read(part.clone(), &mut bytes).map_err(failed)?;
            bytes.resize((b + 1) * (ROWS + 1) * row_bytes, 0);
            truth.push(series.values(part).map_err(failed)?);
        }
        bytes.resize(model.layout.batch * (ROWS + 1) * row_bytes, 0);
        self.engine.write_bytes(model.layout.series, &bytes)?;
        let cursors = (0..model.layout.batch).flat_map(|b| ((b * (ROWS + 1)) as u32).to_le_bytes());
        self.engine.write_bytes(model.layout.cursor, &cursors.collect::<Vec<u8>>())?;
        Ok(truth)
    }

    /// The time steps up to a row; the device holds the rows from `from` on.
    fn advance(&mut self, group: &Group, from: usize, row: usize) -> Result<(), EvaluateError> {
        let model = Arc::clone(self.engine.model());
        if group.spans.iter().any(|s| s.rows.len() == row) {
            self.mask(group, row)?;
        }
        let control = |(index, step): (usize, usize)| {
            let (at, ramp) = self.grid.at(step);
            let row = (at - from) as u32;
            StepControl { row, ramp, index: index as u32, beta_row: NUDGED, ..StepControl::default() }
        };
        let steps = self.grid.step_at(row - 1) + 1..=self.grid.step_at(row);
        let first = *steps.start();
        let controls: Vec<StepControl> = steps.enumerate().map(control).collect();
        if controls.is_empty() {
            return Ok(());
        }
        self.engine.set_iterations(self.iterations);
        let shot = self.engine.run(&[Work { plan: PlanId::Step, controls }])?;
        let column = |c: usize| shot.solver.chunks_exact(solver::LEN).map(move |r| r[c]).fold(0.0, f64::max);
        let short = column(solver::UNCONVERGED) > 0.0;
        self.trouble.add(&shot.solver);
        let wanted = if short { 2 * self.iterations } else { column(solver::MOST) as usize + ITERATIONS[1] };
        // Never fewer than before: a quiet row says nothing of a steep one.
        self.iterations = wanted.max(self.iterations).clamp(1, model.settings.max_iterations.max(1));
        verdict(&model, &shot, group.first, first)
    }

    /// Calls `each` for a row of all spans that have it.
    fn tell(
        &mut self,
        group: &Group,
        row: usize,
        (at, truth): (usize, &[Vec<f64>]),
        each: &mut impl FnMut(Slice<'_>),
    ) -> Result<(), EvaluateError> {
        let model = Arc::clone(self.engine.model());
        let (n, outputs) = (model.network.neurons(), model.network.outputs());
        let u = self.engine.read(model.layout.u)?;
        let cols = self.set.inputs + self.set.targets();
        for (b, span) in group.spans.iter().enumerate().filter(|(_, s)| s.rows.len() > row) {
            debug_assert!(span.rows.len() > row);
            let all = &truth[b][at * cols..(at + 1) * cols];
            each(Slice {
                span: group.first + b,
                row,
                all,
                truth: &all[self.set.inputs..],
                outputs: &u[b * n..(b + 1) * n][outputs.range()],
            });
        }
        Ok(())
    }
}

/// What the record of some steps says, if one went wrong; `first_step` is the number of the first of them, from 1.
fn verdict(
    model: &Model,
    shot: &Snapshot,
    first_span: usize,
    first_step: usize,
) -> Result<(), EvaluateError> {
    let time_ms = |step: usize| (first_step + step) as f64 * model.settings.dt_ms;
    let indefinite = |row: &[f64]| row[solver::INDEFINITE] > 0.0;
    if model.settings.on_indefinite == OnIndefinite::Error
        && let Some(b) = shot.solver.chunks_exact(solver::LEN).position(indefinite)
    {
        let (what, place) = ("an H that is not positive definite", "the network".to_owned());
        let advice = "use smaller weights or a smaller completion.beta, or `on-indefinite = \"fallback\"`";
        return Err(EvaluateError::BadRow { what, span: first_span + b, time_ms: time_ms(0), place, advice });
    }
    let slower = "take a smaller dt-ms, smaller weights or a smaller completion.beta";
    let kinds = [
        (status::INPUT, "a value that is not finite", "look for NaN or infinity in the recording"),
        (status::STATE, "a voltage that is not finite", slower),
        (status::LIMIT, "a voltage beyond u-limit (divergence)", slower),
    ];
    let (batch, neurons) = (model.layout.batch, model.network.neurons());
    for (kind, what, advice) in kinds {
        for (b, &word) in shot.status[kind * batch..][..batch].iter().enumerate() {
            if let Some((step, neuron)) = status::decode(word, neurons) {
                let place = if neuron < neurons {
                    place(&model.network, neuron)
                } else {
                    format!("target {}", neuron - neurons)
                };
                let time_ms = time_ms(step);
                return Err(EvaluateError::BadRow { what, span: first_span + b, time_ms, place, advice });
            }
        }
    }
    Ok(())
}
