//! The state of a device after a step, read as far as probes need it.

use super::Quantity;
use crate::dynamics::Model;
use crate::engine::{Engine, EngineError};
use crate::plan::Buf;

/// Buffers of a device, each read at most once; valid until the next step.
pub struct Fields<'a> {
    model: &'a Model,
    beta: &'a [f64],
    read: Vec<(Buf, Vec<f64>)>,
}

impl<'a> Fields<'a> {
    /// Nothing is read yet; `beta` is the nudging strength of each output neuron in the step.
    #[must_use]
    pub fn new(model: &'a Model, beta: &'a [f64]) -> Self {
        Self { model, beta, read: Vec::new() }
    }

    /// Reads what `quantity` takes, after r̄, ρ', δ and Wᵀδ were brought up to date.
    ///
    /// # Errors
    /// If the device is lost.
    pub fn load(&mut self, engine: &mut Engine, quantity: Quantity) -> Result<(), EngineError> {
        let l = &self.model.layout;
        let ahead = l.micro.as_ref().map(|m| m.ahead);
        let needed: &[Buf] = match quantity {
            Quantity::Voltage => &[l.u],
            Quantity::Rate => &[l.r],
            Quantity::ProspectiveRate => &[l.r, l.d, l.u_dot],
            Quantity::VoltageDerivative => &[l.u_dot],
            Quantity::Mismatch => &[l.delta],
            Quantity::ApicalError => &[l.apical],
            Quantity::Error => &[l.d, l.apical, l.delta, l.u, l.y],
            Quantity::Target => &[l.y],
            Quantity::Nudging => &[],
            Quantity::Interneuron => ahead.as_slice(),
        };
        for &buf in needed {
            if self.read.iter().all(|(b, _)| *b != buf) {
                self.read.push((buf, engine.read(buf)?));
            }
        }
        Ok(())
    }

    /// An element of a buffer that was loaded.
    fn at(&self, buf: Buf, index: usize) -> f64 {
        self.read.iter().find(|(b, _)| *b == buf).and_then(|(_, v)| v.get(index)).copied().unwrap_or(f64::NAN)
    }

    /// `quantity`, which was loaded, of the neuron (interneuron) in column `column` of trajectory `b`.
    #[must_use]
    pub fn value(&self, quantity: Quantity, b: usize, column: usize) -> f64 {
        let (l, net) = (&self.model.layout, &self.model.network);
        let i = b * net.neurons() + column;
        let output = column.checked_sub(net.outputs().start);
        match quantity {
            Quantity::Voltage => self.at(l.u, i),
            Quantity::Rate => self.at(l.r, i),
            Quantity::ProspectiveRate => {
                self.at(l.r, i) + self.model.settings.tau_ms * self.at(l.d, i) * self.at(l.u_dot, i)
            }
            Quantity::VoltageDerivative => self.at(l.u_dot, i),
            Quantity::Mismatch => self.at(l.delta, i),
            Quantity::ApicalError => self.at(l.apical, i),
            Quantity::Error if output.is_some_and(|o| self.beta[o].is_infinite()) => self.at(l.delta, i),
            Quantity::Error => {
                let nudge = output
                    .map_or(0.0, |o| self.beta[o] * (self.at(l.y, b * net.n_out() + o) - self.at(l.u, i)));
                self.at(l.d, i) * self.at(l.apical, i) + nudge
            }
            Quantity::Target => output.map_or(f64::NAN, |o| self.at(l.y, b * net.n_out() + o)),
            Quantity::Nudging => output.map_or(f64::NAN, |o| self.beta[o]),
            Quantity::Interneuron => l.micro.as_ref().map_or(f64::NAN, |m| {
                let all = self.model.program.spec(m.ahead).cols;
                self.at(m.ahead, b * all + column)
            }),
        }
    }
}
