//! What is asked for, and from times to a profile.

use crate::gpu::{AdapterInfo, Profile};

/// How much faster than the default of the adapter's class other tiles have to be: times differ by a few per cent from run to run, and a choice
/// that flips changes last bits.
pub const MARGIN: f64 = 1.05;

/// What the user asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Request {
    /// The fastest tiles of a hardware adapter; a software adapter keeps those of its class.
    #[default]
    Usual,
    /// The fastest, on any adapter.
    Auto,
    /// The default of the adapter's class: nothing is measured, no cache is read or written.
    Class,
    /// These.
    Fixed(Profile),
}

impl Request {
    /// What can be asked for by name.
    pub const NAMES: [(&'static str, Request); 5] = [
        ("auto", Request::Auto),
        ("class", Request::Class),
        ("software", Request::Fixed(Profile::Software)),
        ("small", Request::Fixed(Profile::Small)),
        ("large", Request::Fixed(Profile::Large)),
    ];

    /// The name; empty where nothing was asked for.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Usual => "",
            Self::Auto => "auto",
            Self::Class => "class",
            Self::Fixed(profile) => profile.name(),
        }
    }

    /// Whether tiles are to be measured on an adapter.
    #[must_use]
    pub fn measures(self, is_software: bool) -> bool {
        self == Self::Auto || (self == Self::Usual && !is_software)
    }
}

/// Whether the limits of an adapter allow a profile.
#[must_use]
pub fn allowed(info: &AdapterInfo, profile: Profile) -> bool {
    let (invocations, bytes) = profile.needs();
    info.invocations >= invocations && info.workgroup_memory >= bytes
}

/// The fastest profile, if it is faster than `default` by more than [`MARGIN`]; else `default`, if it was timed. `None` where nothing was. Times
/// that are no times (zero, not finite) count as none.
#[must_use]
pub fn choose(default: Profile, seconds: &[(Profile, f64)]) -> Option<Profile> {
    let timed = || seconds.iter().filter(|(_, s)| s.is_finite() && *s > 0.0);
    let &(fastest, least) = timed().min_by(|a, b| a.1.total_cmp(&b.1))?;
    let usual = timed().find(|(profile, _)| *profile == default);
    Some(usual.filter(|(_, s)| *s <= MARGIN * least).map_or(fastest, |_| default))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Profile::{Large, Small, Software};

    #[test]
    fn the_default_wins_within_the_margin() {
        assert_eq!(choose(Small, &[(Software, 9.0), (Small, 1.04), (Large, 1.0)]), Some(Small));
        assert_eq!(choose(Small, &[(Software, 9.0), (Small, 1.06), (Large, 1.0)]), Some(Large));
        assert_eq!(choose(Small, &[(Small, 1.0), (Large, 2.0)]), Some(Small));
        // Of those that are not the default there is no margin between them.
        assert_eq!(choose(Small, &[(Software, 0.99), (Small, 2.0), (Large, 1.0)]), Some(Software));
    }

    #[test]
    fn what_was_not_timed_is_not_chosen() {
        assert_eq!(choose(Small, &[]), None);
        assert_eq!(choose(Small, &[(Small, f64::NAN), (Large, 0.0)]), None);
        assert_eq!(choose(Small, &[(Small, f64::INFINITY), (Large, 5.0)]), Some(Large));
        assert_eq!(choose(Small, &[(Software, 3.0), (Large, 2.0)]), Some(Large));
    }

    #[test]
    fn a_software_adapter_is_measured_only_when_asked() {
        assert!(Request::Usual.measures(false) && !Request::Usual.measures(true));
        assert!(Request::Auto.measures(false) && Request::Auto.measures(true));
        assert!(!Request::Class.measures(false) && !Request::Fixed(Small).measures(false));
    }
}
