"""The dense peer: assembles the N×N Hessian of every sample at every step and factorises it (batched Cholesky).

`H = JᵀJ + diag β = 1 − W D − D Wᵀ + D (Wᵀ W) D + diag β` (ρ'' = 0), model, sections 2 and 8; `Wᵀ W` once a step for all samples.
With `clamped` inputs their rows and columns leave the system (N = 410 of 784-300-100-10); with driven ones the input neurons follow
x with look-ahead and all N = 1194 neurons are in it. States are `[batch, N]` here, as batched solvers want them.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .problem import Presentation, Problem, State


class Dense:
    """One mini-batch. `u` and `u_dot` hold all N neurons, `[batch, N]`; `w` is dense, `[post, pre]`."""

    def __init__(
        self, problem: Problem, batch: int, dtype: torch.dtype = torch.float32, clamped: bool = True
    ) -> None:
        self.problem, self.batch, self.clamped = problem, batch, clamped
        n = sum(problem.sizes)
        self.free = slice(problem.n_in if clamped else 0, n)
        size = n - self.free.start
        self.w, self.eta = torch.zeros(n, n, dtype=dtype), torch.zeros(n, n, dtype=dtype)
        self.b, self.eta_b = torch.zeros(n, dtype=dtype), torch.zeros(n, dtype=dtype)
        ends = [sum(problem.sizes[:k]) for k in range(len(problem.sizes) + 1)]
        self.blocks = [
            (slice(ends[k + 1], ends[k + 2]), slice(ends[k], ends[k + 1])) for k in range(len(problem.sizes) - 1)
        ]
        for (post, pre), rate, bias_rate in zip(self.blocks, problem.weight_rates, problem.bias_rates):
            self.eta[post, pre] = rate
            self.eta_b[post] = bias_rate
        self.beta = torch.zeros(n, dtype=dtype)
        self.beta[-problem.n_out :] = problem.beta
        self.diagonal = 1.0 + self.beta[self.free]
        self.u, self.u_dot = torch.zeros(batch, n, dtype=dtype), torch.zeros(batch, n, dtype=dtype)
        self.h = torch.empty(batch, size, size, dtype=dtype)
        self.factor = torch.empty_like(self.h)
        self.info = torch.empty(batch, dtype=torch.int32)
        self.x_prev = torch.zeros(batch, problem.n_in, dtype=dtype)
        self.y_prev = torch.zeros(batch, problem.n_out, dtype=dtype)

    def load(self, state: State) -> None:
        """Copies a start into the peer; driven input neurons start on their input."""
        n_in = self.problem.n_in
        for (post, pre), w in zip(self.blocks, state.weights):
            self.w[post, pre] = w.to(self.w.dtype)
        self.b[n_in:] = state.biases.to(self.b.dtype)
        self.u[:, n_in:] = state.u.T.to(self.u.dtype)
        self.u[:, :n_in] = state.x_prev.T.to(self.u.dtype)
        self.x_prev.copy_(state.x_prev.T)
        self.y_prev.copy_(state.y_prev.T)

    def present(self, show: Presentation) -> None:
        """All steps of one mini-batch."""
        for s, learn in zip(show.ramp, show.learn):
            x = show.x_old + s * (show.x_new - show.x_old)
            y = show.y_old + s * (show.y_new - show.y_old)
            self.step(x.T.to(self.u.dtype), y.T.to(self.u.dtype), learn)

    def step(self, x: Tensor, y: Tensor, learn: bool = True) -> None:
        """One time step towards x `[batch, n_in]` and u* `[batch, n_out]`."""
        problem, n_in, n_out, free = self.problem, self.problem.n_in, self.problem.n_out, self.free
        dt, tau, u = problem.dt_ms, problem.tau_ms, self.u
        x_dot, y_dot = (x - self.x_prev) / dt, (y - self.y_prev) / dt
        r = u.clamp(0.0, 1.0)
        d = (u == r).to(u.dtype)
        delta = u - torch.addmm(self.b, r, self.w.T)
        if self.clamped:
            delta[:, :n_in] = 0.0
        else:
            delta[:, :n_in] -= x
        w_dot = self.eta * (delta.T @ r) / self.batch
        b_dot = self.eta_b * delta.mean(0)
        if not learn:
            w_dot.zero_()
            b_dot.zero_()

        s = r @ w_dot.T + b_dot
        if self.clamped:
            self.u_dot.zero_()
            self.u_dot[:, :n_in] = (x - u[:, :n_in]) / dt
            s += (self.u_dot * d) @ self.w.T
        else:
            s[:, :n_in] += x_dot
        # f = δ − ē; rhs = −f/τ + Jᵀ s + ρ'·(Ẇᵀ δ) + β u̇*
        f = delta - d * (delta @ self.w)
        f[:, -n_out:] -= problem.beta * (y - u[:, -n_out:])
        rhs = s - d * (s @ self.w) - f / tau + d * (delta @ w_dot)
        rhs[:, -n_out:] += problem.beta * y_dot
        self.u_dot[:, free] = self.solve(d[:, free], rhs[:, free])

        self.u.add_(self.u_dot, alpha=dt)
        if self.clamped:
            self.u[:, :n_in] = x
        self.w.add_(w_dot, alpha=dt)
        self.b.add_(b_dot, alpha=dt)
        self.x_prev, self.y_prev = x, y

    def solve(self, d: Tensor, rhs: Tensor) -> Tensor:
        """`H⁻¹ rhs` for every sample, `[batch, n]`."""
        w = self.w[self.free, self.free]
        h = self.h
        torch.mul(d.unsqueeze(2), (w.T @ w).unsqueeze(0), out=h)
        h.sub_(w)
        h.mul_(d.unsqueeze(1))
        # So far D WᵀW D − W D; then − D Wᵀ and the diagonal.
        h.addcmul_(d.unsqueeze(2), w.T.unsqueeze(0), value=-1.0)
        h.diagonal(dim1=1, dim2=2).add_(self.diagonal)
        torch.linalg.cholesky_ex(h, out=(self.factor, self.info))
        return torch.cholesky_solve(rhs.unsqueeze(2), self.factor).squeeze(2)
