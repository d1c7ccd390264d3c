//! The trainer and its events.

mod event;

pub use event::{Epoch, Event, Header, Health, Score, Sink};
