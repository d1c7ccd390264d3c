//! `plot`: the pictures of a run, from its directory.

use std::path::{Path, PathBuf};

use super::{Failure, print, say};
use crate::plot::{FOLDER, PlotError, draw};

/// Arguments of `plot`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A run directory, or the folder of several seeds, whose name ends in -seeds.
    run: PathBuf,
    /// Folder of the pictures, in place of plots/ in RUN.
    #[arg(long, short, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

/// Runs the subcommand.
pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let out = args.out.clone().unwrap_or_else(|| args.run.join(FOLDER));
    let drawn = draw(&args.run, &out).map_err(|error| match error {
        PlotError::Write { .. } | PlotError::Draw(_) => Failure::run(error),
        other => Failure::usage(other),
    })?;
    for notice in &drawn.notices {
        say(&format!("notice: {notice}"));
    }
    let lines: Vec<String> = drawn.files.iter().map(|file| format!("{}\n", file.display())).collect();
    print(&lines.concat())
}

/// Draws the pictures of a run, or a group of them, that is complete. What goes wrong is a warning: the run itself is saved.
pub(super) fn after_training(run: &Path) {
    match draw(run, &run.join(FOLDER)) {
        Ok(drawn) => drawn.notices.iter().for_each(|notice| say(&format!("warning: {notice}"))),
        Err(error) => say(&format!("warning: there are no pictures: {error}")),
    }
}
