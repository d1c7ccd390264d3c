//! A profile as a table for people.

use super::text::thousands;
use crate::engine::KernelTime;
use crate::train::Profile;

/// One line a kernel, several lines, the last one ended.
#[must_use]
pub fn table(profile: &Profile) -> String {
    let total = profile.timings.total();
    let timed = profile.timings.timed;
    let mut text = format!(
        "profile of the training on {}: {:.2} s of wall time{}\n",
        profile.device,
        profile.wall_s,
        if timed { "" } else { "; this adapter has no timestamps: calls and operations alone" },
    );
    text += &format!(
        "{:<18}{:>12}{:>10}{:>8}{:>12}{:>10}{:>9}\n",
        "kernel", "calls", "s", "%", "us a call", "GFLOP/s", "GB/s"
    );
    let named = KernelTime { kernel: "all".into(), ..total.clone() };
    for kernel in profile.timings.kernels.iter().chain([&named]) {
        text += &line(profile, kernel, total.seconds);
    }
    text
}

fn line(profile: &Profile, k: &KernelTime, all_s: f64) -> String {
    let per_s = |amount: f64| {
        if amount > 0.0 && k.seconds > 0.0 { format!("{:.2}", amount / k.seconds / 1e9) } else { "-".into() }
    };
    let time = |value: f64, digits: usize| {
        if profile.timings.timed && value.is_finite() { format!("{value:.digits$}") } else { "-".into() }
    };
    format!(
        "{:<18}{:>12}{:>10}{:>8}{:>12}{:>10}{:>9}\n",
        k.kernel,
        thousands(k.calls.round() as u64),
        time(k.seconds, 3),
        time(100.0 * k.seconds / all_s, 1),
        time(1e6 * k.seconds / k.calls, 1),
        per_s(k.flops),
        per_s(profile.bytes(k)),
    )
}
