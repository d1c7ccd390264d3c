//! Events as JSON, one a line: `metrics.jsonl`.

use std::io::{self, Write};

use crate::train::{Event, Sink};

/// Writes each event as one line of JSON, tagged by `"event"`. Numbers that are not finite become `null`.
///
/// After everything but a mini-batch the writer is flushed, so that a file holds all complete epochs at any moment.
#[derive(Debug)]
pub struct JsonLines<W: Write> {
    out: W,
}

impl<W: Write> JsonLines<W> {
    /// Lines go to `out`, which should be buffered.
    pub fn new(out: W) -> Self {
        Self { out }
    }
}

impl<W: Write> Sink for JsonLines<W> {
    fn take(&mut self, event: &Event) -> io::Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        self.out.write_all(&line)?;
        if matches!(event, Event::Batch { .. }) { Ok(()) } else { self.out.flush() }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
