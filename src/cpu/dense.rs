//! Small dense linear algebra: Cholesky and elimination, for matrices of up to a few hundred rows.

use super::Real;

/// `h = jᵀ j` for j of rows×n, h n×n, row-major.
pub fn gram<T: Real>(j: &[T], h: &mut [T], (rows, n): (usize, usize)) {
    // SAFETY: the slices hold rows·n and n·n elements and do not overlap (one is borrowed mutably).
    unsafe {
        T::gemm(n, rows, n, T::ONE, j.as_ptr(), (1, n), j.as_ptr(), (n, 1), T::ZERO, h.as_mut_ptr(), (n, 1));
    }
}

/// Takes unknown `i` out of `h x = rhs`: its value becomes 0.
pub fn fix<T: Real>(h: &mut [T], rhs: &mut [T], i: usize) {
    let n = rhs.len();
    h[i * n..(i + 1) * n].fill(T::ZERO);
    h.iter_mut().skip(i).step_by(n).for_each(|v| *v = T::ZERO);
    h[i * n + i] = T::ONE;
    rhs[i] = T::ZERO;
}

/// Cholesky factor in the lower triangle; `false` if a pivot is not positive (the matrix is not positive definite).
pub fn cholesky<T: Real>(h: &mut [T], n: usize) -> bool {
    for k in 0..n {
        let done: T = h[k * n..k * n + k].iter().map(|&v| v * v).sum();
        let pivot = h[k * n + k] - done;
        if !(pivot > T::ZERO && pivot.finite()) {
            return false;
        }
        let pivot = pivot.sqrt();
        h[k * n + k] = pivot;
        for i in k + 1..n {
            let done: T = (0..k).map(|j| h[i * n + j] * h[k * n + j]).sum();
            h[i * n + k] = (h[i * n + k] - done) / pivot;
        }
    }
    true
}

/// Solves with the factor that [`cholesky`] left, in place.
pub fn cholesky_solve<T: Real>(h: &[T], x: &mut [T], n: usize) {
    for i in 0..n {
        let done: T = (0..i).map(|j| h[i * n + j] * x[j]).sum();
        x[i] = (x[i] - done) / h[i * n + i];
    }
    for i in (0..n).rev() {
        let done: T = (i + 1..n).map(|j| h[j * n + i] * x[j]).sum();
        x[i] = (x[i] - done) / h[i * n + i];
    }
}

/// Gaussian elimination with row pivoting, in place; a singular matrix gives values that are not finite.
pub fn eliminate<T: Real>(h: &mut [T], x: &mut [T], n: usize) {
    for k in 0..n {
        let mut best = k;
        for i in k + 1..n {
            if h[i * n + k].abs() > h[best * n + k].abs() {
                best = i;
            }
        }
        if best != k {
            for j in 0..n {
                h.swap(k * n + j, best * n + j);
            }
            x.swap(k, best);
        }
        for i in k + 1..n {
            let factor = h[i * n + k] / h[k * n + k];
            for j in k..n {
                let above = h[k * n + j];
                h[i * n + j] -= factor * above;
            }
            let above = x[k];
            x[i] -= factor * above;
        }
    }
    for i in (0..n).rev() {
        let done: T = (i + 1..n).map(|j| h[i * n + j] * x[j]).sum();
        x[i] = (x[i] - done) / h[i * n + i];
    }
}
