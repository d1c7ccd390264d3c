"""Every peer against a stored trajectory of an independent oracle, before it is timed. Raises `Mismatch` if one does not pass.

The case: 40-110-40-10, hard sigmoid, clamped inputs, `exact`, learning, a presentation of two samples. In f64 the whole trajectory;
in f32 one step from the stored state, with the tolerances of the manifest. The resident peers and the compiled functions are also
held against the plain peer, which has passed, in f64 with a batch of 5 (the case has one trajectory), and so is the dense one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .compiled import CompiledPlain, CompiledResident
from .dense import Dense
from .plain import Plain
from .problem import Presentation, Problem, State, random_presentations, random_start
from .resident import Resident

CASE = "p26_large_feedforward_exact_hardsigmoid_presentation"
# CG is exact after n_out = 10 iterations but for rounding; a few more leave only that.
ITERATIONS = 14
# The stored x is rounded to f32 (3e-8), so that it leaves the span of two patterns that a resident peer assumes; u̇ of the input
# is a difference of two of them over dt = 1 ms, and the trajectory amplifies by at most 4 (manifest): 2 · 3e-8 · 4 · ‖W‖ ≈ 1e-6.
RESIDENT_TOLERANCE = 2e-6
# Two formulations of the same arithmetic in f64, 40 learning steps.
TWIN_TOLERANCE = 1e-11


class Mismatch(Exception):
    """A peer does not compute what it should."""


class Case:
    """The stored case, as tensors."""

    def __init__(self, folder: Path) -> None:
        manifest = json.loads((folder / "manifest.json").read_text())
        entry: dict[str, Any] = next(c for c in manifest["cases"] if c["name"] == CASE)
        model = entry["model"]
        self.data = {k: torch.from_numpy(v).double() for k, v in np.load(folder / entry["file"]).items()}
        self.tolerance = entry["tolerance"]
        self.problem = Problem(
            sizes=tuple(p["size"] for p in model["populations"]),
            tau_ms=model["tau_ms"],
            dt_ms=model["dt_ms"],
            beta=float(self.data["beta"][0, 0]),
            weight_rates=tuple(model["rate_W"] * p["factor"] for p in model["projections"]),
            bias_rates=tuple(model["rate_b"] * p["bias_factor"] for p in model["populations"][1:]),
        )
        self.steps = entry["steps"]

    def blocks(self, dense: Tensor) -> list[Tensor]:
        """Weights of each projection out of a dense `[N, N]`."""
        ends = np.cumsum([0, *self.problem.sizes])
        return [dense[b:c, a:b] for a, b, c in zip(ends, ends[1:], ends[2:])]

    def start(self) -> State:
        """Where the trajectory begins."""
        d, n_in = self.data, self.problem.n_in
        return State(self.blocks(d["W0"]), d["b0"][n_in:], d["u0"].T[n_in:], d["x_prev"].T, d["y_prev"].T)

    def middle(self) -> tuple[int, State]:
        """The stored step, and the complete state after it."""
        d, n_in = self.data, self.problem.n_in
        s = int(d["snap_steps"][0])
        u = d["u"][s].T[n_in:]
        return s, State(self.blocks(d["W_snap"][0]), d["b_snap"][0][n_in:], u, d["x"][s].T, d["y"][s].T)

    def presentations(self) -> list[Presentation]:
        """The same stimulus as ramps between the samples (to the rounding of the stored x)."""
        d, shows = self.data, []
        ramp = d["presentation_ramp"]
        x_old, y_old, n = d["x_prev"].T, d["y_prev"].T, len(ramp)
        for first in range(0, self.steps, n):
            # The last value of the ramp is 1 to 2e-10.
            x, y = d["x"][first + n - 1].T, d["y"][first + n - 1].T
            learn = [bool(v) for v in d["learn"][first : first + n, 0]]
            shows.append(Presentation(x_old, x, y_old, y, ramp.tolist(), learn))
            x_old, y_old = x, y
        return shows


def expect(what: str, found: Tensor, wanted: Tensor, tolerance: float) -> float:
    """Largest absolute difference; raises if above the tolerance."""
    gap = (found.double() - wanted).abs().max().item()
    if not gap <= tolerance:
        raise Mismatch(f"{what}: max abs difference {gap:.2e}, allowed {tolerance:.0e}")
    return gap


def trajectory(case: Case, name: str, peer: Any) -> str:
    """All steps in f64."""
    d, n_in, allowed = case.data, case.problem.n_in, case.tolerance["f64_trajectory_abs"]
    peer.load(case.start())
    gap = 0.0
    for t in range(case.steps):
        learn = bool(d["learn"][t, 0])
        if isinstance(peer, Dense):
            peer.step(d["x"][t], d["y"][t], learn)
            u, u_dot = peer.u.T, peer.u_dot.T
        else:
            peer.set_input(d["x"][t].T, d["y"][t].T)
            peer.step(learn)
            u, u_dot = torch.cat((peer.before.x, peer.u)), peer.u_dot
        gap = max(gap, expect(f"{name}, u of step {t}", u, d["u"][t].T, allowed["u"]))
        expect(f"{name}, u̇ of step {t}", u_dot[-case.problem.n_free :], d["u_dot"][t].T[n_in:], allowed["u_dot"])
    w = case.blocks(peer.w) if isinstance(peer, Dense) else peer.w
    for k, wanted in enumerate(case.blocks(d["W_end"])):
        expect(f"{name}, W of projection {k}", w[k], wanted, allowed["W"])
    return f"{name}: f64 trajectory of {case.steps} steps, u to {gap:.1e}"


def single_step(case: Case, name: str, peer: Any) -> str:
    """One step in f32 from the stored state, by the iterations that are timed."""
    d, n_in, allowed = case.data, case.problem.n_in, case.tolerance["f32_single_step_abs"]
    s, state = case.middle()
    peer.load(state)
    if isinstance(peer, Dense):
        peer.step(d["x"][s + 1].float(), d["y"][s + 1].float())
        u = peer.u.T[n_in:]
    elif isinstance(peer, CompiledPlain):
        peer.begin(Presentation(d["x"][s].T, d["x"][s + 1].T, d["y"][s].T, d["y"][s + 1].T, [1.0], [True]))
        peer.plain(peer.ramp[0])
        u = peer.u
    else:
        peer.set_input(d["x"][s + 1].T, d["y"][s + 1].T)
        peer.step()
        u = peer.u
    gap = expect(f"{name}, u of the f32 step", u, d["u"][s + 1].T[n_in:], allowed["u"])
    return f"{name}: f32 step, u to {gap:.1e}"


def resident_trajectory(case: Case) -> str:
    """The resident peer through the two presentations."""
    peer = Resident(case.problem, 1, torch.float64, ITERATIONS, tolerance=1e-13)
    peer.load(case.start())
    for show in case.presentations():
        peer.present(show)
    n_in = case.problem.n_in
    gap = expect("same algebra, u at the end", peer.u, case.data["u"][-1].T[n_in:], RESIDENT_TOLERANCE)
    for k, wanted in enumerate(case.blocks(case.data["W_end"])):
        expect(f"same algebra, W of projection {k}", peer.w[k], wanted, RESIDENT_TOLERANCE)
    return f"same algebra: f64 trajectory, u to {gap:.1e} (the stored x is rounded to f32)"


def scanned(case: Case, iterations: int) -> list[str]:
    """The peers in JAX: the two presentations in f64, and a step in f32 by the iterations that are timed."""
    from .scanned import Scanned, jnp

    d, n_in, said = case.data, case.problem.n_in, []
    for name, resident in (("JAX plain", False), ("JAX same algebra", True)):
        peer = Scanned(case.problem, 1, resident, jnp.float64, ITERATIONS)
        peer.load(case.start())
        for show in case.presentations():
            peer.present(show)
        gap = expect(f"{name}, u at the end", peer.u, d["u"][-1].T[n_in:], RESIDENT_TOLERANCE)
        for k, wanted in enumerate(case.blocks(d["W_end"])):
            expect(f"{name}, W of projection {k}", peer.w[k], wanted, RESIDENT_TOLERANCE)
        said.append(f"{name}: f64 trajectory, u to {gap:.1e} (the stored x is rounded to f32)")
    s, state = case.middle()
    peer = Scanned(case.problem, 1, False, jnp.float32, iterations)
    peer.load(state)
    peer.present(Presentation(d["x"][s].T, d["x"][s + 1].T, d["y"][s].T, d["y"][s + 1].T, [1.0], [True]))
    gap = expect("JAX plain, u of the f32 step", peer.u, d["u"][s + 1].T[n_in:], case.tolerance["f32_single_step_abs"]["u"])
    return [*said, f"JAX plain: f32 step, u to {gap:.1e}"]


def twins(mode: str, iterations: int, jax: bool, cuda: bool) -> list[str]:
    """All formulations against the plain peer on two presentations of 5 samples, f64."""
    problem = Problem(sizes=(40, 30, 20, 10))
    exact = {"dtype": torch.float64, "iterations": iterations}
    plain = [Plain(problem, 5, factored=k, **exact) for k in (0, 1, 3)]
    others = {
        "plain, Ẇ of the first layer factored": plain[1],
        "plain, all Ẇ factored": plain[2],
        "same algebra": Resident(problem, 5, **exact),
        "plain compiled": CompiledPlain(problem, 5, mode=mode, **exact),
        "same algebra compiled": CompiledResident(problem, 5, mode=mode, **exact),
        "dense": Dense(problem, 5, torch.float64),
    }
    if jax:
        from .scanned import Scanned, jnp

        others["JAX plain"] = Scanned(problem, 5, False, jnp.float64, iterations)
        others["JAX same algebra"] = Scanned(problem, 5, True, jnp.float64, iterations)
    if cuda:
        from .graphed import Graphed

        others["plain, CUDA graph"] = Graphed(problem, 5, False, torch.float64, iterations)
        others["same algebra, CUDA graph"] = Graphed(problem, 5, True, torch.float64, iterations)
    start, shows = random_start(problem, 5, std=0.05), random_presentations(problem, 5, 20, 2)
    for peer in [plain[0], *others.values()]:
        peer.load(start)
        for show in shows:
            peer.present(show)
    said = []
    for name, peer in others.items():
        u = peer.u.T[problem.n_in :] if isinstance(peer, Dense) else peer.u
        gap = expect(f"{name} against plain", u, plain[0].u, TWIN_TOLERANCE)
        w = peer.w[peer.blocks[0]] if isinstance(peer, Dense) else peer.w[0]
        expect(f"{name} against plain, W", w, plain[0].w[0], TWIN_TOLERANCE)
        said.append(f"{name}: against plain, 40 learning steps of 5 samples, u to {gap:.1e}")
    return said


def check(folder: Path, mode: str, iterations: int, jax: bool, cuda: bool) -> list[str]:
    """Runs all checks; a line each."""
    case = Case(folder)
    problem = case.problem
    lines = [
        trajectory(case, "plain", Plain(problem, 1, torch.float64, ITERATIONS, tolerance=1e-13)),
        resident_trajectory(case),
        trajectory(case, "dense", Dense(problem, 1, torch.float64)),
        single_step(case, "plain", Plain(problem, 1, iterations=iterations)),
        single_step(case, "same algebra, its plain step", Resident(problem, 1, iterations=iterations)),
        single_step(case, "plain compiled", CompiledPlain(problem, 1, iterations=iterations, mode=mode)),
        single_step(case, "dense", Dense(problem, 1)),
    ]
    if jax:
        lines += scanned(case, iterations)
    # Ten outputs: exact by then.
    return lines + twins(mode, 10, jax, cuda)
