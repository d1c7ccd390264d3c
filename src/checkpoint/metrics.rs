//! The part of `metrics.jsonl` that a checkpoint has seen.

use std::io::{self, BufRead};

use serde::Deserialize;

use crate::train::State;

/// Where to cut the events of a run that goes on from a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Bytes that stay.
    pub bytes: u64,
    /// Whether they reach up to the state.
    pub complete: bool,
}

impl Cut {
    /// Nothing stays: a run that begins.
    #[must_use]
    pub fn nothing() -> Self {
        Self { bytes: 0, complete: true }
    }
}

/// What of an event tells where it belongs.
#[derive(Deserialize)]
struct Line<'a> {
    event: &'a str,
    #[serde(default)]
    epoch: usize,
    #[serde(default)]
    done: usize,
}

/// Reads events, one a line, up to the first that comes after `state` or is no whole event.
///
/// # Errors
/// If reading fails.
pub fn cut(mut events: impl BufRead, state: &State) -> io::Result<Cut> {
    let at = (state.epoch, state.done);
    let mut cut = Cut { bytes: 0, complete: false };
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = events.read_until(b'\n', &mut line)?;
        let whole = line.strip_suffix(b"\n").and_then(|line| serde_json::from_slice::<Line<'_>>(line).ok());
        let Some(Line { event, epoch, done }) = whole else { return Ok(cut) };
        match event {
            "tested" | "fitted" | "completed" | "finished" => return Ok(cut),
            "batch" if (epoch, done) > at => return Ok(cut),
            "batch" => cut.complete = (epoch, done) == at,
            "epoch" if epoch >= state.epoch => return Ok(cut),
            "epoch" => cut.complete = (epoch + 1, 0) == at,
            "started" => cut.complete = at == (1, 0),
            _ => {}
        }
        cut.bytes += read as u64;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::network::Parameters;
    use crate::train::Tally;

    fn at(epoch: usize, done: usize) -> State {
        State {
            epoch,
            presented: 0,
            done,
            iterations: 1,
            pending: Vec::new(),
            tally: Tally::default(),
            parameters: Parameters::default(),
            buffers: Vec::new(),
            elapsed_s: 0.0,
            epoch_s: 0.0,
        }
    }

    #[test]
    fn events_are_cut_where_the_state_is() {
        let lines = [
            r#"{"event":"started","name":"x"}"#,
            r#"{"event":"batch","epoch":1,"done":4}"#,
            r#"{"event":"batch","epoch":1,"done":6}"#,
            r#"{"event":"epoch","epoch":1}"#,
            r#"{"event":"warning","epoch":1}"#,
            r#"{"event":"batch","epoch":2,"done":4}"#,
            r#"{"event":"batch","epoch":2,"done":6}"#,
            r#"{"event":"epoch","epoch":2}"#,
            r#"{"event":"tested"}"#,
        ];
        let text = lines.map(|line| format!("{line}\n")).concat();
        for (state, kept) in
            [(at(1, 0), 1), (at(1, 4), 2), (at(1, 6), 3), (at(2, 0), 5), (at(2, 4), 6), (at(3, 0), 8)]
        {
            let bytes = lines[..kept].iter().map(|line| line.len() as u64 + 1).sum();
            assert_eq!(cut(text.as_bytes(), &state).unwrap(), Cut { bytes, complete: true }, "{kept}");
        }
        // A line that was not written to its end, and one that is missing.
        let torn = &text[..text.len() - 10];
        assert_eq!(cut(torn.as_bytes(), &at(9, 9)).unwrap().bytes as usize, text.len() - lines[8].len() - 1);
        let short = format!("{}\n", lines[0]);
        let want = Cut { bytes: short.len() as u64, complete: false };
        assert_eq!(cut(short.as_bytes(), &at(1, 4)).unwrap(), want);
    }
}
