//! First and second moments of rows, in blocks that can be added and taken away again.

/// Sums over rows x of n columns: count, Σ(x − c), Σ(x − c)(x − c)ᵀ. The shift c, any value near the data, keeps rounding small.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    shift: Vec<f64>,
    count: f64,
    sums: Vec<f64>,
    products: Vec<f64>,
}

impl Moments {
    /// Of no rows; `shift` has an element a column, and is the same for all that are added together.
    #[must_use]
    pub fn new(shift: Vec<f64>) -> Self {
        let n = shift.len();
        Self { shift, count: 0.0, sums: vec![0.0; n], products: vec![0.0; n * n] }
    }

    /// Number of columns.
    #[must_use]
    pub fn cols(&self) -> usize {
        self.shift.len()
    }

    /// Number of rows.
    #[must_use]
    pub fn count(&self) -> f64 {
        self.count
    }

    /// Takes a row in.
    pub fn add(&mut self, row: &[f64]) {
        let n = self.cols();
        let off: Vec<f64> = row.iter().zip(&self.shift).map(|(x, c)| x - c).collect();
        self.count += 1.0;
        for (i, &x) in off.iter().enumerate() {
            self.sums[i] += x;
            for (p, &y) in self.products[i * n..(i + 1) * n].iter_mut().zip(&off) {
                *p += x * y;
            }
        }
    }

    /// The moments of the rows of both (`sign` = 1), or of those that are left without the rows of `other` (−1).
    #[must_use]
    pub fn with(&self, other: &Self, sign: f64) -> Self {
        let add = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a + sign * b).collect();
        Self {
            shift: self.shift.clone(),
            count: self.count + sign * other.count,
            sums: add(&self.sums, &other.sums),
            products: add(&self.products, &other.products),
        }
    }

    /// Mean of a column.
    #[must_use]
    pub fn mean(&self, i: usize) -> f64 {
        self.shift[i] + self.sums[i] / self.count
    }

    /// Covariance of two columns (population: divided by the count).
    #[must_use]
    pub fn covariance(&self, i: usize, j: usize) -> f64 {
        let n = self.cols();
        self.products[i * n + j] / self.count - self.sums[i] / self.count * (self.sums[j] / self.count)
    }

    /// Standard deviation of a column; 0 where rounding leaves nothing.
    #[must_use]
    pub fn deviation(&self, i: usize) -> f64 {
        let (variance, scale) = (self.covariance(i, i), self.products[i * self.cols() + i] / self.count);
        // A difference of equal numbers of this size has this rounding.
        if variance > scale * self.count.max(1.0) * f64::EPSILON { variance.sqrt() } else { 0.0 }
    }

    /// Pearson's correlation of two columns; `None` where one of them does not change.
    #[must_use]
    pub fn correlation(&self, i: usize, j: usize) -> Option<f64> {
        let both = self.deviation(i) * self.deviation(j);
        (both > 0.0).then(|| (self.covariance(i, j) / both).clamp(-1.0, 1.0))
    }

    /// `Σ (y − intercept − Σ_k slope_k x_k)²` over the rows: what a linear predictor of column `y` from columns `from` leaves.
    #[must_use]
    pub fn residual(&self, y: usize, from: &[usize], slopes: &[f64], intercept: f64) -> f64 {
        let n = self.cols();
        // In shifted columns the intercept is another.
        let moved = from.iter().zip(slopes).map(|(&k, s)| s * self.shift[k]).sum::<f64>();
        let rest = intercept + moved - self.shift[y];
        let mut sum = self.products[y * n + y] - 2.0 * rest * self.sums[y] + self.count * rest * rest;
        for (&k, s) in from.iter().zip(slopes) {
            sum += 2.0 * s * (rest * self.sums[k] - self.products[k * n + y]);
            let row = &self.products[k * n..(k + 1) * n];
            sum += s * from.iter().zip(slopes).map(|(&l, t)| t * row[l]).sum::<f64>();
        }
        sum.max(0.0)
    }
}
