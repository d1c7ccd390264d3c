//! What the scientific tests share.
#![allow(dead_code, missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod case;
pub mod compare;
pub mod gradient;
pub mod microcircuit;
pub mod oracle;
pub mod parity;
pub mod random;
pub mod zoo;
