"""The peers in JAX: a presentation is one compiled program, `jit` over a `scan` along the ramp, its buffers donated.

The arithmetic is that of the PyTorch peers (`functional.py`): states `[neurons, batch]`, a fixed number of iterations of conjugate gradients
over the outputs, `Ẇ` by the overlaps of the batch in the first `factored` layers.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch
from jax import Array, lax

from .plain import cheapest_split
from .problem import Presentation, Problem, State

# The parity checks run in double precision; arrays say their own type.
jax.config.update("jax_enable_x64", True)
# Products in the precision of their operands, on devices that would take less.
jax.config.update("jax_default_matmul_precision", "highest")

Layers = list[Array]


def above(
    problem: Problem, factored: int, iterations: int, w: Layers, b: Layers, u: Layers,
    first: tuple[Array, Array], target: tuple[Array, Array], learn: Array,
) -> tuple[Layers, Layers, Layers]:  # fmt: skip
    """All that does not touch the first layer's weights: u, the weights above it and the biases after a step.

    `first`: δ of the first free layer and `W u̇_in + Ẇ r̄` into it; `target`: u* and u̇*; all `[n, batch]`. `learn`: 1, or 0 for rates of 0.
    """
    dt, tau, beta, batch = problem.dt_ms, problem.tau_ms, problem.beta, u[0].shape[1]
    top = len(u) - 1
    kappa = [learn * (rate / batch) for rate in problem.weight_rates]
    r = [jnp.clip(v, 0.0, 1.0) for v in u]
    d = [(v == q).astype(v.dtype) for v, q in zip(u, r)]
    delta = [first[0]] + [u[k] - b[k] - w[k] @ r[k - 1] for k in range(1, top + 1)]
    b_dot = [learn * rate * e.mean(1, keepdims=True) for rate, e in zip(problem.bias_rates, delta)]
    c = [rate - e / tau for rate, e in zip(b_dot, delta)]
    c[0] = c[0] + first[1]
    w_dot: dict[int, Array] = {}
    z: Layers = [delta[0]] * top + [beta / tau * (target[0] - u[top]) + beta * target[1]]
    for k in range(top, 0, -1):
        back = w[k].T @ z[k]
        if k < factored:
            c[k] = c[k] + kappa[k] * (delta[k] @ (r[k - 1].T @ r[k - 1]))
            back = back + kappa[k] * (r[k - 1] @ (delta[k].T @ delta[k]))
        else:
            w_dot[k] = kappa[k] * (delta[k] @ r[k - 1].T)
            c[k] = c[k] + w_dot[k] @ r[k - 1]
            back = back + w_dot[k].T @ delta[k]
        z[k - 1] = back * d[k - 1]
    u_dot = [v + g for v, g in zip(c, z)]
    for k in range(1, top + 1):
        u_dot[k] = u_dot[k] + w[k] @ (u_dot[k - 1] * d[k - 1])
    u_dot = solve(problem, iterations, w, d, u_dot)
    rates = [w_dot[k] if k in w_dot else kappa[k] * (delta[k] @ r[k - 1].T) for k in range(1, top + 1)]
    moved = [w[k] + dt * rate for k, rate in enumerate(rates, 1)]
    return [v + dt * rate for v, rate in zip(u, u_dot)], moved, [v + dt * rate for v, rate in zip(b, b_dot)]


def solve(problem: Problem, iterations: int, w: Layers, d: Layers, u_dot: Layers) -> Layers:
    """Conjugate gradients over the outputs, a fixed number of iterations."""
    beta, top = problem.beta, len(u_dot) - 1
    p = res = u_dot[top]
    rr = (p * p).sum(0)
    for _ in range(iterations):
        z = [p] * (top + 1)
        for k in range(top, 0, -1):
            z[k - 1] = (w[k].T @ z[k]) * d[k - 1]
        for k in range(1, top + 1):
            z[k] = (p if k == top else z[k]) + w[k] @ (z[k - 1] * d[k - 1])
        q = p + beta * z[top]
        step = rr / (p * q).sum(0)
        u_dot = [v - beta * step * s for v, s in zip(u_dot, z)]
        res = res - step * q
        rr_next = (res * res).sum(0)
        p = res + rr_next / rr * p
        rr = rr_next
    return u_dot


def plain_step(problem: Problem, factored: int, iterations: int, old: Array, change: Array, carry: Any, at: Any) -> Any:
    """One step that touches all weights. `at`: ramp and learn. `old`, `change`: input above target, `[n_in + n_out, batch]`."""
    w, b, u, before = carry
    s, learn = at
    n_in, dt, batch = problem.n_in, problem.dt_ms, old.shape[1]
    now = old + s * change
    rate = (now - before) / dt
    r, kappa = before[:n_in], learn * (problem.weight_rates[0] / batch)
    delta = u[0] - b[0] - w[0] @ r
    drive = w[0] @ rate[:n_in]
    if factored > 0:
        drive = drive + kappa * (delta @ (r.T @ r))
        first = w[0] + dt * kappa * (delta @ r.T)
    else:
        w_dot = kappa * (delta @ r.T)
        drive = drive + w_dot @ r
        first = w[0] + dt * w_dot
    u, rest, b = above(problem, factored, iterations, w, b, u, (delta, drive), (now[n_in:], rate[n_in:]), learn)
    return ([first, *rest], b, u, now), None


def resident_step(
    problem: Problem, factored: int, iterations: int, y_old: Array, y_change: Array, overlaps: Array, carry: Any, at: Any
) -> Any:
    """One step with a resident first layer. `at`: ramp before and now, and learn."""
    w, b, u, y_before, drives, learned = carry
    s_before, s, learn = at
    dt, batch = problem.dt_ms, y_old.shape[1]
    kappa = learn * (problem.weight_rates[0] / batch)
    y = y_old + s * y_change
    v, q = drives[:, :batch], drives[:, batch:]
    delta = u[0] - b[0] - (v + s_before * q)
    rates = kappa * (delta @ (overlaps[:batch] + s_before * overlaps[batch:]))
    drive = (s - s_before) / dt * q + rates[:, :batch] + s_before * rates[:, batch:]
    learned = learned + dt * kappa * jnp.concatenate((delta, s_before * delta), 1)
    target = (y, (y - y_before) / dt)
    u, rest, b = above(problem, factored, iterations, w, b, u, (delta, drive), target, learn)
    return ([w[0], *rest], b, u, y, drives + dt * rates, learned), None


def plain_presentation(problem: Problem, factored: int, iterations: int, state: Any, old: Array, new: Array, ramp: Any) -> Any:
    """All steps of a mini-batch. `ramp`: its values, and learn of each step."""
    step = partial(plain_step, problem, factored, iterations, old, new - old)
    return lax.scan(step, state, ramp)[0]


def resident_presentation(
    problem: Problem, factored: int, iterations: int, state: Any, old: Array, new: Array, ramp: Any
) -> Any:
    """As the plain one, but that the first layer's weights are touched at the start and the end alone."""
    n_in, change, (ramp, learn) = problem.n_in, new - old, ramp
    state, _ = plain_step(problem, factored, iterations, old, change, state, (ramp[0], learn[0]))
    w, b, u, before = state
    patterns = jnp.concatenate((old[:n_in], change[:n_in]), 1)
    drives = w[0] @ patterns
    carry = (w, b, u, before[n_in:], drives, jnp.zeros_like(drives))
    step = partial(resident_step, problem, max(1, factored), iterations, old[n_in:], change[n_in:], patterns.T @ patterns)
    (w, b, u, _, _, learned), _ = lax.scan(step, carry, (ramp[:-1], ramp[1:], learn[1:]))
    return [w[0] + learned @ patterns.T, *w[1:]], b, u, old + ramp[-1] * change


class Scanned:
    """A peer in JAX; `resident` chooses the algebra. Takes and gives PyTorch tensors."""

    def __init__(
        self, problem: Problem, batch: int, resident: bool = False, dtype: Any = jnp.float32, iterations: int = 2
    ) -> None:
        self.problem, self.batch, self.dtype = problem, batch, dtype
        whole = resident_presentation if resident else plain_presentation
        # The state before is not needed after: its buffers take the new one.
        self.whole = jax.jit(partial(whole, problem, cheapest_split(problem, batch), iterations), donate_argnums=0)

    def array(self, values: Any) -> Array:
        """Of a tensor, or of numbers; a copy, since buffers are donated."""
        return jnp.array(np.asarray(values), dtype=self.dtype, copy=True)

    def load(self, state: State) -> None:
        """Copies a start into the peer."""
        w = [self.array(v) for v in state.weights]
        b = [self.array(state.biases.view(-1, 1)[rows]) for rows in self.problem.layers]
        u = [self.array(state.u[rows]) for rows in self.problem.layers]
        self.state = (w, b, u, self.array(torch.cat((state.x_prev, state.y_prev))))

    def present(self, show: Presentation) -> None:
        """All steps of one mini-batch, samples brought to the device included."""
        old = self.array(torch.cat((show.x_old, show.y_old)))
        new = self.array(torch.cat((show.x_new, show.y_new)))
        self.state = jax.block_until_ready(self.whole(self.state, old, new, (self.array(show.ramp), self.array(show.learn))))

    @property
    def u(self) -> torch.Tensor:
        """`[n_free, batch]`."""
        return torch.from_numpy(np.concatenate([np.asarray(v) for v in self.state[2]]))

    @property
    def w(self) -> list[torch.Tensor]:
        """Weights by projection."""
        return [torch.from_numpy(np.array(v)) for v in self.state[0]]
