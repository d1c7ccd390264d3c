//! `data info`: what a recording holds, as a table or as JSON.

use std::path::PathBuf;

use serde_json::json;

use super::HintArgs;
use crate::cli::{Failure, print};
use crate::data::recording::{Channel, Recording, Summary};

/// Arguments of `data info`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// File or BIDS-iEEG folder, or embedded-ieeg.
    path: PathBuf,
    #[command(flatten)]
    hints: HintArgs,
    /// Runs of equal values count as flat from this length on.
    #[arg(long, value_name = "MS", default_value_t = 100.0)]
    flat_ms: f64,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the subcommand.
pub(super) fn run(args: &Args) -> Result<(), Failure> {
    if !args.flat_ms.is_finite() || args.flat_ms < 0.0 {
        return Err(Failure::usage(anyhow::anyhow!("--flat-ms has to be a time of 0 or more")));
    }
    let mut recording = args.hints.open(&args.path)?;
    let summaries = recording.summarize(args.flat_ms / 1e3).map_err(Failure::usage)?;
    let text = if args.json {
        as_json(&recording, &summaries, args.flat_ms)
    } else {
        table(&recording, &summaries, args.flat_ms)
    };
    print(&text)
}

/// One object; numbers that do not exist are null.
fn as_json(recording: &Recording, summaries: &[Summary], flat_ms: f64) -> String {
    let channel = |(c, s): (&Channel, &Summary)| {
        json!({
            "name": c.name, "type": c.kind, "unit": c.unit, "bad": c.bad, "rate_hz": c.rate_hz, "samples": c.samples,
            "duration_s": c.samples as f64 / c.rate_hz, "mean": s.mean, "sd": s.sd, "min": s.min, "max": s.max,
            "flat": s.flat, "clipped": s.clipped, "nan": s.nan,
        })
    };
    let channels: Vec<_> = recording.channels.iter().zip(summaries).map(channel).collect();
    let all = json!({
        "path": recording.path.display().to_string(), "format": recording.format, "flat_ms": flat_ms,
        "notices": recording.notices, "channels": channels,
    });
    format!("{all:#}\n")
}

const HEAD: [&str; 12] =
    ["channel", "type", "unit", "rate/Hz", "samples", "mean", "sd", "min", "max", "flat", "clipped", "nan"];

/// Lines for people: about the recording, its oddities, and a line for each channel.
fn table(recording: &Recording, summaries: &[Summary], flat_ms: f64) -> String {
    let rows: Vec<[String; 12]> = recording.channels.iter().zip(summaries).map(row).collect();
    let mut text =
        format!("{}: {}, {}\n", recording.path.display(), recording.format, about(&recording.channels));
    for notice in &recording.notices {
        text.push_str(&format!("  notice: {notice}\n"));
    }
    text.push_str(&format!(
        "sd: of the population; flat: samples in runs of equal values of {flat_ms} ms or longer; clipped: samples at the ends of the range of \
         the recorder (- where the file does not tell it); nan: samples that are no finite number\n"
    ));
    let head = HEAD.map(str::to_owned);
    let mut widths = [0; 12];
    for row in std::iter::once(&head).chain(&rows) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for row in std::iter::once(&head).chain(&rows) {
        let cell = |(i, cell): (usize, &String)| {
            let blanks = " ".repeat(widths[i] - cell.chars().count());
            // Words to the left, numbers to the right.
            if i < 3 { format!("{cell}{blanks}") } else { format!("{blanks}{cell}") }
        };
        let line: Vec<String> = row.iter().enumerate().map(cell).collect();
        text.push_str(line.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// Number of channels, their rates and duration.
fn about(channels: &[Channel]) -> String {
    let mut rates: Vec<String> = channels.iter().map(|c| rate(c.rate_hz)).collect();
    rates.sort();
    rates.dedup();
    let longest = channels.iter().map(|c| c.samples as f64 / c.rate_hz).fold(0.0, f64::max);
    let bad = channels.iter().filter(|c| c.bad).count();
    let bad = if bad > 0 { format!(" ({bad} bad)") } else { String::new() };
    format!("{} channels{bad}, {} Hz, {longest:.3} s", channels.len(), rates.join(" and "))
}

/// At most three digits behind the point.
fn rate(hz: f64) -> String {
    let text = format!("{hz:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn row((c, s): (&Channel, &Summary)) -> [String; 12] {
    let name = if c.bad { format!("{} (bad)", c.name) } else { c.name.clone() };
    let or = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
    let size = s.min.abs().max(s.max.abs());
    // Volts have their digits far behind the point.
    let number = |v: f64| match size {
        _ if v.is_nan() => "-".to_owned(),
        size if size != 0.0 && !(0.01..1e7).contains(&size) => format!("{v:.4e}"),
        _ => format!("{v:.4}"),
    };
    let clipped = s.clipped.map_or_else(|| "-".to_owned(), |n| n.to_string());
    [
        or(&name),
        or(&c.kind),
        or(&c.unit),
        rate(c.rate_hz),
        c.samples.to_string(),
        number(s.mean),
        number(s.sd),
        number(s.min),
        number(s.max),
        s.flat.to_string(),
        clipped,
        s.nan.to_string(),
    ]
}
