//! Time steps of a network on the rows of a recording.

use crate::plan::StepControl;

/// A step closer to a row than this part of the distance of two rows is on it: what rounding makes of a product.
const SNAP: f64 = 1e-6;

/// Where the time steps of a network lie among the rows of a recording: step k, from 1, is at `k·dt` after the first row of its window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    rows_per_step: f64,
}

impl Grid {
    /// Rows every `step_ms`, steps every `dt_ms`, both positive.
    #[must_use]
    pub fn new(step_ms: f64, dt_ms: f64) -> Self {
        Self { rows_per_step: dt_ms / step_ms }
    }

    /// Whole time steps from the first row to the one `rows` later.
    #[must_use]
    pub fn steps(&self, rows: usize) -> usize {
        (rows as f64 / self.rows_per_step + SNAP) as usize
    }

    /// Row before step `step`, and the part of the way to the next one.
    #[must_use]
    pub fn at(&self, step: usize) -> (usize, f64) {
        let position = step as f64 * self.rows_per_step;
        let row = (position + SNAP).floor();
        let part = position - row;
        (row as usize, if part < SNAP { 0.0 } else { part })
    }

    /// The last step that is not after a row.
    #[must_use]
    pub fn step_at(&self, row: usize) -> usize {
        self.steps(row)
    }

    /// First row that the steps `from + 1..=to` read or that the one before them was on, and one past the last.
    #[must_use]
    pub fn rows(&self, from: usize, to: usize) -> std::ops::Range<usize> {
        let (last, part) = self.at(to);
        self.at(from).0..last + 1 + usize::from(part > 0.0)
    }

    /// The controls of the steps `from + 1..=to`, for a device that holds the rows from [`Grid::rows`] on.
    pub fn controls(&self, from: usize, to: usize) -> impl Iterator<Item = StepControl> + '_ {
        let first = self.at(from).0;
        (from + 1..=to).enumerate().map(move |(index, step)| {
            let (row, ramp) = self.at(step);
            StepControl { row: (row - first) as u32, ramp, index: index as u32, ..StepControl::default() }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// dt dividing the distance of rows, not dividing it, and longer than it.
    #[test]
    fn steps_lie_between_their_rows() {
        for (step_ms, dt_ms) in [(2.0, 1.0), (1000.0 / 512.0, 0.5), (2.0, 0.3), (0.5, 1.0), (1.0, 0.1)] {
            let grid = Grid::new(step_ms, dt_ms);
            let steps = grid.steps(50);
            // As many as fit: within rounding of 50 rows.
            let end = steps as f64 * dt_ms;
            assert!(end <= 50.0 * step_ms + 1e-5 && end + dt_ms > 50.0 * step_ms + 1e-5, "{step_ms} {dt_ms}");
            for step in 0..=steps {
                let (row, part) = grid.at(step);
                assert!((0.0..1.0).contains(&part) && row <= 50 && (row < 50 || part == 0.0));
                assert!(((row as f64 + part) * step_ms - step as f64 * dt_ms).abs() < 1e-5);
            }
            // A window in two pieces reads the same rows as in one, and none beyond the last.
            let middle = steps / 2;
            for (from, to) in [(0, middle), (middle, steps)] {
                let rows = grid.rows(from, to);
                assert!(rows.end <= 51);
                for (control, step) in grid.controls(from, to).zip(from + 1..) {
                    assert_eq!((rows.start + control.row as usize, control.ramp), grid.at(step));
                    let last = rows.start + control.row as usize + usize::from(control.ramp > 0.0);
                    assert!(rows.contains(&last));
                }
            }
        }
        assert_eq!(Grid::new(2.0, 1.0).at(5), (2, 0.5));
        assert_eq!(Grid::new(2.0, 1.0).rows(4, 6), 2..4);
        assert_eq!(Grid::new(2.0, 1.0).step_at(3), 6);
    }
}
