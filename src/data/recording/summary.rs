//! What the samples of a recording look like: moments, range, and counts of what is suspicious. One pass at constant memory.

use std::ops::Range;

use super::{Channel, Recording, RecordingError};

/// Samples of all channels together that are held at once.
const HELD: f64 = (1 << 19) as f64;

/// What the samples of one channel look like, in the unit of the channel.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Summary {
    /// Samples that are finite numbers; the fields below are of these.
    pub finite: u64,
    /// Mean; NaN where no sample is finite, as for the next three.
    pub mean: f64,
    /// Population standard deviation: divided by the number of samples.
    pub sd: f64,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Samples in runs of equal values that are as long as asked for, or longer.
    pub flat: u64,
    /// Samples at the ends of the range of the recorder or beyond; `None` where the file does not tell the range.
    pub clipped: Option<u64>,
    /// Samples that are no finite number.
    pub nan: u64,
}

/// Cuts a recording into stretches of equal time, all channels of which together are a few MB, and calls `each` with channel, samples and values,
/// channel by channel, stretch after stretch.
///
/// # Errors
/// If the recording cannot be read, or `each` fails.
pub(super) fn in_stretches<E: From<RecordingError>>(
    recording: &mut Recording,
    channels: &[usize],
    ranges: &[Range<u64>],
    mut each: impl FnMut(usize, &[f64]) -> Result<(), E>,
) -> Result<(), E> {
    let of = |c: usize| recording.channels.get(c).map_or(0.0, |channel| channel.rate_hz);
    let rates: Vec<f64> = channels.iter().map(|&c| of(c)).collect();
    let seconds = HELD / rates.iter().sum::<f64>().max(1e-300);
    // A channel that is far slower than the others still gets one sample each time.
    let steps: Vec<u64> = rates.iter().map(|rate| (rate * seconds).floor().max(1.0) as u64).collect();
    let mut next: Vec<u64> = ranges.iter().map(|range| range.start).collect();
    let mut values = Vec::new();
    while next.iter().zip(ranges).any(|(at, range)| *at < range.end) {
        for (k, (&channel, range)) in channels.iter().zip(ranges).enumerate() {
            let to = next[k].saturating_add(steps[k]).min(range.end);
            values.clear();
            if next[k] < to {
                recording.read(channel, next[k]..to, &mut values)?;
                next[k] = to;
            }
            each(k, &values)?;
        }
    }
    Ok(())
}

impl Recording {
    /// Summarizes all channels. `flat_s` is the length in seconds from which a run of equal values counts as flat (at least two
    /// samples).
    ///
    /// # Errors
    /// If the recording cannot be read.
    pub fn summarize(&mut self, flat_s: f64) -> Result<Vec<Summary>, RecordingError> {
        let all: Vec<usize> = (0..self.channels.len()).collect();
        let ranges: Vec<Range<u64>> = self.channels.iter().map(|c| 0..c.samples).collect();
        let mut books: Vec<Book> = self.channels.iter().map(|c| Book::new(c, flat_s)).collect();
        in_stretches(self, &all, &ranges, |k, values| {
            books[k].take(values);
            Ok::<(), RecordingError>(())
        })?;
        Ok(books.into_iter().map(Book::close).collect())
    }
}

/// What is known of a channel so far.
struct Book {
    summary: Summary,
    /// Sum of squared distances from the mean.
    squares: f64,
    /// Values at the ends of the range of the recorder, the smaller first.
    ends: Option<[f64; 2]>,
    /// Samples from which a run is flat.
    long: u64,
    /// Value and length of the run at the end.
    run: (f64, u64),
}

impl Book {
    fn new(channel: &Channel, flat_s: f64) -> Self {
        let ends = channel.digital.map(|d| {
            let [a, b] = d.range.map(|end| d.gain * f64::from(end) + d.offset);
            [a.min(b), a.max(b)]
        });
        let summary = Summary {
            mean: f64::NAN,
            sd: f64::NAN,
            min: f64::NAN,
            max: f64::NAN,
            clipped: ends.map(|_| 0),
            ..Summary::default()
        };
        let long = (flat_s * channel.rate_hz).ceil().max(2.0) as u64;
        Self { summary, squares: 0.0, ends, long, run: (f64::NAN, 0) }
    }

    fn take(&mut self, values: &[f64]) {
        let finite = values.iter().filter(|v| v.is_finite());
        let (count, sum) = finite.clone().fold((0_u64, 0.0), |(n, sum), v| (n + 1, sum + v));
        self.summary.nan += values.len() as u64 - count;
        if count > 0 {
            let mean = sum / count as f64;
            let squares: f64 = finite.clone().map(|v| (v - mean).powi(2)).sum();
            self.merge(count, mean, squares);
        }
        let s = &mut self.summary;
        for &v in finite {
            s.min = s.min.min(v);
            s.max = s.max.max(v);
            if let (Some([low, high]), Some(clipped)) = (self.ends, &mut s.clipped) {
                *clipped += u64::from(v <= low || v >= high);
            }
        }
        for &v in values {
            if v == self.run.0 {
                self.run.1 += 1;
            } else {
                self.end_run();
                self.run = (v, 1);
            }
        }
    }

    /// Moments of two parts together (Chan, Golub and LeVeque, Am Stat 37:242, 1983).
    fn merge(&mut self, count: u64, mean: f64, squares: f64) {
        let s = &mut self.summary;
        let (a, b) = (s.finite as f64, count as f64);
        s.finite += count;
        if a == 0.0 {
            (s.mean, self.squares) = (mean, squares);
            return;
        }
        let apart = mean - s.mean;
        s.mean += apart * b / (a + b);
        self.squares += squares + apart * apart * a * b / (a + b);
    }

    fn end_run(&mut self) {
        if self.run.1 >= self.long {
            self.summary.flat += self.run.1;
        }
    }

    fn close(mut self) -> Summary {
        self.end_run();
        if self.summary.finite > 0 {
            self.summary.sd = (self.squares / self.summary.finite as f64).sqrt();
        }
        self.summary
    }
}
