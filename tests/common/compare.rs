//! Comparison of arrays within a tolerance, with a report that says where.

/// What was compared so far, and what did not agree.
#[derive(Default)]
pub struct Report {
    pub failures: Vec<String>,
    pub lines: Vec<String>,
    /// Largest difference met so far, in units of its tolerance.
    pub closest: f64,
}

impl Report {
    /// Compares two arrays; `shape` names the axes of the index. Returns the largest absolute difference.
    pub fn compare(
        &mut self,
        case: &str,
        what: &str,
        got: &[f64],
        want: &[f64],
        shape: &[usize],
        tolerance: f64,
    ) -> f64 {
        if got.len() != want.len() {
            self.failures.push(format!("{case}: {what}: {} values, expected {}", got.len(), want.len()));
            return f64::INFINITY;
        }
        let (mut most, mut at, mut rel) = (0.0, 0, 0.0_f64);
        for (i, (g, w)) in got.iter().zip(want).enumerate() {
            let diff = (g - w).abs();
            // Written so that a NaN on one side only is the largest difference.
            let diff = if g.is_nan() && w.is_nan() {
                0.0
            } else if diff.is_nan() {
                f64::INFINITY
            } else {
                diff
            };
            if diff > most {
                (most, at) = (diff, i);
            }
            rel = rel.max(diff / w.abs().max(1e-30));
        }
        self.closest = self.closest.max(most / tolerance);
        if most > tolerance {
            self.failures.push(format!(
                "{case}: {what}: max abs {most:.3e} > {tolerance:.1e}, max rel {rel:.3e}, at {:?}: {} for {}",
                unravel(at, shape),
                got[at],
                want[at]
            ));
        }
        most
    }

    pub fn note(&mut self, line: String) {
        self.lines.push(line);
    }

    pub fn fail(&mut self, line: String) {
        self.failures.push(line);
    }

    /// Prints what was found; panics if something did not agree.
    pub fn finish(self) {
        for line in &self.lines {
            println!("{line}");
        }
        println!("largest difference: {:.1e} of its tolerance", self.closest);
        assert!(self.failures.is_empty(), "\n{}\n", self.failures.join("\n"));
    }
}

fn unravel(mut at: usize, shape: &[usize]) -> Vec<usize> {
    let mut index = vec![0; shape.len()];
    for (i, &n) in index.iter_mut().zip(shape).rev() {
        *i = at % n.max(1);
        at /= n.max(1);
    }
    index
}
