//! The test of a network that learned recordings: all outputs but the free ones are nudged towards their channels, the free ones are
//! predicted and compared with what was recorded, beside baselines that are given the same.

use serde::Serialize;

use super::TrainError;
use crate::completion::{Baselines, Entry, Method, Scorer, Summary, Sums, Table};
use crate::data::series::{SeriesSet, Span};
use crate::dynamics::Settings;
use crate::engine::Device;
use crate::evaluate::{Follower, Slice, Trouble};
use crate::network::{Network, Parameters};

/// Values of each kind that are kept for pictures: the first rows of longer test parts.
const MOST_VALUES: usize = 1 << 23;

/// How a network that learned recordings is tested: which outputs are free while the others are nudged.
#[derive(Clone, Debug, PartialEq)]
pub struct CompletionConfig {
    /// What is predicted.
    pub free: FreeChannels,
    /// Nudging strength of the others; `None` = that of training.
    pub beta: Option<f64>,
    /// Time at the start of each span that is not scored, ms.
    pub settle_ms: f64,
}

/// Target channels that are predicted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FreeChannels {
    /// So many, spread evenly over the order of the channels.
    Count(usize),
    /// Those with these names.
    Names(Vec<String>),
}

/// A free channel that is not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("completion.free names '{name}', which is no target channel; there are: {targets}")]
pub struct NoChannel {
    /// The name.
    pub name: String,
    /// All target channels.
    pub targets: String,
}

/// How a network is tested on recordings.
#[derive(Clone, Debug, PartialEq)]
pub struct Completion {
    /// Outputs that are predicted, ascending.
    pub free: Vec<usize>,
    /// Nudging strength of each output; 0 of the free ones.
    pub beta: Vec<f64>,
    /// Time at the start of each span that is not scored, ms.
    pub settle_ms: f64,
}

impl Completion {
    /// From the settings of an experiment, for target channels with these `names`; `beta` is the nudging strength in training.
    ///
    /// # Errors
    /// If there is no such channel.
    pub fn new(config: &CompletionConfig, names: &[String], beta: &[f64]) -> Result<Self, NoChannel> {
        let all = names.len();
        let mut free = match &config.free {
            // In the middles of equal parts.
            FreeChannels::Count(count) => {
                let count = (*count).clamp(1, all.max(1));
                (0..count).map(|i| (2 * i + 1) * all / (2 * count)).collect()
            }
            FreeChannels::Names(wanted) => {
                let find = |name: &String| {
                    let at = names.iter().position(|n| n == name);
                    at.ok_or_else(|| NoChannel { name: name.clone(), targets: names.join(", ") })
                };
                wanted.iter().map(find).collect::<Result<Vec<_>, _>>()?
            }
        };
        free.sort_unstable();
        let nudge = |c: usize| config.beta.unwrap_or_else(|| beta.get(c).copied().unwrap_or(0.0));
        let beta = (0..all).map(|c| if free.contains(&c) { 0.0 } else { nudge(c) }).collect();
        Ok(Self { free, beta, settle_ms: config.settle_ms })
    }
}

/// Traces of all target channels, in voltages of the network.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Traces {
    /// Simulated time of each row since the start of its recording, ms, `[T]`.
    pub time_ms: Vec<f64>,
    /// What was recorded, `[T, channels]`.
    pub truth: Vec<f64>,
    /// Output voltages before training, `[T, channels]`.
    pub before: Vec<f64>,
    /// Output voltages after training, `[T, channels]`.
    pub after: Vec<f64>,
}

/// What a test came to.
#[derive(Clone, Debug)]
pub struct Completed {
    /// Scores after training, with the baselines.
    pub table: Table,
    /// Scores of the network before training, alone.
    pub before: Table,
    /// The rows they come from, or the first of them.
    pub traces: Traces,
    /// Outputs that were free.
    pub free: Vec<usize>,
}

/// Means over the free electrodes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CompletionScore {
    /// Scored rows.
    pub samples: u64,
    /// Free electrodes.
    pub free: Vec<String>,
    /// What a voltage of 1 stands for.
    pub unit: String,
    /// The network before training.
    pub before: Option<Summary>,
    /// The network after training, and baselines.
    pub methods: Vec<Summary>,
}

impl Completed {
    /// The means, for people and metrics.
    #[must_use]
    pub fn score(&self) -> CompletionScore {
        CompletionScore::of(&self.table, Some(&self.before))
    }
}

impl CompletionScore {
    /// The means of a table, beside the network of another one.
    #[must_use]
    pub fn of(table: &Table, before: Option<&Table>) -> Self {
        Self {
            samples: table.samples,
            free: table.free.clone(),
            unit: table.unit.clone(),
            before: before.and_then(|before| before.summaries().first().copied()),
            methods: table.summaries(),
        }
    }
}

/// Tests on the parts of a set, on trajectories of their own.
pub struct Examiner<'a> {
    set: &'a SeriesSet,
    how: Completion,
    follower: Follower<'a>,
    baselines: Option<Baselines>,
}

/// Scores of the network, with baselines where there are any.
enum Scores<'b> {
    All(Scorer<'b>),
    Network(Vec<Sums>, u64),
}

impl<'a> Examiner<'a> {
    /// Allocates the trajectories for the test and validation parts.
    ///
    /// # Errors
    /// If no row of one of them is scored, or the device cannot hold the network.
    pub fn new(
        set: &'a SeriesSet,
        how: Completion,
        network: &Network,
        settings: Settings,
        device: &Device,
    ) -> Result<Self, TrainError> {
        Self::of_parts(set, how, network, settings, device, &[&set.test, &set.validation])
    }

    /// Allocates the trajectories for some parts; an empty one is left out.
    ///
    /// # Errors
    /// If no row of one of them is scored, or the device cannot hold the network.
    pub fn of_parts(
        set: &'a SeriesSet,
        how: Completion,
        network: &Network,
        settings: Settings,
        device: &Device,
        parts: &[&[Span]],
    ) -> Result<Self, TrainError> {
        let step_ms = set.series.first().map_or(1.0, |s| s.step_ms);
        let scored = |span: &Span| span.rows.len().saturating_sub(1) as f64 * step_ms >= how.settle_ms;
        // Now, and not after hours of training.
        if parts.iter().any(|part| !part.is_empty() && !part.iter().any(scored)) {
            return Err(TrainError::NothingScored);
        }
        let spans = parts.iter().map(|part| part.len()).max().unwrap_or(0);
        let follower = Follower::new(network, settings, set, spans, &how.beta, device)?;
        Ok(Self { set, how, follower, baselines: None })
    }

    /// The network on the validation part; `None` without one.
    pub(super) fn validate(&mut self, parameters: &Parameters) -> Result<Option<Summary>, TrainError> {
        if self.set.validation.is_empty() {
            return Ok(None);
        }
        let table = self.score(parameters, &self.set.validation, None, |_| {})?;
        Ok(table.summaries().first().copied())
    }

    /// The network on the test part, before and after training, and the baselines.
    pub(super) fn test(&mut self, before: &Parameters, after: &Parameters) -> Result<Completed, TrainError> {
        let baselines = self.baselines()?;
        let mut traces = Traces::default();
        let spans = &self.set.test;
        let step_ms = self.set.series.first().map_or(1.0, |s| s.step_ms);
        // Of several spans the first: theirs come row by row, and times of two recordings make no trace.
        let first = self.score(before, spans, None, |slice| {
            if slice.span == 0 && traces.truth.len() + slice.truth.len() <= MOST_VALUES {
                traces.time_ms.push((spans[0].rows.start + slice.row) as f64 * step_ms);
                traces.truth.extend_from_slice(slice.truth);
                traces.before.extend_from_slice(slice.outputs);
            }
        })?;
        let table = self.score(after, spans, baselines.as_ref(), |slice| {
            if slice.span == 0 && traces.after.len() < traces.before.len() {
                traces.after.extend_from_slice(slice.outputs);
            }
        })?;
        Ok(Completed { table, before: first, traces, free: self.how.free.clone() })
    }

    /// The network on some spans of the set, with the baselines; `each` sees every row, of a span in order.
    ///
    /// # Errors
    /// Divergence, a lost device, rows that cannot be read, or none that is scored.
    pub fn part(
        &mut self,
        parameters: &Parameters,
        spans: &[Span],
        each: impl FnMut(Slice<'_>),
    ) -> Result<Table, TrainError> {
        let baselines = self.baselines()?;
        self.score(parameters, spans, baselines.as_ref(), each)
    }

    /// What the solver met so far.
    #[must_use]
    pub fn trouble(&self) -> Trouble {
        self.follower.trouble()
    }

    /// Fitted once; none where nothing is given.
    fn baselines(&mut self) -> Result<Option<Baselines>, TrainError> {
        if self.baselines.is_none() && self.how.free.len() < self.set.inputs + self.set.targets() {
            self.baselines = Some(Baselines::fit(self.set, &self.how.free)?);
        }
        Ok(self.baselines.clone())
    }

    /// Follows spans and scores what is free; `keep` sees all rows.
    fn score(
        &mut self,
        parameters: &Parameters,
        spans: &[Span],
        baselines: Option<&Baselines>,
        mut keep: impl FnMut(Slice<'_>),
    ) -> Result<Table, TrainError> {
        let free = &self.how.free;
        let mut scores = match baselines {
            Some(baselines) => Scores::All(Scorer::new(baselines)),
            None => Scores::Network(vec![Sums::default(); free.len()], 0),
        };
        let mut last: Vec<Vec<f64>> = vec![Vec::new(); spans.len()];
        let Some(series) = self.set.series.first() else { return Err(TrainError::NoClasses) };
        let (step_ms, settle_ms) = (series.step_ms, self.how.settle_ms);
        self.follower.run(parameters, spans, |slice: Slice<'_>| {
            keep(slice);
            let before = &mut last[slice.span];
            if slice.row as f64 * step_ms >= settle_ms {
                scores.row(&slice, (!before.is_empty()).then_some(&before[..]), free);
            }
            before.clear();
            before.extend_from_slice(slice.all);
        })?;
        scores.table(&series.names[self.set.inputs..], free, &self.set.unit)
    }
}

impl Scores<'_> {
    fn row(&mut self, slice: &Slice<'_>, before: Option<&[f64]>, free: &[usize]) {
        match self {
            Self::All(scorer) => scorer.row(slice.all, before, slice.outputs),
            Self::Network(sums, samples) => {
                sums.iter_mut().zip(free).for_each(|(sum, &c)| sum.add(slice.truth[c], slice.outputs[c]));
                *samples += 1;
            }
        }
    }

    fn table(self, names: &[String], free: &[usize], unit: &str) -> Result<Table, TrainError> {
        let table = match self {
            Self::All(scorer) => scorer.table(names, unit),
            Self::Network(sums, samples) => Table {
                channels: names.to_vec(),
                free: free.iter().map(|&c| names[c].clone()).collect(),
                unit: unit.to_owned(),
                samples,
                rows: sums.iter().zip(free).map(|(sums, &c)| entry(sums, &names[c])).collect(),
            },
        };
        if table.samples == 0 { Err(TrainError::NothingScored) } else { Ok(table) }
    }
}

fn entry(sums: &Sums, channel: &str) -> Entry {
    let scores = sums.electrode();
    Entry {
        method: Method::Network,
        channel: channel.to_owned(),
        r2: scores.r2,
        rmse: scores.rmse,
        correlation: scores.correlation,
        cost: scores.cost,
    }
}
