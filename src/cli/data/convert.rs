//! `data convert`: writes a recording as an `.npz` archive.

use std::path::PathBuf;

use super::HintArgs;
use crate::cli::{Failure, say};
use crate::data::recording::{Part, Recording};

/// Arguments of `data convert`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// File or BIDS-iEEG folder, or embedded-ieeg.
    path: PathBuf,
    /// Archive to be written (.npz).
    out: PathBuf,
    #[command(flatten)]
    hints: HintArgs,
    /// Channels by name, separated by commas, in the order of the columns; all by default. May be given several times.
    #[arg(long, value_name = "NAMES")]
    channels: Vec<String>,
    /// Seconds from the start of the recording to the first sample.
    #[arg(long, value_name = "S")]
    from_s: Option<f64>,
    /// Seconds from the start of the recording to the end of the part.
    #[arg(long, value_name = "S")]
    to_s: Option<f64>,
    /// Writes the 16-bit integers of the file with gain and offset (lossless) in place of float32 values.
    #[arg(long)]
    int16: bool,
}

/// Runs the subcommand.
pub(super) fn run(args: &Args) -> Result<(), Failure> {
    if !args.out.extension().is_some_and(|end| end.eq_ignore_ascii_case("npz")) {
        let out = args.out.display();
        return Err(Failure::usage(anyhow::anyhow!("{out}: an .npz archive is written; give it that name")));
    }
    let mut recording = args.hints.open(&args.path)?;
    for notice in &recording.notices {
        say(&format!("notice: {notice}"));
    }
    let channels = args.channels.iter().flat_map(|names| split(names, &recording)).collect();
    let part = Part { channels, from_s: args.from_s, to_s: args.to_s, integers: args.int16 };
    let written = recording.to_npz(&part, &args.out).map_err(Failure::usage)?;
    say(&format!(
        "{}: {} samples of {} channels at {} Hz",
        args.out.display(),
        written.samples,
        written.channels,
        written.rate_hz
    ));
    Ok(())
}

/// Names between commas; the whole where a channel has that very name.
fn split(names: &str, recording: &Recording) -> Vec<String> {
    if recording.channels.iter().any(|c| c.name == names) {
        return vec![names.to_owned()];
    }
    names.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}
