//! Every error of an experiment names what is wrong, the line, and the exact place in it.

#![allow(clippy::expect_used, clippy::panic)]

mod arguments;
mod arrays;
mod keys;
mod networks;
mod series;
mod support;
mod texts;
