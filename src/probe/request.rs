//! What is to be recorded.

use crate::dynamics::Layout;
use crate::network::Network;
use crate::plan::Cols;

/// A quantity of each neuron (model, section 1), after a time step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// Somatic voltage u.
    Voltage,
    /// Rate r̄ = ρ(u).
    Rate,
    /// Prospective rate r = ρ(u) + τρ'(u)·u̇, with the u̇ that led to this u.
    ProspectiveRate,
    /// u̇ of the step that led here, per ms.
    VoltageDerivative,
    /// Somato-basal mismatch δ = u − W r̄ − b − x; 0 where a trajectory has no sample.
    Mismatch,
    /// Apical error Wᵀδ; with a microcircuit B u − W^PI u^I.
    ApicalError,
    /// Dendritic error ē = ρ'·(Wᵀδ) + β(u* − u); its limit δ where β = ∞.
    Error,
    /// Target voltage u* of output neurons.
    Target,
    /// Nudging strength β of output neurons.
    Nudging,
    /// Voltage u^I of the interneurons of the chosen populations, all of them, as the next step finds them.
    Interneuron,
}

impl Quantity {
    /// All of them, with the names they have in experiments; in files `-` is `_`.
    pub const NAMES: [(&'static str, Quantity); 10] = [
        ("u", Quantity::Voltage),
        ("rate", Quantity::Rate),
        ("prospective-rate", Quantity::ProspectiveRate),
        ("u-dot", Quantity::VoltageDerivative),
        ("mismatch", Quantity::Mismatch),
        ("apical-error", Quantity::ApicalError),
        ("error", Quantity::Error),
        ("target", Quantity::Target),
        ("beta", Quantity::Nudging),
        ("interneuron", Quantity::Interneuron),
    ];

    /// The name in experiments.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, q)| *q == self).map_or("", |(name, _)| name)
    }

    /// Only output neurons have it.
    #[must_use]
    pub fn is_of_outputs(self) -> bool {
        matches!(self, Self::Target | Self::Nudging)
    }

    /// Neurons whose voltage is prescribed have none.
    #[must_use]
    pub fn is_of_free(self) -> bool {
        matches!(self, Self::Mismatch | Self::ApicalError | Self::Error)
    }

    /// It takes u̇.
    #[must_use]
    pub fn needs_derivative(self) -> bool {
        matches!(self, Self::ProspectiveRate | Self::VoltageDerivative)
    }
}

/// Some whole numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Selection {
    /// All there are.
    #[default]
    All,
    /// From the first on; the last is not in it.
    Range(usize, usize),
    /// These.
    List(Vec<usize>),
}

impl Selection {
    /// Whether a number is in it.
    #[must_use]
    pub fn contains(&self, n: usize) -> bool {
        match self {
            Self::All => true,
            Self::Range(from, to) => (*from..*to).contains(&n),
            Self::List(list) => list.contains(&n),
        }
    }

    /// The largest number in it; `None` of all, or of nothing.
    #[must_use]
    pub fn largest(&self) -> Option<usize> {
        match self {
            Self::All => None,
            Self::Range(from, to) => (from < to).then(|| to - 1),
            Self::List(list) => list.iter().copied().max(),
        }
    }
}

/// A request to record.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// Becomes the name of a file.
    pub name: String,
    /// Indices of populations, in the order of the columns.
    pub populations: Vec<usize>,
    /// Neurons of each of these, counted from 0 in their population.
    pub neurons: Selection,
    /// What to record.
    pub quantities: Vec<Quantity>,
    /// Simulated time between two samples, ms: a multiple of dt. Samples are taken at multiples of it since the start of the run.
    pub every_ms: f64,
    /// The first so many trajectories.
    pub trajectories: usize,
    /// Epochs, from 1; a simulation has none.
    pub epochs: Selection,
    /// Presentations (mini-batches), from 1 in each epoch; a simulation has none.
    pub presentations: Selection,
    /// Most memory for samples, MiB.
    pub max_mib: f64,
}

/// Why a probe cannot record.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ProbeError {
    /// Times between steps.
    #[error("probe '{probe}' asks for a sample every {every} ms, which is no multiple of dt = {dt} ms")]
    Every {
        /// Name of the probe.
        probe: String,
        /// Asked for, ms.
        every: f64,
        /// Time step, ms.
        dt: f64,
    },
    /// More trajectories than there are.
    #[error("probe '{probe}' asks for {want} trajectories, but there are {have}; ask for fewer")]
    Trajectories {
        /// Name of the probe.
        probe: String,
        /// Asked for.
        want: usize,
        /// There are.
        have: usize,
    },
    /// Neurons that a population does not have.
    #[error(
        "probe '{probe}' asks for neuron {neuron} of population '{population}', which has {size} neurons, counted from 0"
    )]
    Neuron {
        /// Name of the probe.
        probe: String,
        /// Asked for.
        neuron: usize,
        /// Name of the population.
        population: String,
        /// Its size.
        size: usize,
    },
    /// Nothing selected.
    #[error("probe '{0}' asks for no neuron or no quantity")]
    Nothing(String),
    /// A quantity of free neurons of a clamped population.
    #[error(
        "probe '{probe}' asks for '{quantity}' of population '{population}', whose voltages are prescribed: it has none; leave it out"
    )]
    Clamped {
        /// Name of the probe.
        probe: String,
        /// Name of the quantity.
        quantity: &'static str,
        /// Name of the population.
        population: String,
    },
    /// A quantity of outputs, none of which is selected.
    #[error(
        "probe '{probe}' asks for '{quantity}', which output neurons alone have; add the population '{outputs}'"
    )]
    NoOutputs {
        /// Name of the probe.
        probe: String,
        /// Name of the quantity.
        quantity: &'static str,
        /// Name of the output population.
        outputs: String,
    },
    /// Interneurons that are not there.
    #[error(
        "probe '{0}' asks for 'interneuron', but none of its populations has interneurons; choose others, or leave it out"
    )]
    NoInterneurons(String),
    /// What resident weights leave out.
    #[error(
        "probe '{probe}' asks for '{quantity}' of population '{population}', which is not computed while its weights are resident; leave the population out, or set resident-weights = \"never\""
    )]
    Resident {
        /// Name of the probe.
        probe: String,
        /// Name of the quantity.
        quantity: &'static str,
        /// Name of the population.
        population: String,
    },
}

impl Probe {
    /// Time steps between two samples.
    #[must_use]
    pub fn every(&self, dt_ms: f64) -> u64 {
        ((self.every_ms / dt_ms).round() as u64).max(1)
    }

    /// Columns of the selected neurons in a `[batch, N]` buffer.
    #[must_use]
    pub fn columns(&self, network: &Network) -> Vec<usize> {
        let of = |&p: &usize| {
            let cols = network.cols(p);
            (0..cols.len).filter(|&i| self.neurons.contains(i)).map(move |i| cols.start + i)
        };
        self.populations.iter().flat_map(of).collect()
    }

    /// Interneurons of the selected populations, among all of the network.
    #[must_use]
    pub fn interneurons(&self, network: &Network) -> Vec<usize> {
        let Some(micro) = &network.microcircuit else { return Vec::new() };
        self.populations.iter().filter_map(|&p| micro.cols(network, p)).flat_map(Cols::range).collect()
    }

    /// Checks the probe against the network that runs and its time step.
    ///
    /// # Errors
    /// The first thing in it that cannot be recorded.
    pub fn check(&self, network: &Network, dt_ms: f64) -> Result<(), ProbeError> {
        let probe = || self.name.clone();
        let steps = self.every_ms / dt_ms;
        // Both are decimal fractions that binary ones stand for.
        if steps.round() < 1.0 || (steps - steps.round()).abs() > 1e-9 * steps {
            return Err(ProbeError::Every { probe: probe(), every: self.every_ms, dt: dt_ms });
        }
        for &p in &self.populations {
            let population = &network.populations[p];
            if let Some(neuron) = self.neurons.largest().filter(|&n| n >= population.size) {
                let (population, size) = (population.name.clone(), population.size);
                return Err(ProbeError::Neuron { probe: probe(), neuron, population, size });
            }
        }
        if self.columns(network).is_empty() || self.quantities.is_empty() {
            return Err(ProbeError::Nothing(probe()));
        }
        let last = network.populations.len() - 1;
        for quantity in &self.quantities {
            let name = quantity.name();
            if quantity.is_of_free() && self.clamped(network) {
                let population = network.populations[0].name.clone();
                return Err(ProbeError::Clamped { probe: probe(), quantity: name, population });
            }
            if *quantity == Quantity::Interneuron && self.interneurons(network).is_empty() {
                return Err(ProbeError::NoInterneurons(probe()));
            }
            if quantity.is_of_outputs() && !self.populations.contains(&last) {
                let outputs = network.populations[last].name.clone();
                return Err(ProbeError::NoOutputs { probe: probe(), quantity: name, outputs });
            }
        }
        Ok(())
    }

    /// Whether neurons whose voltage is prescribed are among the selected ones.
    fn clamped(&self, network: &Network) -> bool {
        network.input.is_clamped() && self.populations.contains(&0)
    }

    /// As [`Probe::check`], against what a model computes.
    ///
    /// # Errors
    /// As there; and if resident weights leave out what is asked for, or there are fewer trajectories.
    pub fn check_model(&self, network: &Network, layout: &Layout, dt_ms: f64) -> Result<(), ProbeError> {
        self.check(network, dt_ms)?;
        let (probe, have) = (self.name.clone(), layout.batch);
        if self.trajectories > have {
            return Err(ProbeError::Trajectories { probe, want: self.trajectories, have });
        }
        let asked = self.quantities.iter().find(|q| q.needs_derivative());
        match asked.filter(|_| layout.resident && self.clamped(network)) {
            Some(quantity) => {
                let population = network.populations[0].name.clone();
                Err(ProbeError::Resident { probe, quantity: quantity.name(), population })
            }
            None => Ok(()),
        }
    }
}
