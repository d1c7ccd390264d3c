//! The plans of a training run without the run: for whoever times them.

use std::sync::Arc;

use super::feed::Feed;
use super::{Material, Protocol, Rule, TrainError, presentation};
use crate::dynamics::{Model, Settings};
use crate::network::Network;
use crate::tune::Rehearsal;

/// The model of a training run, and the work of its first mini-batch.
///
/// # Errors
/// As [`super::Trainer::new`], of data, network and settings.
pub fn rehearsal<'a>(
    network: &Network,
    settings: Settings,
    p: &Protocol,
    data: impl Into<Material<'a>>,
) -> Result<Rehearsal, TrainError> {
    let feed = Feed::new(&data.into(), network, &settings, p)?;
    let model = Arc::new(Model::new(network.clone(), settings, p.batch, feed.features(p))?);
    let work = match (p.rule, &feed) {
        (Rule::Backprop, _) => presentation::backprop(p.rate_w, p.rate_b, p.batch),
        (Rule::LeastAction, Feed::Samples(_) | Feed::Values(_)) => {
            let ramp = p.ramp.values(p.steps);
            let controls = presentation::controls(&ramp, p.gates, p.rate_w, p.rate_b, p.batch);
            presentation::work(controls, model.layout.resident)
        }
        (Rule::LeastAction, Feed::Windows { windows, .. }) => {
            let controls =
                presentation::slices(windows.grid(), windows.steps_of(0), p.rate_w, p.rate_b, p.batch);
            presentation::piece(controls, true)
        }
    };
    Ok(Rehearsal { model, work })
}
