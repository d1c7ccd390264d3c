//! `predict`: the answer to every sample, in a file.

use std::path::{Path, PathBuf};

use super::evaluate::{self, Opened, check_out, failed};
use super::recordings::{self, Recordings};
use super::{Failure, print};
use crate::evaluate::{
    Prediction, RowPredictions, ValuePrediction, write_predictions, write_rows, write_values,
};
use crate::sinks::text::thousands;

/// Arguments of `predict`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = FILES)]
pub(super) struct Args {
    #[command(flatten)]
    common: evaluate::Args,
    /// Samples of your own instead of the data set: .npy, .npz, IDX; pictures: .png, or a folder of them.
    #[arg(long, short, value_name = "FILE", conflicts_with = "part")]
    input: Option<PathBuf>,
    /// Where the predictions go: .npz or .csv.
    #[arg(long, short, value_name = "FILE")]
    out: PathBuf,
}

const FILES: &str = "\
Images read (--input), as [samples, n_in] or [samples, rows, columns]:
  .npy, .npz     whole numbers 0 to 255, or floating-point numbers 0 to 1 (byte / 255);
                 .npz: array 'images' or the only one, and 'labels' [samples] if there are any
  IDX            bytes, plain or gzip
Of experiments whose data.source is arrays: inputs as there, in .npy or .npz (array 'inputs', and 'labels' or 'targets' if there are
any); they are scaled as in training. Of images: a .png, or a folder of them.
Written (--out), n_out values a sample:
  .npz           index, label (-1 where unknown), predicted [samples] int64; output [samples, n_out] float64
  .csv           index,label,predicted,output_0,...; the label is empty where unknown
Of recordings, voltages of the network at every row of the part, as it follows it with the outputs nudged that are not free:
  .npz           span int64, time_ms float64 [rows]; truth, output [rows, targets] float32; free int64: places of the free targets
  .csv           span,time_ms,truth_NAME,...,output_NAME,...
Of experiments with targets: index, output and, where known, target [samples, n_out]; .csv: index,output_0,...,target_0,...";

/// Runs the subcommand.
pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let known = |e: &std::ffi::OsStr| e.eq_ignore_ascii_case("npz") || e.eq_ignore_ascii_case("csv");
    if !args.out.extension().is_some_and(known) {
        return Err(Failure::usage(anyhow::anyhow!(
            "--out {}: the name has to end in .npz or .csv",
            args.out.display()
        )));
    }
    let inputs: Vec<_> = args.input.as_deref().into_iter().collect();
    check_out(&args.out, &inputs)?;
    let begun = evaluate::begin(&args.common)?;
    let written =
        |e: std::io::Error| Failure::run(anyhow::anyhow!("{}: cannot be written: {e}", args.out.display()));
    if begun.is_series() {
        return rows(recordings::open(begun, args.input.as_deref())?, &args.out, written);
    }
    let mut opened = evaluate::open(begun, args.input.as_deref())?;
    let n_out = opened.experiment.network.n_out();
    if opened.is_regression() {
        let count = values(&mut opened, n_out, &args.out, written)?;
        return told(&opened, count, &args.out);
    }
    let mut all = Vec::new();
    let labels = opened.images.labels.as_deref();
    let take = |index: usize, output: &[f64]| {
        let label = labels.map(|labels| labels[index]);
        all.push(Prediction { index, label, output: output.to_vec() });
    };
    opened.predictor.run(&opened.images.inputs(), take).map_err(failed)?;
    opened.warn();
    write_predictions(&args.out, &all, n_out).map_err(written)?;
    told(&opened, all.len(), &args.out)
}

/// The answers to every row of a recording.
fn rows(
    mut opened: Recordings,
    out: &Path,
    written: impl Fn(std::io::Error) -> Failure,
) -> Result<(), Failure> {
    let mut all = RowPredictions::new(&opened.set, opened.spans().to_vec(), &opened.completion.free);
    opened.follow(|slice| all.add(slice.span, slice.row, slice.outputs))?;
    write_rows(out, &opened.set, &all).map_err(written)?;
    let count = thousands(all.rows() as u64);
    print(&format!("{}wrote predictions of {count} rows to {}\n", opened.header(), out.display()))
}

/// The answers of a regression; returns their number.
fn values(
    opened: &mut Opened,
    n_out: usize,
    out: &Path,
    written: impl Fn(std::io::Error) -> Failure,
) -> Result<usize, Failure> {
    let mut all = Vec::new();
    let images = &opened.images;
    let take = |index: usize, output: &[f64]| {
        let target = images.targets(index).map(<[f32]>::to_vec);
        all.push(ValuePrediction { index, target, output: output.to_vec() });
    };
    opened.predictor.run(&images.inputs(), take).map_err(failed)?;
    opened.warn();
    write_values(out, &all, n_out).map_err(written)?;
    Ok(all.len())
}

fn told(opened: &Opened, count: usize, out: &Path) -> Result<(), Failure> {
    let count = thousands(count as u64);
    print(&format!("{}wrote {count} predictions to {}\n", opened.header(), out.display()))
}
