"""The plain peer: the exact scheme layer by layer, touching every weight at every step. Eager, preallocated, no gradients.

Equations and order of a step: model, section 8. `J⁻¹` and `J⁻ᵀ` are one sweep over the layers; with ρ'' = 0 the rest is
conjugate gradients in the output space, `(1 + β M Mᵀ) y = M c` with `M` the output rows of `J⁻¹`.

What makes it as fast as we could: one `[n_free, batch]` state, so that elementwise work is one call for all layers; biases and
`−W r̄` fused into the mismatch; `Ẇ` never formed for the first `factored` layers, where `Ẇ r̄ = κ δ (r̄ᵀ r̄)` through the overlaps of
the batch costs less and the update of W is one rank-batch product in place; a fixed number of iterations (no test on the host).
"""

from __future__ import annotations

import torch
from torch import Tensor

from .problem import Presentation, Problem, State


class Stimulus:
    """Input and target in one block, `[n_in + n_out, batch]`, with its views: slicing costs as much as a small product."""

    def __init__(self, problem: Problem, batch: int, dtype: torch.dtype) -> None:
        self.all = torch.zeros(problem.n_in + problem.n_out, batch, dtype=dtype)
        self.x, self.y = self.all[: problem.n_in], self.all[problem.n_in :]
        self.x_t = self.x.t()

    def set(self, x: Tensor, y: Tensor) -> None:
        """Copies x and u* in."""
        self.x.copy_(x)
        self.y.copy_(y)


class Plain:
    """State and scratch of one mini-batch. `u_dot` holds u̇ of the last step, `[n_free, batch]`."""

    def __init__(
        self,
        problem: Problem,
        batch: int,
        dtype: torch.dtype = torch.float32,
        iterations: int = 2,
        factored: int | None = None,
        tolerance: float | None = None,
    ) -> None:
        """`iterations` of conjugate gradients, at most with a `tolerance` on the relative residual, else exactly."""
        self.problem, self.batch, self.iterations, self.tolerance = problem, batch, iterations, tolerance
        self.factored = cheapest_split(problem, batch) if factored is None else factored
        self.residual = 0.0  # largest relative residual left, where a tolerance is set

        def new(*shape: int) -> Tensor:
            return torch.zeros(shape, dtype=dtype)

        n_out, n_free = problem.n_out, problem.n_free
        layers = problem.layers
        # Weights and biases in one block, and their rates in another: what is not factored moves in one call.
        shapes = list(zip(problem.sizes[1:], problem.sizes))
        ends = [sum(p * q for p, q in shapes[:k]) for k in range(len(shapes) + 1)]
        self.params, self.rates = new(ends[-1] + n_free), new(ends[-1] + n_free)
        self.moved, self.moved_rates = self.params[ends[self.factored] :], self.rates[ends[self.factored] :]
        self.w = [self.params[a:b].view(s) for a, b, s in zip(ends, ends[1:], shapes)]
        self.w_t = [w.t() for w in self.w]
        self.w_dot = [self.rates[a:b].view(s) for a, b, s in zip(ends, ends[1:], shapes)]
        self.w_dot_t = [w.t() for w in self.w_dot]
        self.b, self.b_dot = self.params[ends[-1] :].view(-1, 1), self.rates[ends[-1] :].view(-1, 1)
        self.bias_rates = torch.cat(
            [torch.full((n, 1), rate / batch, dtype=dtype) for n, rate in zip(problem.sizes[1:], problem.bias_rates)]
        )
        # Input and target together: x and y of this step, of the step before, their difference.
        self.old, self.change, self.difference, self.now, self.before = (
            Stimulus(problem, batch, dtype) for _ in range(5)
        )
        self.u, self.r, self.d, self.delta, self.u_dot, self.z = (new(n_free, batch) for _ in range(6))
        self.t = new(n_free, batch)
        self.layer_views = {
            name: [getattr(self, name)[rows] for rows in layers] for name in ("r", "d", "delta", "u_dot", "z", "t")
        }
        self.r_t = [r.t() for r in self.layer_views["r"]]
        self.delta_t = [e.t() for e in self.layer_views["delta"]]
        self.u_out = self.u[layers[-1]]
        self.p, self.res, self.q, self.product = (new(n_out, batch) for _ in range(4))
        self.rr, self.pq, self.rr_next, self.step_size, self.gain = (new(batch) for _ in range(5))
        self.overlap = new(batch, batch)

    def load(self, state: State) -> None:
        """Copies a start into the peer."""
        for w, given in zip(self.w, state.weights):
            w.copy_(given)
        self.b.copy_(state.biases.view(-1, 1))
        self.u.copy_(state.u)
        self.before.set(state.x_prev, state.y_prev)

    def present(self, show: Presentation) -> None:
        """All steps of one mini-batch."""
        self.begin(show)
        self.steps(show.ramp, show.learn)

    def steps(self, ramp: list[float], learns: list[bool]) -> None:
        """The steps of the samples that were taken."""
        for s, learn in zip(ramp, learns):
            self.ramp_step(s, learn)

    def begin(self, show: Presentation) -> None:
        """Takes the samples."""
        self.old.set(show.x_old, show.y_old)
        self.change.set(show.x_new, show.y_new)
        self.change.all.sub_(self.old.all)

    def ramp_step(self, s: float, learn: bool) -> None:
        """One step at ramp value `s`."""
        torch.add(self.old.all, self.change.all, alpha=s, out=self.now.all)
        self.step(learn)

    def set_input(self, x: Tensor, y: Tensor) -> None:
        """x `[n_in, batch]` and u* `[n_out, batch]` of the next step, instead of a ramp."""
        self.now.set(x, y)

    def step(self, learn: bool = True) -> None:
        """One time step with the input in `now`."""
        problem = self.problem
        dt, tau, beta = problem.dt_ms, problem.tau_ms, problem.beta
        view = self.layer_views
        delta, d, z, u_dot = view["delta"], view["d"], view["z"], view["u_dot"]
        # Rates of the clamped input are what it still holds; data in [0, 1], so ρ is the identity there.
        r, r_t = [self.before.x, *view["r"]], [self.before.x_t, *self.r_t]
        self.stimulus_rate()
        torch.clamp(self.u, 0.0, 1.0, out=self.r)
        torch.eq(self.u, self.r, out=self.d)
        torch.sub(self.u, self.b, out=self.delta)
        self.input_mismatch(delta[0], r[0])
        for k in range(1, len(delta)):
            delta[k].addmm_(self.w[k], r[k], alpha=-1.0)

        # c = s − δ/τ, without β.
        self.bias_rate(learn)
        torch.add(self.b_dot, self.delta, alpha=-1.0 / tau, out=self.u_dot)
        torch.sub(self.now.y, self.u_out, out=z[-1])
        z[-1].mul_(beta / tau).add_(self.difference.y, alpha=beta / dt)
        self.input_drive(u_dot[0], delta[0], r[0], r_t[0], learn)
        self.plasticity(r, r_t, learn)
        # J⁻ᵀ g, added to c; then J⁻¹.
        for k in range(len(z) - 2, -1, -1):
            self.back(k, r, learn)
            z[k].mul_(d[k])
        self.u_dot.add_(self.z)
        for k in range(len(z) - 1):
            torch.mul(u_dot[k], d[k], out=view["t"][k])
            u_dot[k + 1].addmm_(self.w[k + 1], view["t"][k])
        self.solve()

        self.u.add_(self.u_dot, alpha=dt)
        if learn:
            self.learn_factored(r_t)
            self.moved.add_(self.moved_rates, alpha=dt)
        self.now, self.before = self.before, self.now

    def stimulus_rate(self) -> None:
        """Change of x and u* since the step before."""
        torch.sub(self.now.all, self.before.all, out=self.difference.all)

    def input_mismatch(self, delta: Tensor, r: Tensor) -> None:
        """`δ −= W r̄` of the input."""
        delta.addmm_(self.w[0], r, alpha=-1.0)

    def input_drive(self, c: Tensor, delta: Tensor, r: Tensor, r_t: Tensor, learn: bool) -> None:
        """`c += W u̇_in + Ẇ r̄` of the input."""
        c.addmm_(self.w[0], self.difference.x, alpha=1.0 / self.problem.dt_ms)
        if learn:
            self.learn_layer(0, c, delta, r, r_t)

    def learn_factored(self, r_t: list[Tensor]) -> None:
        """`W += dt Ẇ` of the layers whose Ẇ is not formed."""
        for k in range(self.factored):
            kappa = self.problem.dt_ms * self.problem.weight_rates[k] / self.batch
            self.w[k].addmm_(self.layer_views["delta"][k], r_t[k], alpha=kappa)

    def bias_rate(self, learn: bool) -> None:
        """`ḃ = η_b · mean of δ`."""
        if learn:
            torch.sum(self.delta, 1, keepdim=True, out=self.b_dot)
            self.b_dot.mul_(self.bias_rates)
        else:
            self.b_dot.zero_()

    def plasticity(self, r: list[Tensor], r_t: list[Tensor], learn: bool) -> None:
        """Ẇ where it is formed, and `Ẇ r̄` into c, of the layers above the first."""
        view = self.layer_views
        for k in range(1, len(self.w) if learn else 0):
            self.learn_layer(k, view["u_dot"][k], view["delta"][k], r[k], r_t[k])

    def learn_layer(self, k: int, c: Tensor, delta: Tensor, r: Tensor, r_t: Tensor) -> None:
        """`c += Ẇ r̄` of projection k, by the overlaps of the batch or by a formed Ẇ."""
        kappa = self.problem.weight_rates[k] / self.batch
        if k < self.factored:
            torch.mm(r_t, r, out=self.overlap)
            c.addmm_(delta, self.overlap, alpha=kappa)
        else:
            torch.addmm(self.w_dot[k], delta, r_t, beta=0.0, alpha=kappa, out=self.w_dot[k])
            c.addmm_(self.w_dot[k], r)

    def back(self, k: int, r: list[Tensor], learn: bool) -> None:
        """`z_k = Wᵀ z_{k+1} + Ẇᵀ δ_{k+1}`, before the gate."""
        view = self.layer_views
        z, delta = view["z"], view["delta"]
        torch.mm(self.w_t[k + 1], z[k + 1], out=z[k])
        if not learn:
            return
        if k + 1 < self.factored:
            kappa = self.problem.weight_rates[k + 1] / self.batch
            torch.mm(self.delta_t[k + 1], delta[k + 1], out=self.overlap)
            z[k].addmm_(r[k + 1], self.overlap, alpha=kappa)
        else:
            z[k].addmm_(self.w_dot_t[k + 1], delta[k + 1])

    def solve(self) -> None:
        """Conjugate gradients over the outputs; each direction's sweeps are the update of u̇."""
        beta = self.problem.beta
        view = self.layer_views
        self.p.copy_(view["u_dot"][-1])
        res = self.p
        torch.mul(self.p, self.p, out=self.product)
        torch.sum(self.product, 0, out=self.rr)
        first = self.rr.clone() if self.tolerance else None
        for k in range(self.iterations):
            self.sweeps()
            torch.add(self.p, view["z"][-1], alpha=beta, out=self.q)
            torch.mul(self.p, self.q, out=self.product)
            torch.sum(self.product, 0, out=self.pq)
            torch.div(self.rr, self.pq, out=self.step_size)
            self.u_dot.addcmul_(self.z, self.step_size, value=-beta)
            if k + 1 == self.iterations and first is None:
                return
            torch.addcmul(res, self.q, self.step_size, value=-1.0, out=self.res)
            res = self.res
            torch.mul(res, res, out=self.product)
            torch.sum(self.product, 0, out=self.rr_next)
            if first is not None:
                left = float((self.rr_next / first).max().sqrt())
                if left <= self.tolerance or k + 1 == self.iterations:
                    self.residual = max(self.residual, left)
                    return
            torch.div(self.rr_next, self.rr, out=self.gain)
            torch.addcmul(res, self.p, self.gain, out=self.p)
            self.rr, self.rr_next = self.rr_next, self.rr

    def sweeps(self) -> None:
        """`z = J⁻¹ J⁻ᵀ` of p on the outputs. ρ' is 0 or 1, so a gated z needs no second gate."""
        view = self.layer_views
        z, d, t = view["z"], view["d"], view["t"]
        back = self.p
        for k in range(len(z) - 2, -1, -1):
            torch.mm(self.w_t[k + 1], back, out=z[k])
            back = z[k].mul_(d[k])
        gated = z[0]
        for k in range(1, len(z) - 1):
            z[k].addmm_(self.w[k], gated)
            gated = torch.mul(z[k], d[k], out=t[k])
        torch.addmm(self.p, self.w[-1], gated, out=z[-1])


def cheapest_split(problem: Problem, batch: int) -> int:
    """How many of the first layers to keep factored, by counted multiply-adds."""
    count = 0
    for k, (pre, post) in enumerate(zip(problem.sizes, problem.sizes[1:])):
        ways = 1 if k == 0 else 2  # Ẇ r̄, and Ẇᵀ δ for layers that have a free layer before them
        formed = ways * pre * post * batch
        factored = ways * (pre + post) * batch * batch
        if factored >= formed:
            break
        count += 1
    return count
