//! Pictures of runs. Coordinates follow from the axes: equal differences (on a logarithmic axis equal ratios) are equal distances. A
//! coordinate is rounded to a whole raster unit, a quarter of a pixel: a distance between two is off by 1 unit at most.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod curves;
mod electrodes;
mod grids;
mod svg;
