//! Key `schedule` of `[plasticity]`: how learning rates change with simulated time.

use super::error::ConfigError;
use super::item::{Bound, Item};
use super::section::Section;
use super::write::{list, number};
use crate::schedule::{RateStep, Schedule};

const KEYS: [&str; 5] = ["kind", "steps", "duration-ms", "final-factor", "warm-up-ms"];
const STEP_KEYS: [&str; 4] = ["at-ms", "at-s", "factor", "rate-per-ms"];

const TIME: &str = "a simulated time, greater than 0";
const STEPS: &str = "a list of steps like { at-s = 22000, factor = 0.1 }";
const FINAL: &str = "final-factor = factor at the end, from 0 to 1";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Constant,
    Step,
    Cosine,
}

const KINDS: [(&str, Kind); 3] =
    [("constant", Kind::Constant), ("step", Kind::Step), ("cosine", Kind::Cosine)];

/// Reads the table; `rate_w` is what a rate in it is related to.
pub(super) fn read(item: Item<'_>, rate_w: f64) -> Result<Schedule, ConfigError> {
    let section = Section::open(item, &KEYS)?;
    let kind = section.need("kind", "kind = one of: constant, step, cosine")?.choice(&KINDS)?;
    for (key, of, name) in [
        ("steps", Kind::Step, "step"),
        ("duration-ms", Kind::Cosine, "cosine"),
        ("final-factor", Kind::Cosine, "cosine"),
        ("warm-up-ms", Kind::Cosine, "cosine"),
    ] {
        if kind != of {
            section.refuse(key, &format!("belongs to kind = \"{name}\""), "the keys of this kind alone")?;
        }
    }
    match kind {
        Kind::Constant => Ok(Schedule::Constant),
        Kind::Step => steps(&section.need("steps", &format!("steps = {STEPS}"))?, rate_w),
        Kind::Cosine => cosine(&section),
    }
}

fn steps(item: &Item<'_>, rate_w: f64) -> Result<Schedule, ConfigError> {
    let mut steps: Vec<RateStep> = Vec::new();
    for item in item.elements().ok_or_else(|| item.mistyped(STEPS))? {
        let section = Section::open(item.clone(), &STEP_KEYS)?;
        let step = RateStep { at_ms: at(&section)?, factor: factor(&section, rate_w)? };
        if let Some(before) = steps.last().filter(|before| before.at_ms >= step.at_ms) {
            let message =
                format!("a step at {} ms comes after one at {} ms", number(step.at_ms), number(before.at_ms));
            return Err(item.wrong(message, "steps in the order of their times, no two at the same"));
        }
        steps.push(step);
    }
    if steps.is_empty() {
        return Err(item.wrong("a schedule of no steps", format!("{STEPS}, or kind = \"constant\"")));
    }
    Ok(Schedule::Step(steps))
}

fn at(section: &Section<'_>) -> Result<f64, ConfigError> {
    match (section.get("at-ms"), section.get("at-s")) {
        (Some(ms), None) => ms.number(Bound::Positive, TIME),
        (None, Some(s)) => {
            let ms = s.number(Bound::Positive, TIME)? * 1000.0;
            // The resolved form writes ms, which has to be read again.
            if (ms as f32).is_finite() { Ok(ms) } else { Err(s.refused("that long", TIME)) }
        }
        (Some(_), Some(s)) => Err(s.wrong("a step has one time", "at-ms or at-s")),
        (None, None) => Err(section.item().wrong("a step without a time", "at-ms or at-s")),
    }
}

fn factor(section: &Section<'_>, rate_w: f64) -> Result<f64, ConfigError> {
    const FACTOR: &str = "a factor on the rates of [plasticity], 0 or greater";
    const RATE: &str =
        "a learning rate per ms, 0 or greater, which sets the factor by rate-per-ms of [plasticity]";
    match (section.get("factor"), section.get("rate-per-ms")) {
        (Some(factor), None) => factor.number(Bound::NonNegative, FACTOR),
        (None, Some(item)) => {
            let rate = item.number(Bound::NonNegative, RATE)?;
            let factor = rate / rate_w;
            // 0/0 and what no file could hold.
            let fits = (factor as f32).is_finite() && (factor == 0.0 || (factor as f32).is_normal());
            if fits { Ok(factor) } else { Err(item.refused(number(rate), "factor = a factor")) }
        }
        (Some(_), Some(rate)) => Err(rate.wrong("a step has one rate", "factor or rate-per-ms")),
        (None, None) => Err(section.item().wrong("a step without a rate", "factor or rate-per-ms")),
    }
}

fn cosine(section: &Section<'_>) -> Result<Schedule, ConfigError> {
    const SHARE: &str = "a factor from 0 to 1";
    let final_factor = section.need("final-factor", FINAL)?;
    let value = final_factor.number(Bound::NonNegative, SHARE)?;
    if value > 1.0 {
        return Err(final_factor.refused(number(value), SHARE));
    }
    let warm_up = section.get("warm-up-ms");
    let warm_up_ms = warm_up
        .as_ref()
        .map_or(Ok(0.0), |i| i.number(Bound::NonNegative, "a simulated time in ms, 0 or greater"))?;
    let duration =
        section.get("duration-ms").map(|i| i.number(Bound::PositiveOrInfinite, TIME)).transpose()?;
    // Infinite: the whole run.
    let duration_ms = duration.filter(|ms| ms.is_finite());
    if let (Some(warm_up), Some(end)) = (&warm_up, duration_ms)
        && warm_up_ms >= end
    {
        return Err(warm_up.refused(number(warm_up_ms), format!("less than duration-ms = {}", number(end))));
    }
    Ok(Schedule::Cosine { duration_ms, final_factor: value, warm_up_ms })
}

/// As a table that [`read`] reads as the same.
pub(super) fn text(schedule: &Schedule) -> String {
    match schedule {
        Schedule::Constant => "{ kind = \"constant\" }".to_owned(),
        Schedule::Step(steps) => {
            let one =
                |s: &RateStep| format!("{{ at-ms = {}, factor = {} }}", number(s.at_ms), number(s.factor));
            format!("{{ kind = \"step\", steps = {} }}", list(steps.iter().map(one)))
        }
        Schedule::Cosine { duration_ms, final_factor, warm_up_ms } => format!(
            "{{ kind = \"cosine\", duration-ms = {}, final-factor = {}, warm-up-ms = {} }}",
            duration_ms.map_or_else(|| "inf".to_owned(), number),
            number(*final_factor),
            number(*warm_up_ms)
        ),
    }
}
