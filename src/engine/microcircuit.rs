//! Parameters of a microcircuit on a device.

use std::sync::Arc;

use super::{Engine, EngineError};
use crate::dynamics::lies_transposed;
use crate::network::{Kind, MicrocircuitParameters, Pathway};

impl Engine {
    /// Writes B, W^PI, W^IP, B^IP and b^I, as far as they have weights of their own and `parameters` has them, and the factors of b^I.
    /// Nothing for a network without a microcircuit.
    ///
    /// # Errors
    /// If a block has the wrong size, or the device is lost.
    pub fn write_microcircuit(&mut self, parameters: &MicrocircuitParameters) -> Result<(), EngineError> {
        let model = Arc::clone(&self.model);
        let (Some(micro), Some(l)) = (&model.network.microcircuit, &model.layout.micro) else {
            return Ok(());
        };
        for (_, kind) in Kind::NAMES {
            let stored = micro.stored(&model.network, kind);
            for ((block, path), values) in stored.iter().zip(l.of(kind)).zip(parameters.of(kind)) {
                if lies_transposed(kind) && values.len() == block.len() {
                    self.write(path.w, &transposed(values, block.to.len))?;
                } else {
                    self.write(path.w, values)?;
                }
            }
        }
        if micro.pi == Pathway::Separate && !parameters.biases.is_empty() {
            self.write(l.biases, &parameters.biases)?;
        }
        if micro.pi == Pathway::Separate && !micro.is_tied() {
            let each = |i: &crate::network::Interneurons| std::iter::repeat_n(i.factor, i.size);
            let factors: Vec<f64> = micro.interneurons.iter().flat_map(each).collect();
            self.write(l.bias_factors, &factors)?;
        }
        Ok(())
    }

    /// Reads what [`Engine::write_microcircuit`] writes; empty for a network without a microcircuit.
    ///
    /// # Errors
    /// If the device is lost.
    pub fn read_microcircuit(&mut self) -> Result<MicrocircuitParameters, EngineError> {
        let model = Arc::clone(&self.model);
        let mut all = MicrocircuitParameters::default();
        let (Some(micro), Some(l)) = (&model.network.microcircuit, &model.layout.micro) else {
            return Ok(all);
        };
        for (_, kind) in Kind::NAMES {
            for (block, path) in micro.stored(&model.network, kind).iter().zip(l.of(kind)) {
                let values = self.read(path.w)?;
                let values = if lies_transposed(kind) { transposed(&values, block.from.len) } else { values };
                all.of_mut(kind).push(values);
            }
        }
        if micro.pi == Pathway::Separate {
            all.biases = self.read(l.biases)?;
        }
        Ok(all)
    }
}

/// The transpose of a matrix with `rows` rows, row-major.
fn transposed(values: &[f64], rows: usize) -> Vec<f64> {
    let cols = values.len() / rows.max(1);
    (0..cols).flat_map(|j| (0..rows).map(move |i| values[i * cols + j])).collect()
}
