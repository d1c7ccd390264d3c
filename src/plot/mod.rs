//! Pictures of runs: pure functions from numbers to SVG and PNG, and [`draw`], which makes all pictures of a run directory.
//!
//! | picture | function |
//! | --- | --- |
//! | `learning-curve.svg` | [`learning_curve`], [`group_curves`] of several seeds |
//! | `receptive-fields.png`, `.svg` | [`receptive_fields`], [`framed`] |
//! | `confusion.svg` | [`confusion()`] |
//! | `traces.svg` | [`traces()`] |
//! | `completion.svg` | [`scores()`] |
//! | `scaling-….svg` of `bench` | [`cost_curves`] |
//!
//! The same numbers give the same bytes. Texts are text in the SVG, drawn with whatever sans-serif font the viewer has. Numbers that are
//! not finite, and those beyond 1e30, are gaps.

mod axis;
mod canvas;
mod confusion;
mod error;
mod fields;
mod group;
mod learning;
mod line;
mod panel;
pub mod read;
mod run;
mod scaling;
mod scores;
mod style;
mod traces;

pub use axis::{Axis, drawable};
pub use confusion::confusion;
pub use error::PlotError;
pub use fields::{Fields, GAP, Grid, MOST_TILES, WITHIN, framed, image_shape, receptive_fields};
pub use group::{Arm, GroupCurves, group_curves};
pub use learning::{EpochPoint, Learning, learning_curve};
pub use line::{binned, segments, thinned};
pub use run::{FOLDER, Pictures, draw};
pub use scaling::{CostCurve, CostCurves, cost_curves};
pub use scores::{LOWEST, Method, Scores, scores};
pub use style::{diverging, sequential};
pub use traces::{LONGEST_MS, MOST_ROWS, Trace, Traces, traces};
