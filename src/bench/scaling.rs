//! Cost against one quantity over two decades, with a power and an affine fit.

use std::path::{Path, PathBuf};

use super::{Affine, Power, Row, affine, power};
use crate::network::Architecture;
use crate::plot::{CostCurve, CostCurves, PlotError, cost_curves};
use crate::sinks::text::count;

/// What is varied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// Trajectories.
    Batch,
    /// Neurons of each hidden layer.
    Width,
    /// Hidden layers.
    Depth,
    /// Time steps of a presentation.
    Steps,
    /// Neurons of a fully recurrent population.
    Neurons,
}

/// The shape of a case: sizes from input to output, its architecture, trajectories, time steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// From input to output.
    pub sizes: Vec<usize>,
    /// Which projections there are.
    pub architecture: Architecture,
    /// Trajectories.
    pub batch: usize,
    /// Time steps of a presentation.
    pub steps: usize,
}

impl Quantity {
    /// All of them, with the names they have on the command line.
    pub const NAMES: [(&'static str, Quantity); 5] = [
        ("batch", Quantity::Batch),
        ("width", Quantity::Width),
        ("depth", Quantity::Depth),
        ("steps", Quantity::Steps),
        ("neurons", Quantity::Neurons),
    ];

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize].0
    }

    /// Values over two decades. Trajectories start at 16, which fill a vector.
    #[must_use]
    pub fn values(self) -> Vec<usize> {
        let unit = match self {
            Self::Depth => 1,
            Self::Batch => 16,
            Self::Width | Self::Steps => 10,
            Self::Neurons => 20,
        };
        [1, 2, 5, 10, 20, 50, 100].map(|n| n * unit).to_vec()
    }

    /// The shape that is varied where no other is asked for.
    #[must_use]
    pub fn base(self) -> Shape {
        let (sizes, architecture) = match self {
            Self::Depth => (vec![100, 50, 10], Architecture::LayeredFeedforward),
            Self::Neurons => (vec![0, 20], Architecture::FullyRecurrent),
            _ => (vec![784, 500, 10], Architecture::LayeredFeedforward),
        };
        let batch = if self == Self::Steps { 8 } else { 32 };
        Shape { sizes, architecture, batch, steps: 20 }
    }

    /// The shape at a value. Width sets all hidden layers, depth repeats the first of them, neurons sets the last population.
    #[must_use]
    pub fn shape(self, base: &Shape, value: usize) -> Shape {
        let mut shape = base.clone();
        let last = shape.sizes.len().saturating_sub(1);
        match self {
            Self::Batch => shape.batch = value,
            Self::Steps => shape.steps = value,
            Self::Width => shape.sizes.iter_mut().take(last).skip(1).for_each(|size| *size = value),
            Self::Depth => {
                let (first, width) = (shape.sizes[0], shape.sizes[1.min(last)]);
                let hidden = std::iter::repeat_n(width, value);
                shape.sizes = std::iter::once(first).chain(hidden).chain([shape.sizes[last]]).collect();
            }
            Self::Neurons => shape.sizes[last] = value,
        }
        shape
    }

    /// The value of a case.
    #[must_use]
    pub fn of(self, row: &Row) -> f64 {
        let sizes: Vec<usize> = row.network.split('-').filter_map(|size| size.parse().ok()).collect();
        (match self {
            Self::Batch => row.batch,
            Self::Steps => row.steps,
            Self::Width => sizes.get(1).copied().unwrap_or(0),
            Self::Depth => sizes.len().saturating_sub(2),
            Self::Neurons => row.neurons,
        }) as f64
    }

    /// Cost of a case in ms: of a presentation where steps are varied, else of a step.
    #[must_use]
    pub fn cost(self, row: &Row) -> f64 {
        if self == Self::Steps { row.step_ms * row.steps as f64 } else { row.step_ms }
    }

    /// In what cost is expected to be affine: trajectories, steps or weights.
    fn affine_in(self, row: &Row) -> f64 {
        match self {
            Self::Batch | Self::Steps => self.of(row),
            Self::Width | Self::Depth | Self::Neurons => row.weights as f64,
        }
    }

    fn affine_unit(self) -> &'static str {
        match self {
            Self::Batch => "trajectory",
            Self::Steps => "step",
            Self::Width | Self::Depth | Self::Neurons => "1,000 weights",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Batch => "trajectories (batch)",
            Self::Width => "neurons of a hidden layer",
            Self::Depth => "hidden layers",
            Self::Steps => "time steps of a presentation",
            Self::Neurons => "neurons of the population",
        }
    }
}

/// One curve: cases that differ in the quantity alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Scaling {
    /// Plan, device, precision, threads, integrator.
    pub name: String,
    /// Quantity and cost in ms, ascending.
    pub points: Vec<(f64, f64)>,
    /// Power of the quantity.
    pub power: Option<Power>,
    /// Affine in trajectories, steps or weights.
    pub affine: Option<Affine>,
    /// The same at the points.
    fitted: Vec<(f64, f64)>,
}

/// Sorts cases into curves and fits them.
#[must_use]
pub fn curves(quantity: Quantity, rows: &[Row]) -> Vec<Scaling> {
    let name = |row: &Row| {
        let threads =
            row.threads.map_or_else(String::new, |n| format!(", {}", count(n, "thread", "threads")));
        let learn = if row.learn { "" } else { ", no learning" };
        let on = if row.kind == "cpu" { "CPU" } else { &row.device };
        format!("{} ({}), {on} {}{threads}{learn}", row.plan, row.integrator, row.precision)
    };
    let mut names: Vec<String> = Vec::new();
    for row in rows {
        if !names.contains(&name(row)) {
            names.push(name(row));
        }
    }
    let curve = |of: String| {
        let mut own: Vec<&Row> = rows.iter().filter(|row| name(row) == of).collect();
        own.sort_by(|a, b| quantity.of(a).total_cmp(&quantity.of(b)));
        let points: Vec<(f64, f64)> = own.iter().map(|r| (quantity.of(r), quantity.cost(r))).collect();
        let against: Vec<(f64, f64)> =
            own.iter().map(|r| (quantity.affine_in(r), quantity.cost(r))).collect();
        let line = affine(&against);
        let fitted = line.map_or_else(Vec::new, |line| {
            let at = |(p, a): (&(f64, f64), &(f64, f64))| (p.0, line.intercept + line.slope * a.0);
            points.iter().zip(&against).map(at).collect()
        });
        Scaling { name: of, power: power(&points), affine: line, points, fitted }
    };
    names.into_iter().map(curve).collect()
}

/// The fits of the curves, one a line, ended.
#[must_use]
pub fn describe(quantity: Quantity, curves: &[Scaling]) -> String {
    let mut text = String::new();
    let cost = if quantity == Quantity::Steps { "ms a presentation" } else { "ms a step" };
    for curve in curves {
        let ends = curve.points.first().zip(curve.points.last());
        let range = ends.map_or_else(String::new, |(a, b)| format!(" from {} to {}", a.0, b.0));
        text += &format!("{}{range}, {}: ", quantity.name(), curve.name);
        let weights = quantity.affine_unit().contains("weights");
        match (&curve.power, &curve.affine) {
            (Some(power), Some(line)) => {
                let slope = if weights { 1e3 * line.slope } else { line.slope };
                text += &format!(
                    "exponent {:.3}; {:.4} + {:.3e} {cost} a {}, off by {:.0} % at most\n",
                    power.exponent,
                    line.intercept,
                    slope,
                    quantity.affine_unit(),
                    100.0 * line.worst
                );
            }
            _ => text += "too few cases for a fit\n",
        }
    }
    text
}

/// Draws the curves into `folder`, which is made where necessary; gives back the file.
///
/// # Errors
/// If there is nothing to draw, or the file cannot be written.
pub fn draw(
    quantity: Quantity,
    curves: &[Scaling],
    about: Vec<String>,
    folder: &Path,
) -> Result<PathBuf, PlotError> {
    let cost = if quantity == Quantity::Steps { "ms a presentation" } else { "ms a step" };
    let drawn = |c: &Scaling| {
        let exponent = c.power.map_or_else(String::new, |p| format!(", exponent {:.2}", p.exponent));
        CostCurve { name: format!("{}{exponent}", c.name), points: c.points.clone(), fit: c.fitted.clone() }
    };
    let svg = cost_curves(&CostCurves {
        title: format!("Cost against {}", quantity.name()),
        about,
        axes: [quantity.label().into(), cost.into()],
        curves: curves.iter().map(drawn).collect(),
    })?;
    let path = folder.join(format!("scaling-{}.svg", quantity.name()));
    let failed = |source| PlotError::Write { path: path.clone(), source };
    std::fs::create_dir_all(folder).map_err(failed)?;
    crate::sinks::atomic::write(&path, svg.as_bytes()).map_err(failed)?;
    Ok(path)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::bench::row::tests::row;

    #[test]
    fn a_quantity_changes_its_part_of_the_shape() {
        let base = Quantity::Width.base();
        assert_eq!(Quantity::Width.shape(&base, 30).sizes, [784, 30, 10]);
        assert_eq!(Quantity::Depth.shape(&base, 3).sizes, [784, 500, 500, 500, 10]);
        assert_eq!(Quantity::Batch.shape(&base, 7).batch, 7);
        assert_eq!(Quantity::Steps.shape(&base, 70).steps, 70);
        assert_eq!(Quantity::Neurons.shape(&Quantity::Neurons.base(), 200).sizes, [0, 200]);
        for (_, quantity) in Quantity::NAMES {
            let values = quantity.values();
            assert_eq!(values[values.len() - 1], 100 * values[0], "two decades");
        }
    }

    /// 0.5 ms and 0.02 ms a trajectory in one plan, 0.1 ms times the square root in another.
    #[test]
    fn curves_are_fitted_one_by_one() {
        let of = |plan: &str, batch: usize, step_ms: f64| Row { plan: plan.into(), batch, step_ms, ..row() };
        let mut rows = Vec::new();
        for batch in [100, 1, 10, 5] {
            rows.push(of("plain", batch, 0.5 + 0.02 * batch as f64));
            rows.push(of("auto", batch, 0.1 * (batch as f64).sqrt()));
        }
        let found = curves(Quantity::Batch, &rows);
        assert_eq!(found.len(), 2);
        let line = found[0].affine.unwrap();
        assert!((line.intercept - 0.5).abs() < 1e-12 && (line.slope - 0.02).abs() < 1e-12);
        assert!((found[1].power.unwrap().exponent - 0.5).abs() < 1e-12);
        assert_eq!(found[0].points.iter().map(|p| p.0).collect::<Vec<_>>(), [1.0, 5.0, 10.0, 100.0]);
        let text = describe(Quantity::Batch, &found);
        assert!(
            text.contains("0.5000 + 2.000e-2 ms a step a trajectory") && text.contains("exponent 0.500"),
            "{text}"
        );
        let folder = tempfile::tempdir().unwrap();
        let file = draw(Quantity::Batch, &found, vec![], &folder.path().join("new")).unwrap();
        assert!(std::fs::read_to_string(file).unwrap().contains("exponent 0.50"));
    }
}
