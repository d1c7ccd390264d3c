//! Sums over the presentations of an epoch.

use super::Health;
use crate::dynamics::Model;
use crate::engine::Snapshot;
use crate::kernels::{record, solver};

/// Number of sums in a [`Tally`].
pub const SUMS: usize = 13;

/// Running sums; one presentation of a mini-batch at a time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    samples: usize,
    trajectory_steps: f64,
    right: usize,
    cost: f64,
    health: Health,
    hidden: usize,
}

impl Tally {
    /// For a model: the share of saturated neurons is taken of its hidden ones.
    #[must_use]
    pub fn new(model: &Model) -> Self {
        let net = &model.network;
        Self { hidden: net.outputs().start - net.free().start, ..Self::default() }
    }

    /// Adds a snapshot; returns the mean cost of the mini-batch.
    pub fn add(&mut self, snapshot: &Snapshot, labels: &[u8], active: &[f64], steps: usize) -> f64 {
        let rows = snapshot.record.chunks_exact(record::LEN).zip(labels).zip(active);
        let right = |((row, label), on): &((&[f64], &u8), &f64)| {
            **on != 0.0 && row[record::CLASS] as usize == usize::from(**label)
        };
        self.right += rows.filter(right).count();
        let (cost, count) = self.add_rows(snapshot, active, steps);
        self.samples += count;
        cost / count.max(1) as f64
    }

    /// Adds a snapshot whose record holds sums over `steps` time steps, each of which counts as a sample; returns the mean cost of a step.
    pub fn add_steps(&mut self, snapshot: &Snapshot, active: &[f64], steps: usize) -> f64 {
        let (cost, count) = self.add_rows(snapshot, active, steps);
        self.samples += count * steps;
        cost / (count * steps).max(1) as f64
    }

    /// Sum of costs and number of active trajectories.
    fn add_rows(&mut self, snapshot: &Snapshot, active: &[f64], steps: usize) -> (f64, usize) {
        let rows = snapshot.record.chunks_exact(record::LEN).zip(snapshot.solver.chunks_exact(solver::LEN));
        let (mut cost, mut count) = (0.0, 0);
        let h = &mut self.health;
        for ((row, book), _) in rows.zip(active).filter(|(_, a)| **a != 0.0) {
            count += 1;
            cost += row[record::COST];
            h.f_norm += row[record::F_NORM];
            h.lagrangian += row[record::ENERGY];
            h.saturated += row[record::SATURATED];
            h.max_u = h.max_u.max(row[record::MAX_U]);
            h.iterations += book[solver::TOTAL];
            h.most_iterations = h.most_iterations.max(book[solver::MOST]);
            h.residual = h.residual.max(book[solver::RESIDUAL]);
            h.indefinite += book[solver::INDEFINITE] as u64;
            h.unconverged += book[solver::UNCONVERGED] as u64;
        }
        self.trajectory_steps += (count * steps) as f64;
        self.cost += cost;
        (cost, count)
    }

    /// All sums, in the order in which [`Tally::with_sums`] takes them. Counts are exact up to 2⁵³.
    #[must_use]
    pub fn sums(&self) -> [f64; SUMS] {
        let h = &self.health;
        [
            self.samples as f64,
            self.trajectory_steps,
            self.right as f64,
            self.cost,
            h.f_norm,
            h.lagrangian,
            h.iterations,
            h.most_iterations,
            h.residual,
            h.saturated,
            h.max_u,
            h.indefinite as f64,
            h.unconverged as f64,
        ]
    }

    /// This tally with other sums.
    #[must_use]
    pub fn with_sums(self, sums: [f64; SUMS]) -> Self {
        let [samples, trajectory_steps, right, cost, rest @ ..] = sums;
        let [f_norm, lagrangian, iterations, most_iterations, residual, saturated, max_u, rest @ ..] = rest;
        let [indefinite, unconverged] = rest.map(|count| count as u64);
        let health = Health {
            f_norm,
            lagrangian,
            iterations,
            most_iterations,
            residual,
            saturated,
            max_u,
            indefinite,
            unconverged,
        };
        let [samples, right] = [samples, right].map(|count| count as usize);
        Self { samples, trajectory_steps, right, cost, health, ..self }
    }

    /// Number of samples added.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.samples
    }
    /// Mean cost a sample.
    #[must_use]
    pub fn loss(&self) -> f64 {
        self.cost / self.samples.max(1) as f64
    }
    /// Share of right answers.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        self.right as f64 / self.samples.max(1) as f64
    }
    /// Sums turned into means.
    #[must_use]
    pub fn health(&self) -> Health {
        let n = self.samples.max(1) as f64;
        let h = &self.health;
        Health {
            f_norm: h.f_norm / n,
            lagrangian: h.lagrangian / n,
            saturated: h.saturated / (n * self.hidden.max(1) as f64),
            iterations: h.iterations / self.trajectory_steps.max(1.0),
            ..*h
        }
    }
}
