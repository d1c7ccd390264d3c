//! Keys that a command line sets without any effect. A file may have them all: that of a run directory names every default.

use crate::dynamics::{Integrator, Settings};

/// What the experiment is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Training; with backprop, as the rule or as the control.
    Training {
        /// Whether anything learns by backprop.
        backprop: bool,
    },
    /// A simulation.
    Simulation,
}

/// Why setting `key` (`dynamics.newton-tolerance`, say) changes nothing; `None` if it does, or may.
#[must_use]
pub fn idle(key: &str, settings: &Settings, purpose: Purpose) -> Option<String> {
    let (section, name) = key.split_once('.').unwrap_or((key, ""));
    let integrator = settings.integrator;
    match (section.trim(), name.trim()) {
        ("data" | "training" | "completion" | "backprop", _) if purpose == Purpose::Simulation => {
            Some("a simulation trains nothing".into())
        }
        ("backprop", _) if purpose == (Purpose::Training { backprop: false }) => {
            Some("nothing learns by backprop without training.rule = \"backprop\" or --control".into())
        }
        ("dynamics", "newton-tolerance" | "newton-iterations") if integrator != Integrator::Equilibrium => {
            Some(format!("integrator \"{}\" takes no Newton iterations", integrator.name()))
        }
        ("dynamics", "solver" | "tolerance" | "max-iterations") if is_explicit(integrator) => {
            Some(format!("integrator \"{}\" solves nothing", integrator.name()))
        }
        _ => None,
    }
}

fn is_explicit(integrator: Integrator) -> bool {
    !matches!(integrator, Integrator::Exact | Integrator::Equilibrium)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_idle_where_nothing_reads_them() {
        let training = Purpose::Training { backprop: false };
        let with = |integrator| Settings { integrator, ..Settings::default() };
        let says = |key: &str, integrator, purpose| idle(key, &with(integrator), purpose);
        for (key, integrator, purpose, words) in [
            ("dynamics.newton-tolerance", Integrator::Exact, training, "exact"),
            ("dynamics.tolerance", Integrator::Euler, training, "euler"),
            ("dynamics . solver", Integrator::Richardson1, Purpose::Simulation, "solves nothing"),
            ("backprop.learning-rate", Integrator::Exact, training, "--control"),
            ("training.epochs", Integrator::Exact, Purpose::Simulation, "trains nothing"),
        ] {
            assert!(says(key, integrator, purpose).is_some_and(|why| why.contains(words)), "{key}");
        }
        for (key, integrator, purpose) in [
            ("dynamics.newton-tolerance", Integrator::Equilibrium, training),
            ("dynamics.tolerance", Integrator::Exact, training),
            ("backprop.learning-rate", Integrator::Exact, Purpose::Training { backprop: true }),
            ("training.epochs", Integrator::Exact, training),
            ("seed", Integrator::Euler, Purpose::Simulation),
        ] {
            assert_eq!(says(key, integrator, purpose), None, "{key}");
        }
    }
}
