//! Fits of cost against a quantity.

/// `y = intercept + slope·x`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Affine {
    /// Cost that does not depend on the quantity.
    pub intercept: f64,
    /// Cost of one more.
    pub slope: f64,
    /// Largest |fit − y|/y.
    pub worst: f64,
}

/// `y = factor·x^exponent`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Power {
    /// Cost at 1.
    pub factor: f64,
    /// Exponent.
    pub exponent: f64,
}

/// Least squares of the relative deviation, so that small costs count as much as large ones. `None` of fewer than two places, or if a
/// cost is not positive.
#[must_use]
pub fn affine(points: &[(f64, f64)]) -> Option<Affine> {
    let weighted: Vec<(f64, f64, f64)> = points.iter().map(|&(x, y)| (x, y, 1.0 / (y * y))).collect();
    let (intercept, slope) = line(points, &weighted)?;
    let off = |&(x, y): &(f64, f64)| (intercept + slope * x - y).abs() / y;
    Some(Affine { intercept, slope, worst: points.iter().map(off).fold(0.0, f64::max) })
}

/// Least squares of the logarithms. `None` as with [`affine`], or if a quantity is not positive.
#[must_use]
pub fn power(points: &[(f64, f64)]) -> Option<Power> {
    if points.iter().any(|p| p.0.is_nan() || p.0 <= 0.0) {
        return None;
    }
    let logs: Vec<(f64, f64, f64)> = points.iter().map(|&(x, y)| (x.ln(), y.ln(), 1.0)).collect();
    let (intercept, exponent) = line(points, &logs)?;
    Some(Power { factor: intercept.exp(), exponent })
}

/// Intercept and slope of weighted points `(x, y, weight)`.
fn line(points: &[(f64, f64)], weighted: &[(f64, f64, f64)]) -> Option<(f64, f64)> {
    let usable = |p: &(f64, f64)| p.0.is_finite() && p.1.is_finite() && p.1 > 0.0;
    if !points.iter().all(usable) {
        return None;
    }
    let sum = |f: &dyn Fn(f64, f64) -> f64| weighted.iter().map(|&(x, y, w)| w * f(x, y)).sum::<f64>();
    let all = sum(&|_, _| 1.0);
    let (x_mean, y_mean) = (sum(&|x, _| x) / all, sum(&|_, y| y) / all);
    let spread = sum(&|x, _| (x - x_mean).powi(2));
    if weighted.len() < 2 || spread <= 1e-12 * all * x_mean.powi(2).max(f64::MIN_POSITIVE) {
        return None;
    }
    let slope = sum(&|x, y| (x - x_mean) * (y - y_mean)) / spread;
    Some((y_mean - slope * x_mean, slope))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const XS: [f64; 7] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0];

    #[test]
    fn a_line_is_found_again() {
        let points = XS.map(|x| (x, 0.7 + 0.03 * x));
        let fit = affine(&points).unwrap();
        assert!((fit.intercept - 0.7).abs() < 1e-12 && (fit.slope - 0.03).abs() < 1e-13);
        assert!(fit.worst < 1e-12);
    }

    #[test]
    fn a_power_is_found_again() {
        let fit = power(&XS.map(|x| (x, 0.2 * x.powf(1.7)))).unwrap();
        assert!((fit.exponent - 1.7).abs() < 1e-12 && (fit.factor - 0.2).abs() < 1e-12);
    }

    /// Weights 1/y²: of (1, 1) and twice (3, 2·(1 ± e)), the line through (1, 1) and (3, m) with m the mean of the two weighted by 1/y².
    #[test]
    fn deviations_are_relative() {
        let (low, high) = (1.8, 2.2);
        let weights = [1.0 / (low * low), 1.0 / (high * high)];
        let mean = (low * weights[0] + high * weights[1]) / (weights[0] + weights[1]);
        let fit = affine(&[(1.0, 1.0), (3.0, low), (3.0, high)]).unwrap();
        assert!((fit.intercept + fit.slope - 1.0).abs() < 1e-12);
        assert!((fit.intercept + 3.0 * fit.slope - mean).abs() < 1e-12);
        assert!((fit.worst - ((mean - low) / low).max((high - mean) / high)).abs() < 1e-12);
    }

    #[test]
    fn what_cannot_be_fitted_is_none() {
        assert_eq!(affine(&[(1.0, 1.0)]), None);
        assert_eq!(affine(&[(2.0, 1.0), (2.0, 3.0)]), None);
        assert_eq!(affine(&[(1.0, 0.0), (2.0, 1.0)]), None);
        assert_eq!(power(&[(0.0, 1.0), (2.0, 1.0)]), None);
        assert_eq!(power(&[(1.0, f64::NAN), (2.0, 1.0)]), None);
    }
}
