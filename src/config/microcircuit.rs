//! Section `[microcircuit]`: interneurons and separate feedback weights.

use super::error::ConfigError;
use super::init;
use super::item::{Bound, Item};
use super::section::Section;
use super::topology::end;
use crate::network::{
    Init, InterneuronDynamics, InterneuronInput, Interneurons, Microcircuit, MicrocircuitError,
    MicrocircuitInit, Network, Pathway,
};

const KEYS: [&str; 15] = [
    "ip",
    "interneurons",
    "dynamics",
    "feedback",
    "pi",
    "beta",
    "ip-rate-per-ms",
    "pi-rate-per-ms",
    "feedback-rate-per-ms",
    "bias-rate-per-ms",
    "feedback-weights",
    "pi-weights",
    "ip-weights",
    "nudge-weights",
    "biases",
];

const RATE: &str = "a learning rate per ms, 0 or greater";
const LIST: &str = "a list of tables like { population = \"hidden1\", size = 100 }";

/// More interneurons than a population may have.
const MOST: usize = 1_000_000;

/// W^PI that starts as B.
const AS_FEEDBACK: &str = "feedback";

/// Reads the section into the network; `rate_w` is η, from which the rates of W^IP and W^PI come if they are not given; that of b^I comes from that of W^IP. B stays fixed
/// unless it has a rate.
pub(super) fn read(
    item: Option<Item<'_>>,
    network: &mut Network,
    rate_w: f64,
) -> Result<Option<MicrocircuitInit>, ConfigError> {
    let Some(item) = item else { return Ok(None) };
    let section = Section::open(item, &KEYS)?;
    let rate = |key: &str, default: f64| {
        section.get(key).map_or(Ok(default), |item| item.number(Bound::NonNegative, RATE))
    };
    let ip = choice(&section, "ip", &InterneuronInput::NAMES, InterneuronInput::Learned)?;
    let rate_ip = rate("ip-rate-per-ms", rate_w)?;
    let beta = section.get("beta");
    let micro = Microcircuit {
        ip,
        interneurons: interneurons(&section, network, ip)?,
        dynamics: choice(
            &section,
            "dynamics",
            &InterneuronDynamics::NAMES,
            InterneuronDynamics::Instantaneous,
        )?,
        feedback: choice(&section, "feedback", &Pathway::NAMES, Pathway::Separate)?,
        pi: choice(&section, "pi", &Pathway::NAMES, Pathway::Separate)?,
        beta: beta.map_or(Ok(0.0), |i| i.number(Bound::NonNegative, "a number from 0 to 1"))?,
        rate_ip,
        rate_pi: rate("pi-rate-per-ms", rate_w)?,
        rate_feedback: rate("feedback-rate-per-ms", 0.0)?,
        rate_bi: rate("bias-rate-per-ms", rate_ip)?,
    };
    check(&micro, network, &section)?;
    let init = initial(&section, &micro)?;
    network.microcircuit = Some(micro);
    Ok(Some(init))
}

fn choice<T: Copy>(
    section: &Section<'_>,
    key: &str,
    names: &[(&'static str, T)],
    default: T,
) -> Result<T, ConfigError> {
    section.get(key).map_or(Ok(default), |item| item.choice(names))
}

fn interneurons(
    section: &Section<'_>,
    network: &Network,
    ip: InterneuronInput,
) -> Result<Vec<Interneurons>, ConfigError> {
    if ip == InterneuronInput::Tied {
        section.refuse("interneurons", "belongs to ip = \"learned\"", "no list with ip = \"tied\"")?;
        return Ok(Vec::new());
    }
    let item = section.need("interneurons", &format!("interneurons = {LIST}"))?;
    let entries = item.elements().ok_or_else(|| item.mistyped(LIST))?;
    entries.into_iter().map(|entry| one(entry, network)).collect()
}

fn one(item: Item<'_>, network: &Network) -> Result<Interneurons, ConfigError> {
    let section = Section::open(item, &["population", "size", "factor"])?;
    let population = end(&section, "population", &network.populations)?;
    let size = section.need("size", "size = number of interneurons")?.size(0, MOST)?;
    let factor = match section.get("factor") {
        Some(item) => item.number(Bound::NonNegative, "a factor, 0 or greater")?,
        None => default_factor(network, population),
    };
    Ok(Interneurons { population, size, factor })
}

/// The factor of the projection to the next population (model, section 4); 1 for one that projects nowhere forward.
fn default_factor(network: &Network, population: usize) -> f64 {
    let onward = network.projections.iter().filter(|p| p.pre == population && p.post > population);
    onward.min_by_key(|p| p.post).map_or(1.0, |p| p.factor)
}

/// Maps what is wrong with the microcircuit to the line that says so.
fn check(micro: &Microcircuit, network: &Network, section: &Section<'_>) -> Result<(), ConfigError> {
    let Err(error) = micro.check(network) else { return Ok(()) };
    let (key, expected) = match &error {
        MicrocircuitError::TransportOfLearned => ("pi", "pi = \"separate\", or ip = \"tied\""),
        MicrocircuitError::Beta(_) => ("beta", "a number from 0 to 1"),
        _ => ("interneurons", LIST),
    };
    Err(section.item().texts.error(Some(section.place(key)), error.to_string(), expected))
}

fn initial(section: &Section<'_>, micro: &Microcircuit) -> Result<MicrocircuitInit, ConfigError> {
    let base = MicrocircuitInit::default();
    let table = |key: &str, default: Init| section.get(key).map_or(Ok(default), |item| init::read(&item));
    let pi = match section.get("pi-weights") {
        None => base.pi,
        Some(item) if item.text("").is_ok() => {
            let given = item.choice(&[(AS_FEEDBACK, ())]);
            if micro.feedback == Pathway::Transport || !micro.is_tied() {
                let message = format!("`{}` cannot be \"{AS_FEEDBACK}\" here", item.path);
                return Err(item.wrong(message, "ip = \"tied\" and feedback = \"separate\" beside it"));
            }
            given.map(|()| None)?
        }
        Some(item) => Some(init::read(&item)?),
    };
    Ok(MicrocircuitInit {
        feedback: table("feedback-weights", base.feedback)?,
        pi,
        ip: table("ip-weights", base.ip)?,
        nudge: table("nudge-weights", base.nudge)?,
        biases: table("biases", base.biases)?,
    })
}
