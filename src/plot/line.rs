//! Lines through values some of which are missing.

/// The parts of a line between the points that cannot be drawn, in order.
#[must_use]
pub fn segments(points: &[(f64, f64)]) -> Vec<Vec<(f64, f64)>> {
    let parts = points.split(|(x, y)| !(x.is_finite() && y.is_finite()));
    parts.filter(|part| !part.is_empty()).map(<[_]>::to_vec).collect()
}

/// A line of many points with the same look in a picture of `columns` columns: of each column the first, lowest, highest and last
/// point. Points are in ascending order of x, all finite.
#[must_use]
pub fn thinned(points: Vec<(f64, f64)>, columns: usize) -> Vec<(f64, f64)> {
    let columns = columns.max(1);
    if points.len() <= 4 * columns {
        return points;
    }
    let (first, last) = (points[0].0, points[points.len() - 1].0);
    let width = (last - first).max(f64::MIN_POSITIVE) / columns as f64;
    let column = |p: &(f64, f64)| (((p.0 - first) / width) as usize).min(columns - 1);
    let mut thin = Vec::with_capacity(4 * columns);
    for part in points.chunk_by(|a, b| column(a) == column(b)) {
        let index = |better: fn(f64, f64) -> bool| {
            (0..part.len()).fold(0, |best, i| if better(part[i].1, part[best].1) { i } else { best })
        };
        let mut kept = vec![0, index(|a, b| a < b), index(|a, b| a > b), part.len() - 1];
        kept.sort_unstable();
        kept.dedup();
        thin.extend(kept.into_iter().map(|i| part[i]));
    }
    thin
}

/// Means of the values in `bins` bins of equal width from 0 to `hi`, at the means of their places; what is not finite is left out, and
/// so are bins without values.
#[must_use]
pub fn binned(points: &[(f64, f64)], hi: f64, bins: usize) -> Vec<(f64, f64)> {
    let mut sums = vec![(0.0, 0.0, 0_usize); bins.max(1)];
    for &(x, y) in points.iter().filter(|(x, y)| x.is_finite() && super::axis::drawable(*y)) {
        let bin = (x / hi * sums.len() as f64).max(0.0) as usize;
        let last = sums.len() - 1;
        let sum = &mut sums[bin.min(last)];
        *sum = (sum.0 + x, sum.1 + y, sum.2 + 1);
    }
    let filled = sums.into_iter().filter(|sum| sum.2 > 0);
    filled.map(|(x, y, n)| (x / n as f64, y / n as f64)).collect()
}
