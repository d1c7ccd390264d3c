//! All pictures of a run directory, or of the folder of several seeds.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::read::{completion, metrics};
use super::{
    Arm, Fields, GroupCurves, PlotError, WITHIN, confusion, framed, group_curves, image_shape,
    learning_curve, receptive_fields, scores, traces,
};
use crate::checkpoint::parameters;
use crate::config::{Experiment, Overrides, Source};
use crate::sinks::text::thousands;
use crate::sinks::{SeedTable, Spread, atomic};

/// Folder of the pictures in a run directory.
pub const FOLDER: &str = "plots";

/// What was drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pictures {
    /// The pictures.
    pub files: Vec<PathBuf>,
    /// What could not be drawn, or not from all of its file, and what to do.
    pub notices: Vec<String>,
}

/// Draws all pictures that the files in `run` allow, into `out`. What a run has not (no test yet, no image as input) is not missed; what is there but
/// cannot be used is a notice.
///
/// # Errors
/// [`PlotError::NoFolder`], [`PlotError::Nothing`] if no picture came about, [`PlotError::Write`].
pub fn draw(run: &Path, out: &Path) -> Result<Pictures, PlotError> {
    if !run.is_dir() {
        return Err(PlotError::NoFolder { path: run.into() });
    }
    let mut sheet = Sheet { run, out, drawn: Pictures::default() };
    if run.join("seeds.json").is_file() {
        sheet.group()?;
    } else {
        let metrics = sheet.curve()?;
        sheet.confusion(&metrics)?;
        sheet.fields(&metrics)?;
        sheet.completion(&metrics)?;
    }
    if sheet.drawn.files.is_empty() {
        let mut why = sheet.drawn.notices;
        if why.is_empty() {
            why.push(
                "there is no metrics.jsonl, seeds.json, test.json, parameters.safetensors or completion.npz"
                    .into(),
            );
        }
        return Err(PlotError::Nothing { path: run.into(), why });
    }
    Ok(sheet.drawn)
}

/// What is known of the matrix of `test.json`.
#[derive(Deserialize)]
struct Test {
    confusion: Vec<Vec<u64>>,
}

struct Sheet<'a> {
    run: &'a Path,
    out: &'a Path,
    drawn: Pictures,
}

impl Sheet<'_> {
    /// A file of the run, if it is there.
    fn there(&self, name: &str) -> Option<PathBuf> {
        Some(self.run.join(name)).filter(|path| path.is_file())
    }

    fn notice(&mut self, text: impl std::fmt::Display) {
        self.drawn.notices.push(text.to_string());
    }

    /// What a step gave; what went wrong is a notice, and the pictures after it are drawn all the same.
    fn kept<T>(&mut self, file: &str, made: Result<T, PlotError>) -> Option<T> {
        match made {
            Ok(value) => Some(value),
            Err(error @ PlotError::Input { .. }) => {
                self.notice(error);
                None
            }
            Err(error) => {
                let path = self.run.join(file);
                self.notice(format_args!("{}: {error}", path.display()));
                None
            }
        }
    }

    /// Writes a picture; without one, nothing.
    fn save(&mut self, name: &str, bytes: Option<impl AsRef<[u8]>>) -> Result<(), PlotError> {
        let Some(bytes) = bytes else { return Ok(()) };
        let path = self.out.join(name);
        let folder = fs::create_dir_all(self.out);
        folder.map_err(|source| PlotError::Write { path: self.out.into(), source })?;
        atomic::write(&path, bytes.as_ref())
            .map_err(|source| PlotError::Write { path: path.clone(), source })?;
        self.drawn.files.push(path);
        Ok(())
    }

    /// `learning-curve.svg` from `metrics.jsonl`.
    fn curve(&mut self) -> Result<metrics::Metrics, PlotError> {
        let name = self.run.file_name().map(|name| name.to_string_lossy().into_owned());
        let unknown = || metrics::Metrics { name: name.clone().unwrap_or_default(), ..metrics::parse(b"") };
        let Some(path) = self.there("metrics.jsonl") else { return Ok(unknown()) };
        let Some(mut all) = self.kept("metrics.jsonl", metrics::metrics(&path)) else { return Ok(unknown()) };
        if all.torn > 0 {
            let n = all.torn;
            self.notice(format_args!(
                "{}: {n} of its lines {} cut off or no event; drawn without",
                path.display(),
                if n == 1 { "is" } else { "are" }
            ));
        }
        if all.name.is_empty() {
            all.name = unknown().name;
            all.learning.title = all.title("learning curve");
        }
        let svg = self.kept("metrics.jsonl", learning_curve(&all.learning));
        self.save("learning-curve.svg", svg)?;
        Ok(all)
    }

    /// `confusion.svg` from `test.json`.
    fn confusion(&mut self, metrics: &metrics::Metrics) -> Result<(), PlotError> {
        let Some(path) = self.there("test.json") else { return Ok(()) };
        let bytes = fs::read(&path).map_err(|e| input(&path, format!("cannot be read: {e}")));
        let Some(bytes) = self.kept("test.json", bytes) else { return Ok(()) };
        let value: Option<serde_json::Value> = serde_json::from_slice(&bytes).ok();
        // Scores of something else than classes have no matrix.
        if value.as_ref().is_some_and(|value| {
            value.is_object() && value.get("confusion").is_none_or(serde_json::Value::is_null)
        }) {
            return Ok(());
        }
        let test = value.and_then(|value| serde_json::from_value::<Test>(value).ok());
        let test = test.ok_or_else(|| input(&path, "is not the score of a run; run `eval` again".into()));
        let Some(test) = self.kept("test.json", test) else { return Ok(()) };
        let sum =
            |counts: &mut dyn Iterator<Item = &u64>| counts.fold(0_u64, |sum, n| sum.saturating_add(*n));
        let right = sum(&mut test.confusion.iter().enumerate().filter_map(|(i, row)| row.get(i)));
        let all = sum(&mut test.confusion.iter().flatten());
        let about = format!(
            "{} of {} test samples right ({:.2} %)",
            thousands(right),
            thousands(all),
            100.0 * right as f64 / all.max(1) as f64
        );
        let svg = confusion(&test.confusion, &metrics.title("confusion matrix"), &[about]);
        let svg = self.kept("test.json", svg);
        self.save("confusion.svg", svg)
    }

    /// `receptive-fields.png` and `.svg` from the parameters, where the input can be an image.
    fn fields(&mut self, metrics: &metrics::Metrics) -> Result<(), PlotError> {
        let (Some(file), Some(config)) = (self.there(parameters::FILE), self.there(parameters::CONFIG))
        else {
            return Ok(());
        };
        let experiment = Experiment::load(&Source::File(config.clone()), &Overrides::default());
        let experiment = experiment.map_err(|error| input(&config, format!("no receptive fields: {error}")));
        let Some(experiment) = self.kept(parameters::CONFIG, experiment) else { return Ok(()) };
        let network = &experiment.network;
        let Some(shape) = image_shape(network.n_in()) else { return Ok(()) };
        let Some(k) = network.projections.iter().position(|p| p.pre == 0 && p.post != 0) else {
            return Ok(());
        };
        let loaded = parameters::read(&file, network);
        // The error names the file itself.
        let loaded = loaded.map_err(|error| PlotError::Empty(format!("no receptive fields: {error}")));
        let Some(loaded) = self.kept(parameters::FILE, loaded) else { return Ok(()) };
        let neurons = network.populations[network.projections[k].post].size;
        let fields = Fields { weights: &loaded.parameters.weights[k], neurons, shape };
        let Some(grid) = self.kept(parameters::FILE, receptive_fields(&fields)) else { return Ok(()) };
        let name = network.projection_name(k).replace("->", " → ");
        let about = vec![
            format!("weights {name}, neurons 0 to {} of {neurons}, {} a row", grid.shown - 1, grid.columns),
            format!(
                "one scale for all tiles, over {} % of the weights; the largest is {:.3}",
                100.0 * WITHIN,
                grid.largest
            ),
        ];
        let svg = self.kept(parameters::FILE, framed(&grid, &metrics.title("receptive fields"), &about));
        self.save("receptive-fields.png", Some(&grid.png))?;
        self.save("receptive-fields.svg", svg)
    }

    /// `traces.svg` and `completion.svg` of a pattern completion.
    fn completion(&mut self, metrics: &metrics::Metrics) -> Result<(), PlotError> {
        let table = self.there("completion.json").map(|path| completion::table(&path));
        let table = table.and_then(|table| self.kept("completion.json", table));
        if let Some(path) = self.there("completion.npz") {
            let read = completion::traces(&path, table.as_ref());
            let made = read.and_then(|all| {
                let title = metrics.title("free electrodes, test part");
                traces(&super::Traces { title, ..all })
            });
            let svg = self.kept("completion.npz", made);
            self.save("traces.svg", svg)?;
        }
        let Some(table) = table else { return Ok(()) };
        let title = metrics.title("R² of free electrodes");
        let svg = self.kept("completion.json", scores(&super::Scores { title, ..table.scores() }));
        self.save("completion.svg", svg)
    }

    /// `learning-curve.svg` of several seeds, from the metrics of their runs.
    fn group(&mut self) -> Result<(), PlotError> {
        let path = self.run.join("seeds.json");
        let table = fs::read(&path).ok().and_then(|bytes| serde_json::from_slice::<SeedTable>(&bytes).ok());
        let table = table.ok_or_else(|| {
            input(&path, "is not the table of several seeds; go on with them (train --resume)".into())
        });
        let Some(table) = self.kept("seeds.json", table) else { return Ok(()) };
        let mut group = GroupCurves { epoch_s: f64::NAN, ..GroupCurves::default() };
        for control in [false, true] {
            let results = table
                .rows
                .iter()
                .filter_map(|row| if control { row.control.as_ref() } else { row.run.as_ref() });
            let mut arm =
                Arm { name: if control { "backprop" } else { "least action" }.into(), runs: Vec::new() };
            for result in results.map(|result| result.directory.clone()).collect::<Vec<_>>() {
                let Some(all) = self.member(&result) else { continue };
                if group.title.is_empty() {
                    group.title = format!("{}: {} seeds", all.name, table.rows.len());
                    group.about = all.learning.about.first().cloned().into_iter().collect();
                    group.epoch_s = all.learning.epoch_s;
                }
                arm.runs.push(all.learning.epochs);
            }
            group.arms.push(arm);
        }
        group.about.extend(summary(&table));
        let svg = self.kept("seeds.json", group_curves(&group));
        self.save("learning-curve.svg", svg)
    }

    /// The metrics of a run of a group: where it was, or beside the group if that was moved.
    fn member(&mut self, directory: &str) -> Option<metrics::Metrics> {
        let was = PathBuf::from(directory);
        let mut end = was.components().rev().filter_map(|c| c.as_os_str().to_str().map(str::to_owned));
        let (last, name) = (end.next().unwrap_or_default(), end.next().unwrap_or_default());
        let base =
            std::path::absolute(self.run).ok().and_then(|path| Some(path.parent()?.parent()?.to_path_buf()));
        let beside = base.map(|base| base.join(name).join(last).join("metrics.jsonl"));
        let places = [beside, Some(was.join("metrics.jsonl"))];
        match places.into_iter().flatten().find(|path| path.is_file()) {
            Some(path) => self.kept("seeds.json", metrics::metrics(&path)),
            None => {
                self.notice(format_args!(
                    "{directory}: the metrics of this run are not there; drawn without, or put the run directory back"
                ));
                None
            }
        }
    }
}

/// The test of a group in a line.
fn summary(table: &SeedTable) -> Option<String> {
    let (factor, digits, unit) = if table.completion { (1.0, 3, "") } else { (100.0, 2, " %") };
    let text = |name: &str, s: Spread| {
        let sd = s.sd.map_or_else(String::new, |sd| format!(" ± {:.digits$}", factor * sd));
        format!("{name}{:.digits$}{sd}{unit}", factor * s.mean)
    };
    let name = if table.completion { "mean test R² of the free electrodes " } else { "test accuracy " };
    let mine = table.accuracy.map(|s| text(name, s))?;
    let control = table.control_accuracy.map(|s| text("; backprop ", s)).unwrap_or_default();
    Some(mine + &control)
}

fn input(path: &Path, what: String) -> PlotError {
    PlotError::Input { path: path.into(), what }
}
