//! An independent dense oracle: sections 2, 3 and 8 of the model with N×N matrices and a general linear solver, without any use of
//! the structure of the network. float64.

use lagrange_gpu::dynamics::{Dynamics, InputMismatch, Integrator, PlasticityInDynamics};
use lagrange_gpu::network::{Activation, InputMode};
use lagrange_gpu::simulate::{Setup, SimulationInput};

use super::case::dense;

/// What the oracle computed; shapes as in `SimulationOutput`, weights dense `[post, pre]`.
#[derive(Default)]
pub struct Trajectory {
    pub u: Vec<f64>,
    pub u_dot: Vec<f64>,
    pub f_entry_norm: Vec<f64>,
    pub f_norm: Vec<f64>,
    pub w_end: Vec<f64>,
    pub b_end: Vec<f64>,
    /// Whether the free block of H was positive definite, `[T, B]`.
    pub definite: Vec<bool>,
}

/// `A x` for a dense n×n matrix.
pub fn times(a: &[f64], x: &[f64]) -> Vec<f64> {
    a.chunks_exact(x.len()).map(|row| row.iter().zip(x).map(|(a, x)| a * x).sum()).collect()
}

/// `Aᵀ x`.
pub fn transposed(a: &[f64], x: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; x.len()];
    for (row, &x) in a.chunks_exact(x.len()).zip(x) {
        out.iter_mut().zip(row).for_each(|(o, a)| *o += a * x);
    }
    out
}

/// Solves `A x = b` by elimination with partial pivoting.
pub fn solve(mut a: Vec<f64>, mut b: Vec<f64>) -> Vec<f64> {
    let n = b.len();
    for k in 0..n {
        let best = (k..n).max_by(|&i, &j| a[i * n + k].abs().total_cmp(&a[j * n + k].abs())).unwrap();
        for j in 0..n {
            a.swap(k * n + j, best * n + j);
        }
        b.swap(k, best);
        let (top, rest) = a.split_at_mut((k + 1) * n);
        let pivot = &top[k * n..];
        for (row, i) in rest.chunks_exact_mut(n).zip(k + 1..) {
            let m = row[k] / pivot[k];
            row[k..].iter_mut().zip(&pivot[k..]).for_each(|(r, p)| *r -= m * p);
            b[i] -= m * b[k];
        }
    }
    for i in (0..n).rev() {
        let known: f64 = (i + 1..n).map(|j| a[i * n + j] * b[j]).sum();
        b[i] = (b[i] - known) / a[i * n + i];
    }
    b
}

/// Whether a symmetric matrix is positive definite: all pivots of the elimination without exchange are positive.
pub fn positive_definite(mut a: Vec<f64>, n: usize) -> bool {
    for k in 0..n {
        if a[k * n + k] <= 0.0 {
            return false;
        }
        for i in k + 1..n {
            let m = a[i * n + k] / a[k * n + k];
            for j in k..n {
                a[i * n + j] -= m * a[k * n + j];
            }
        }
    }
    true
}

/// `(ρ, ρ', ρ'')`.
pub fn activation(kind: Activation, u: f64) -> [f64; 3] {
    match kind {
        Activation::Sigmoid => {
            let r = 1.0 / (1.0 + (-u).exp());
            [r, r * (1.0 - r), r * (1.0 - r) * (1.0 - 2.0 * r)]
        }
        Activation::HardSigmoid => [u.clamp(0.0, 1.0), f64::from(u8::from((0.0..=1.0).contains(&u))), 0.0],
        Activation::Relu => [u.max(0.0), f64::from(u8::from(u > 0.0)), 0.0],
        Activation::Linear => [u, 1.0, 0.0],
        Activation::Tanh => {
            let r = u.tanh();
            [r, 1.0 - r * r, -2.0 * r * (1.0 - r * r)]
        }
        Activation::Softplus => {
            let slope = 1.0 / (1.0 + (-u).exp());
            [u.exp().ln_1p(), slope, slope * (1.0 - slope)]
        }
        Activation::Depression { .. } if u < 0.0 => [0.0; 3],
        Activation::Depression { a, d } => {
            // By the chain rule from the definition.
            let v = u - (1.0 + a) / d;
            let (root, inner) = ((v * v + 4.0 * u / d).sqrt(), v + 2.0 / d);
            [0.5 * (v + root), 0.5 * (1.0 + inner / root), 0.5 * (1.0 / root - inner * inner / root.powi(3))]
        }
    }
}

/// All constants of a run, dense.
struct Dense<'a> {
    setup: &'a Setup,
    n: usize,
    n_in: usize,
    /// First free neuron.
    free: usize,
    /// First neuron with a mismatch.
    rows: usize,
    /// x is part of the basal input.
    driven: bool,
    out: usize,
    /// Pattern times learning-rate factor, `[post, pre]`.
    factor: Vec<f64>,
    clip: Vec<f64>,
    b_factor: Vec<f64>,
    b_clip: Vec<f64>,
}

/// What is known of one trajectory inside a step.
struct Inside {
    r: Vec<f64>,
    d: Vec<f64>,
    d2: Vec<f64>,
    delta: Vec<f64>,
    f: Vec<f64>,
}

impl<'a> Dense<'a> {
    fn new(setup: &'a Setup) -> Self {
        let net = &setup.network;
        let full = |value: &dyn Fn(usize) -> f64| -> Vec<f64> {
            let blocks: Vec<Vec<f64>> = (0..net.projections.len())
                .map(|k| {
                    let p = &net.projections[k];
                    vec![value(k); net.populations[p.pre].size * net.populations[p.post].size]
                })
                .collect();
            dense(net, &blocks)
        };
        let each = |value: &dyn Fn(usize) -> f64| -> Vec<f64> {
            (0..net.populations.len()).flat_map(|p| vec![value(p); net.populations[p].size]).collect()
        };
        let free = if net.input == InputMode::Driven { 0 } else { net.n_in() };
        let reached = net.projections.iter().any(|p| p.post == 0);
        Self {
            setup,
            n: net.neurons(),
            n_in: net.n_in(),
            free,
            rows: if reached { 0 } else { free },
            driven: free == 0 || (reached && setup.settings.input_mismatch == InputMismatch::Drive),
            out: net.neurons() - net.n_out(),
            factor: full(&|k| net.projections[k].factor),
            clip: full(&|k| net.projections[k].clip.unwrap_or(f64::INFINITY)),
            b_factor: each(&|p| net.populations[p].bias_factor),
            b_clip: each(&|p| net.populations[p].bias_clip.unwrap_or(f64::INFINITY)),
        }
    }

    /// A vector of length N, zero but for some columns.
    fn at(&self, first: usize, values: &[f64]) -> Vec<f64> {
        let mut v = vec![0.0; self.n];
        v[first..first + values.len()].copy_from_slice(values);
        v
    }

    /// Item 2 of section 8, and `f = δ − ρ'·(Wᵀδ) − β(u* − u)`.
    fn inside(&self, w: &[f64], b: &[f64], u: &[f64], x: &[f64], y: &[f64], beta: &[f64]) -> Inside {
        let net = &self.setup.network;
        let rho: Vec<[f64; 3]> = (0..self.n)
            .map(|i| match net.input {
                InputMode::Rates if i < self.n_in => [u[i], 1.0, 0.0],
                _ => activation(net.activation, u[i]),
            })
            .collect();
        let part = |k: usize| rho.iter().map(|v| v[k]).collect::<Vec<_>>();
        let (r, d, d2) = (part(0), part(1), part(2));
        let mut a = times(w, &r);
        a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        if self.driven {
            a.iter_mut().zip(x).for_each(|(a, x)| *a += x);
        }
        // A clamped input has no mismatch, unless something projects into it.
        let delta: Vec<f64> = (0..self.n).map(|i| if i < self.rows { 0.0 } else { u[i] - a[i] }).collect();
        let apical = transposed(w, &delta);
        let f = (0..self.n)
            .map(|i| {
                let beta = if i >= self.out { beta[i - self.out] } else { 0.0 };
                if beta.is_infinite() {
                    return 0.0;
                }
                let nudge = if i >= self.out { beta * (y[i - self.out] - u[i]) } else { 0.0 };
                delta[i] - d[i] * apical[i] - nudge
            })
            .collect();
        Inside { r, d, d2, delta, f }
    }

    fn norm(&self, f: &[f64]) -> f64 {
        f[self.free..].iter().map(|v| v * v).sum::<f64>().sqrt()
    }

    /// J = 1 − W D.
    fn jacobian(&self, w: &[f64], d: &[f64]) -> Vec<f64> {
        let mut j = vec![0.0; self.n * self.n];
        for (i, (row, w)) in j.chunks_exact_mut(self.n).zip(w.chunks_exact(self.n)).enumerate() {
            row.iter_mut().zip(w).zip(d).for_each(|((j, w), d)| *j = -w * d);
            row[i] += 1.0;
        }
        j
    }

    /// Rows and columns of a dense matrix.
    fn block(&self, a: &[f64], of: &[usize]) -> Vec<f64> {
        of.iter().flat_map(|&i| of.iter().map(move |&j| a[i * self.n + j])).collect()
    }

    /// `JᵀJ − diag(ρ''·Wᵀδ) + diag β` for some neurons; `extra` is the diagonal part.
    fn hessian(&self, j: &[f64], extra: &[f64], of: &[usize]) -> Vec<f64> {
        let m = of.len();
        let mut h = vec![0.0; m * m];
        for row in j.chunks_exact(self.n) {
            let row: Vec<f64> = of.iter().map(|&i| row[i]).collect();
            for (i, &left) in row.iter().enumerate().filter(|(_, v)| **v != 0.0) {
                h[i * m..(i + 1) * m].iter_mut().zip(&row).for_each(|(h, right)| *h += left * right);
            }
        }
        for i in 0..m {
            h[i * m + i] += extra[of[i]];
        }
        h
    }
}

/// Runs all steps.
pub fn run(setup: &Setup, input: &SimulationInput) -> Trajectory {
    let net = &setup.network;
    let c = Dense::new(setup);
    let (n, n_in, n_out, batch) = (c.n, c.n_in, net.n_out(), input.batch);
    let (tau, dt) = (setup.settings.tau_ms, setup.settings.dt_ms);
    let mut w = dense(net, &input.parameters.weights);
    let mut b = input.parameters.biases.clone();
    let mut u: Vec<Vec<f64>> = input.u0.chunks_exact(n).map(<[f64]>::to_vec).collect();
    let zero = vec![0.0; n];
    let mut past: Vec<Vec<Vec<f64>>> = vec![vec![zero.clone(); 4]; batch];
    let (mut x_prev, mut y_prev) = (input.x_prev.clone(), input.y_prev.clone());
    let mut out = Trajectory::default();
    for t in 0..input.steps {
        let x = &input.x[t * batch * n_in..(t + 1) * batch * n_in];
        let y = &input.y[t * batch * n_out..(t + 1) * batch * n_out];
        let beta = &input.beta[t * n_out..(t + 1) * n_out];
        let xs = |b: usize| &x[b * n_in..(b + 1) * n_in];
        let ys = |b: usize| &y[b * n_out..(b + 1) * n_out];
        let inside: Vec<Inside> = (0..batch).map(|k| c.inside(&w, &b, &u[k], xs(k), ys(k), beta)).collect();
        out.f_entry_norm.extend(inside.iter().map(|s| c.norm(&s.f)));
        let (w_dot, b_dot) =
            if input.learn[t] { plasticity(&c, &inside) } else { (vec![0.0; n * n], zero.clone()) };
        for k in 0..batch {
            let backward = |now: &[f64], before: &[f64]| -> Vec<f64> {
                now.iter().zip(before).map(|(a, b)| (a - b) / dt).collect()
            };
            let x_dot = backward(xs(k), &x_prev[k * n_in..(k + 1) * n_in]);
            let y_dot = backward(ys(k), &y_prev[k * n_out..(k + 1) * n_out]);
            let known = if c.free > 0 { backward(xs(k), &u[k][..n_in]) } else { Vec::new() };
            let s = &inside[k];
            // Outputs with β = ∞ are no unknowns.
            let prescribed: Vec<usize> = (0..n_out).filter(|&o| beta[o].is_infinite()).collect();
            let finite: Vec<f64> = beta.iter().map(|b| if b.is_infinite() { 0.0 } else { *b }).collect();
            let beta_all = c.at(c.out, &finite);
            // rhs = −f/τ + Jᵀ s + ρ'·(Ẇᵀδ) + β u̇*
            let mut drive = if c.driven { c.at(0, &x_dot) } else { zero.clone() };
            let terms = setup.settings.plasticity_in_dynamics;
            if terms != PlasticityInDynamics::None {
                drive.iter_mut().zip(times(&w_dot, &s.r)).for_each(|(s, v)| *s += v);
            }
            if terms == PlasticityInDynamics::All {
                drive.iter_mut().zip(&b_dot).for_each(|(s, v)| *s += v);
            }
            let j = c.jacobian(&w, &s.d);
            let mut rhs = transposed(&j, &drive);
            let bent = transposed(&w, &s.delta);
            let learnt = transposed(&w_dot, &s.delta);
            let y_dot = c.at(c.out, &y_dot);
            for i in 0..n {
                rhs[i] += -s.f[i] / tau + beta_all[i] * y_dot[i];
                if terms != PlasticityInDynamics::None {
                    rhs[i] += s.d[i] * learnt[i];
                }
            }
            let extra: Vec<f64> = (0..n).map(|i| beta_all[i] - s.d2[i] * bent[i]).collect();
            let mut u_dot = c.at(0, &known);
            for &o in &prescribed {
                u_dot[c.out + o] = (ys(k)[o] - u[k][c.out + o]) / dt;
            }
            let unknown: Vec<usize> =
                (c.free..n).filter(|i| !prescribed.iter().any(|o| c.out + o == *i)).collect();
            let guess: Vec<f64> =
                (0..n).map(|i| extrapolate(setup.settings.integrator, &past[k], i)).collect();
            let v: Vec<f64> =
                (0..n).map(|i| if unknown.contains(&i) { guess[i] } else { u_dot[i] }).collect();
            let slow = |v: &[f64]| -> Vec<f64> {
                let jv = times(&j, v);
                (0..n).map(|i| drive[i] - s.f[i] / tau - jv[i]).collect()
            };
            let exact = setup.settings.integrator == Integrator::Exact;
            if setup.settings.integrator == Integrator::Equilibrium {
                let old = (&x_prev[k * n_in..(k + 1) * n_in], &y_prev[k * n_out..(k + 1) * n_out]);
                let aim = c.inside(&w, &b, &u[k], old.0, old.1, beta).f;
                let aim: Vec<f64> = aim.iter().map(|f| f * (-dt / tau).exp()).collect();
                let moved = |p: &[f64], rate: &[f64], clip: &[f64], on: bool| -> Vec<f64> {
                    let step =
                        |((p, r), c): ((&f64, &f64), &f64)| if on { (p + dt * r).clamp(-c, *c) } else { *p };
                    p.iter().zip(rate).zip(clip).map(step).collect()
                };
                let new = (
                    moved(&w, &w_dot, &c.clip, terms != PlasticityInDynamics::None),
                    moved(&b, &b_dot, &c.b_clip, terms == PlasticityInDynamics::All),
                );
                let from: Vec<f64> = (0..n).map(|i| u[k][i] + dt * v[i]).collect();
                let end = root(&c, &new, from, (xs(k), ys(k)), beta, &unknown, &aim);
                unknown.iter().for_each(|&i| u_dot[i] = (end[i] - u[k][i]) / dt);
            } else if setup.settings.dynamics == Dynamics::GradientFlow {
                unknown.iter().for_each(|&i| u_dot[i] = -s.f[i] / tau);
            } else if setup.settings.dynamics == Dynamics::LookaheadRateOnly && exact {
                let right = slow(&u_dot);
                let block = c.block(&j, &unknown);
                let solution = solve(block, unknown.iter().map(|&i| right[i]).collect());
                unknown.iter().zip(solution).for_each(|(&i, v)| u_dot[i] = v);
            } else if setup.settings.dynamics == Dynamics::LookaheadRateOnly {
                let right = slow(&v);
                unknown.iter().for_each(|&i| u_dot[i] = v[i] + right[i]);
            } else if exact {
                let moved = transposed(&j, &times(&j, &u_dot));
                let h = c.hessian(&j, &extra, &unknown);
                out.definite.push(positive_definite(h.clone(), unknown.len()));
                let right = unknown.iter().map(|&i| rhs[i] - moved[i]).collect();
                unknown.iter().zip(solve(h, right)).for_each(|(&i, v)| u_dot[i] = v);
            } else {
                let jv = transposed(&j, &times(&j, &v));
                for &i in &unknown {
                    u_dot[i] = rhs[i] + v[i] - jv[i] - extra[i] * v[i];
                }
            }
            for i in c.free..n {
                u[k][i] += dt * u_dot[i];
            }
            u[k][..c.free].copy_from_slice(&xs(k)[..c.free]);
            prescribed.iter().for_each(|&o| u[k][c.out + o] = ys(k)[o]);
            past[k].insert(0, u_dot);
            past[k].truncate(4);
        }
        let step = |p: &mut [f64], rate: &[f64], clip: &[f64]| {
            for ((p, rate), clip) in p.iter_mut().zip(rate).zip(clip) {
                *p = (*p + dt * rate).clamp(-clip, *clip);
            }
        };
        step(&mut w, &w_dot, &c.clip);
        step(&mut b, &b_dot, &c.b_clip);
        for k in 0..batch {
            out.u.extend(&u[k]);
            out.u_dot.extend(&past[k][0]);
            out.f_norm.push(c.norm(&c.inside(&w, &b, &u[k], xs(k), ys(k), beta).f));
        }
        (x_prev, y_prev) = (x.to_vec(), y.to_vec());
    }
    (out.w_end, out.b_end) = (w, b);
    out
}

/// Newton on `f(u) = aim` over the unknowns, from `u`; clamped inputs and prescribed outputs take their values.
fn root(
    c: &Dense,
    (w, b): &(Vec<f64>, Vec<f64>),
    mut u: Vec<f64>,
    (x, y): (&[f64], &[f64]),
    beta: &[f64],
    unknown: &[usize],
    aim: &[f64],
) -> Vec<f64> {
    u[..c.free].copy_from_slice(&x[..c.free]);
    for (o, &y) in y.iter().enumerate().filter(|(o, _)| beta[*o].is_infinite()) {
        u[c.out + o] = y;
    }
    for _ in 0..20 {
        let s = c.inside(w, b, &u, x, y, beta);
        let residual: Vec<f64> = unknown.iter().map(|&i| aim[i] - s.f[i]).collect();
        if residual.iter().all(|r| r.abs() < 1e-14) {
            break;
        }
        let bent = transposed(w, &s.delta);
        let nudge = |i: usize| if i >= c.out { beta[i - c.out] } else { 0.0 };
        let extra: Vec<f64> = (0..c.n).map(|i| nudge(i) - s.d2[i] * bent[i]).collect();
        let h = c.hessian(&c.jacobian(w, &s.d), &extra, unknown);
        unknown.iter().zip(solve(h, residual)).for_each(|(&i, v)| u[i] += v);
    }
    u
}

/// The guess of the explicit schemes (table in section 2); `past[k]` is u̇ k + 1 steps ago.
fn extrapolate(integrator: Integrator, past: &[Vec<f64>], i: usize) -> f64 {
    match integrator {
        Integrator::Exact => 0.0,
        Integrator::Euler | Integrator::Equilibrium => past[0][i],
        Integrator::Richardson1 => 2.0 * past[0][i] - past[1][i],
        Integrator::Richardson2 => (8.0 * past[0][i] - 6.0 * past[1][i] + past[3][i]) / 3.0,
    }
}

/// Section 3: Ẇ and ḃ, averaged over the batch; the clip applies to Ẇ alone.
fn plasticity(c: &Dense, inside: &[Inside]) -> (Vec<f64>, Vec<f64>) {
    let n = c.n;
    let (mut w_dot, mut b_dot) = (vec![0.0; n * n], vec![0.0; n]);
    for s in inside {
        for i in 0..n {
            b_dot[i] += s.delta[i];
            let row = &mut w_dot[i * n..(i + 1) * n];
            row.iter_mut().zip(&s.r).for_each(|(w, r)| *w += s.delta[i] * r);
        }
    }
    let count = inside.len() as f64;
    let bound = c.setup.settings.derivative_clip.unwrap_or(f64::INFINITY);
    for (w, factor) in w_dot.iter_mut().zip(&c.factor) {
        *w = (*w / count * c.setup.rate_w * factor).clamp(-bound, bound);
    }
    for (b, factor) in b_dot.iter_mut().zip(&c.b_factor) {
        *b = *b / count * c.setup.rate_b * factor;
    }
    (w_dot, b_dot)
}
