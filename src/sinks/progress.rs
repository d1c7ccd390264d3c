//! Progress for people: a bar on a terminal, plain lines anywhere else.

use std::io::{self, IsTerminal, Stderr, Write};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::{profile, text};
use crate::train::{Event, Sink};

/// Time between two plain lines within an epoch.
const PLAIN_EVERY: Duration = Duration::from_secs(5);
/// The bar of an epoch.
const TEMPLATE: &str = "{prefix} [{bar:30}] {pos}/{len}  {msg}  {eta} left";

/// Shows events on a terminal or in a log. If that goes away, the run goes on.
#[derive(Debug)]
pub struct Progress<W: Write> {
    out: W,
    mode: Mode,
    /// What the samples are, from the header, for the final score.
    data: String,
    /// Nobody reads any more.
    closed: bool,
}

#[derive(Debug)]
enum Mode {
    Bar { bars: MultiProgress, bar: Option<ProgressBar> },
    Plain { every: Duration, last: Instant },
}

impl Progress<Stderr> {
    /// On stderr: with a bar in `bars` if it is a terminal, else in plain lines, at most one in five seconds within an
    /// epoch. Logging should know the same `bars` ([`super::init_logging`]).
    #[must_use]
    pub fn stderr(bars: &MultiProgress) -> Self {
        let out = io::stderr();
        if out.is_terminal() { Self::bar(out, bars) } else { Self::plain(out, PLAIN_EVERY) }
    }
}

impl<W: Write> Progress<W> {
    /// Plain lines to `out`, whatever it is; within an epoch one in a time of `every` at most.
    pub fn plain(out: W, every: Duration) -> Self {
        Self::new(out, Mode::Plain { every, last: Instant::now() })
    }

    /// A bar in `bars`, and lines above it to `out`, which should be the terminal of `bars`.
    pub fn bar(out: W, bars: &MultiProgress) -> Self {
        Self::new(out, Mode::Bar { bars: bars.clone(), bar: None })
    }

    /// The writer, with everything shown so far.
    pub fn out(&self) -> &W {
        &self.out
    }

    fn new(out: W, mode: Mode) -> Self {
        Self { out, mode, data: "test samples".to_owned(), closed: false }
    }

    /// Writes whole lines, with the bar out of the way.
    fn write(&mut self, lines: &str) {
        if self.closed {
            return;
        }
        let out = &mut self.out;
        let mut write = || out.write_all(lines.as_bytes()).and_then(|()| out.flush());
        let written = match &self.mode {
            Mode::Bar { bars, .. } => bars.suspend(write),
            Mode::Plain { .. } => write(),
        };
        // A terminal that was closed must not end hours of work.
        if let Err(error) = written {
            self.closed = true;
            log::warn!("progress cannot be shown any more: {error}");
        }
    }

    /// Shows how far an epoch is.
    fn show_batch(&mut self, epoch: [usize; 2], done: usize, of: usize, loss: f64, samples_per_s: f64) {
        let [epoch, epochs] = epoch;
        let rate = text::rate(samples_per_s);
        match &mut self.mode {
            Mode::Bar { bars, bar } => {
                let bar = bar.get_or_insert_with(|| bars.add(new_bar(of as u64)));
                bar.set_prefix(format!("epoch {epoch}/{epochs}"));
                bar.set_message(format!("loss {loss:.5}  {rate} samples/s"));
                bar.set_position(done as u64);
            }
            Mode::Plain { every, last } => {
                if last.elapsed() < *every {
                    return;
                }
                *last = Instant::now();
                let [done, of] = [done, of].map(|n| text::thousands(n as u64));
                self.write(&format!(
                    "epoch {epoch}/{epochs}  {done}/{of}  loss {loss:.5}  {rate} samples/s\n"
                ));
            }
        }
    }

    /// Takes the bar away; the next epoch brings a new one.
    fn clear_bar(&mut self) {
        match &mut self.mode {
            Mode::Bar { bars, bar } => {
                if let Some(bar) = bar.take() {
                    bar.finish_and_clear();
                    bars.remove(&bar);
                }
            }
            Mode::Plain { last, .. } => *last = Instant::now(),
        }
    }
}

impl<W: Write> Sink for Progress<W> {
    fn take(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Started(header) => {
                self.data.clone_from(&header.data);
                self.write(&text::header(header));
            }
            Event::Batch { epoch, epochs, done, of, loss, samples_per_s, .. } => {
                self.show_batch([*epoch, *epochs], *done, *of, *loss, *samples_per_s);
            }
            Event::Epoch(epoch) => {
                self.clear_bar();
                self.write(&format!("{}\n", text::epoch(epoch)));
            }
            Event::Alignment { populations, .. } => self.write(&text::alignment(populations)),
            Event::Warning { epoch: 0, kind, message } => {
                self.write(&format!("warning [{kind}]: {message}\n"))
            }
            Event::Warning { epoch, kind, message } => {
                self.write(&format!("warning [{kind}] in epoch {epoch}: {message}\n"));
            }
            Event::Tested(score) => {
                let lines = text::score(score, &self.data);
                self.write(&lines);
            }
            Event::Fitted(score) => {
                let lines = text::regression(score, &self.data);
                self.write(&lines);
            }
            Event::Completed(score) => self.write(&text::completion(score)),
            Event::Profiled(profile) => self.write(&profile::table(profile)),
            Event::Finished { elapsed_s } => {
                self.clear_bar();
                self.write(&format!("finished after {}\n", text::duration(*elapsed_s)));
            }
        }
        Ok(())
    }
}

impl<W: Write> Drop for Progress<W> {
    fn drop(&mut self) {
        self.clear_bar();
    }
}

fn new_bar(samples: u64) -> ProgressBar {
    // The template is a constant that known to parse; the default style is what would be left if it were not.
    let style = ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(samples).with_style(style.progress_chars("━╸ "))
}
