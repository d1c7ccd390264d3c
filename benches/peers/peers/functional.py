"""The same steps as pure functions, for `torch.compile`: weights come in and go out, nothing is allocated by hand.

Inductor fuses the elementwise work between the products; the products are the library's. A step is compiled as one graph.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .problem import Problem


def above(
    problem: Problem,
    factored: int,
    iterations: int,
    w: list[Tensor],
    b: Tensor,
    u: list[Tensor],
    first: tuple[Tensor, Tensor],
    target: tuple[Tensor, Tensor],
) -> tuple[list[Tensor], list[Tensor], Tensor]:
    """All that does not touch the first layer's weights.

    `first`: δ of the first free layer and `W u̇_in + Ẇ r̄` into it, `[n, batch]`; `target`: u* and u̇*; `u` by layer.
    Returns u, the weights above the first layer and the biases.
    """
    dt, tau, beta, batch = problem.dt_ms, problem.tau_ms, problem.beta, u[0].shape[1]
    layers, top = problem.layers, len(u) - 1
    kappa = [rate / batch for rate in problem.weight_rates]
    r = [v.clamp(0.0, 1.0) for v in u]
    d = [(v == q).to(v.dtype) for v, q in zip(u, r)]
    delta = [first[0]] + [torch.addmm(u[k] - b[layers[k]], w[k], r[k - 1], alpha=-1.0) for k in range(1, top + 1)]
    b_dot = [delta[k].mean(1, keepdim=True) * problem.bias_rates[k] for k in range(top + 1)]
    c = [b_dot[k] - delta[k] / tau for k in range(top + 1)]
    c[0] = c[0] + first[1]
    # `Ẇ r̄` forward and `Ẇᵀ δ` backward, formed or by overlaps.
    w_dot: dict[int, Tensor] = {}
    z = [torch.empty(0)] * top + [beta / tau * (target[0] - u[top]) + beta * target[1]]
    for k in range(top, 0, -1):
        back = torch.mm(w[k].t(), z[k])
        if k < factored:
            c[k] = torch.addmm(c[k], delta[k], torch.mm(r[k - 1].t(), r[k - 1]), alpha=kappa[k])
            back = torch.addmm(back, r[k - 1], torch.mm(delta[k].t(), delta[k]), alpha=kappa[k])
        else:
            w_dot[k] = torch.mm(delta[k], r[k - 1].t()) * kappa[k]
            c[k] = torch.addmm(c[k], w_dot[k], r[k - 1])
            back = torch.addmm(back, w_dot[k].t(), delta[k])
        z[k - 1] = back * d[k - 1]
    u_dot = [c[k] + z[k] for k in range(top + 1)]
    for k in range(1, top + 1):
        u_dot[k] = torch.addmm(u_dot[k], w[k], u_dot[k - 1] * d[k - 1])
    u_dot = solve(problem, iterations, w, d, u_dot)
    new_w = [
        w[k] + dt * w_dot[k] if k in w_dot else torch.addmm(w[k], delta[k], r[k - 1].t(), alpha=dt * kappa[k])
        for k in range(1, top + 1)
    ]
    return [v + dt * rate for v, rate in zip(u, u_dot)], new_w, b + dt * torch.cat(b_dot)


def solve(problem: Problem, iterations: int, w: list[Tensor], d: list[Tensor], u_dot: list[Tensor]) -> list[Tensor]:
    """Conjugate gradients over the outputs, a fixed number of iterations."""
    beta, top = problem.beta, len(u_dot) - 1
    p = res = u_dot[top]
    rr = (p * p).sum(0)
    for _ in range(iterations):
        z = [p] * (top + 1)
        for k in range(top, 0, -1):
            z[k - 1] = torch.mm(w[k].t(), p if k == top else z[k]) * d[k - 1]
        for k in range(1, top + 1):
            z[k] = torch.addmm(z[k], w[k], z[k - 1] * d[k - 1])
        q = p + beta * z[top]
        step = rr / (p * q).sum(0)
        u_dot = [v - beta * step * s for v, s in zip(u_dot, z)]
        res = res - step * q
        rr_next = (res * res).sum(0)
        p = res + rr_next / rr * p
        rr = rr_next
    return u_dot


def plain_step(
    problem: Problem, factored: int, iterations: int, w: list[Tensor], b: Tensor, u: list[Tensor],
    old: Tensor, change: Tensor, before: Tensor, s: Tensor,
) -> tuple[list[Tensor], Tensor, list[Tensor], Tensor]:  # fmt: skip
    """One step that touches all weights. `old`, `change`, `before`: input above target, `[n_in + n_out, batch]`; `s`: 0-d."""
    n_in, dt, batch = problem.n_in, problem.dt_ms, old.shape[1]
    now = old + s * change
    rate = (now - before) / dt
    r, kappa = before[:n_in], problem.weight_rates[0] / batch
    delta = torch.addmm(u[0] - b[problem.layers[0]], w[0], r, alpha=-1.0)
    drive = torch.mm(w[0], rate[:n_in])
    if factored > 0:
        drive = torch.addmm(drive, delta, torch.mm(r.t(), r), alpha=kappa)
        w_first = torch.addmm(w[0], delta, r.t(), alpha=dt * kappa)
    else:
        w_dot = torch.mm(delta, r.t()) * kappa
        drive = torch.addmm(drive, w_dot, r)
        w_first = w[0] + dt * w_dot
    target = (now[n_in:], rate[n_in:])
    u, rest, b = above(problem, factored, iterations, w, b, u, (delta, drive), target)
    return [w_first, *rest], b, u, now


def resident_step(
    problem: Problem, factored: int, iterations: int, w: list[Tensor], b: Tensor, u: list[Tensor],
    y_old: Tensor, y_change: Tensor, y_before: Tensor, s: Tensor, s_before: Tensor,
    overlaps: Tensor, drives: Tensor, learned: Tensor,
) -> tuple[list[Tensor], Tensor, list[Tensor], Tensor, Tensor, Tensor]:  # fmt: skip
    """One step with a resident first layer: `overlaps` `[2·batch, 2·batch]`, `drives` `[V | Q]` and `learned` `[n, 2·batch]`."""
    dt, batch = problem.dt_ms, y_old.shape[1]
    kappa = problem.weight_rates[0] / batch
    y = y_old + s * y_change
    v, q = drives[:, :batch], drives[:, batch:]
    delta = u[0] - b[problem.layers[0]] - (v + s_before * q)
    rates = torch.mm(delta, overlaps[:batch] + s_before * overlaps[batch:]) * kappa
    drive = (s - s_before) / dt * q + rates[:, :batch] + s_before * rates[:, batch:]
    learned = learned + dt * kappa * torch.cat((delta, s_before * delta), 1)
    target = (y, (y - y_before) / dt)
    u, rest, b = above(problem, factored, iterations, w, b, u, (delta, drive), target)
    return [w[0], *rest], b, u, y, drives + dt * rates, learned
