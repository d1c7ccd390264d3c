"""Times peers and ours, interleaved: one round measures everything once; medians and spread over the rounds.

A measurement is one presentation of `steps` time steps (set-up included, as in ours), after a warm-up of one presentation.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

import torch

from .compiled import CompiledPlain, CompiledResident
from .dense import Dense
from .plain import Plain
from .problem import Presentation, Problem, random_presentations, random_sample, random_start
from .products import Products
from .resident import Resident

# Weights of the main job: N(0, 0.05), clipped.
WEIGHT_STD = 0.05
TOLERANCE = 1e-5


@dataclass
class Row:
    """Milliseconds a step, one entry a round."""

    name: str
    batch: int
    ms: list[float] = field(default_factory=list)
    note: str = ""

    @property
    def median(self) -> float:
        """Median over the rounds."""
        return statistics.median(self.ms)


Timer = Callable[[], float]


def iterations_needed(problem: Problem, batch: int, steps: int, at_most: int = 10) -> tuple[int, float]:
    """The fewest fixed iterations that keep the relative residual below the tolerance in all steps, and what they leave."""
    for count in range(1, at_most + 1):
        # A tolerance that is never met: the residual after all iterations is noted.
        peer = Plain(problem, batch, iterations=count, tolerance=1e-30)
        peer.load(random_start(problem, batch, std=WEIGHT_STD))
        for show in random_presentations(problem, batch, steps, 2):
            peer.present(show)
        if peer.residual <= TOLERANCE:
            return count, peer.residual
    raise RuntimeError(f"{at_most} iterations leave a relative residual above {TOLERANCE:.0e}")


def presentation_timer(peer: Any, problem: Problem, batch: int, steps: int) -> Timer:
    """Loads a peer, warms it up (compilation included) and returns what times one presentation."""
    peer.load(random_start(problem, batch, std=WEIGHT_STD))
    shows = random_presentations(problem, batch, steps, 3)
    for show in shows[:2]:
        peer.present(show)
    turn = 0

    def once() -> float:
        nonlocal turn
        show = shows[turn % len(shows)]
        turn += 1
        begun = time.perf_counter()
        peer.present(show)
        elapsed = time.perf_counter() - begun
        if not torch.isfinite(peer.u).all():
            raise RuntimeError(f"{type(peer).__name__} at batch {batch}: a voltage that is not finite")
        return 1e3 * elapsed / steps

    return once


def faster_threads(problem: Problem, batch: int, steps: int, iterations: int, at_most: int) -> int:
    """1 or `at_most` threads, whichever runs the plain eager peer faster: small products gain nothing from a second one."""
    best = {}
    for threads in sorted({1, at_most}):
        torch.set_num_threads(threads)
        timer = presentation_timer(Plain(problem, batch, iterations=iterations), problem, batch, steps)
        best[threads] = min(timer() for _ in range(5))
    return min(best, key=lambda threads: best[threads])


def product_timer(peer: Plain, show: Presentation, steps: int) -> tuple[Timer, str]:
    """The matrix products of one step of a loaded peer, replayed."""
    peer.begin(show)
    peer.ramp_step(show.ramp[0], True)
    if isinstance(peer, Resident):
        peer.enter(show.ramp[0])
        peer.ramp_step(show.ramp[1], True)
    record = Products()
    with record:
        peer.ramp_step(show.ramp[2], True)
    replay = record.replay()
    replay()

    def once() -> float:
        begun = time.perf_counter()
        for _ in range(steps):
            replay()
        return 1e3 * (time.perf_counter() - begun) / steps

    return once, f"{len(record.pairs)} products, {record.multiply_adds() / 1e6:.1f} M multiply-adds"


def dense_timer(problem: Problem, batch: int, clamped: bool, steps: int) -> Timer:
    """A few steps of the dense peer; nothing is amortised there."""
    peer = Dense(problem, batch, clamped=clamped)
    peer.load(random_start(problem, batch, std=WEIGHT_STD))
    x, y = (v.T.float() for v in random_sample(problem, batch, 2))
    peer.step(0.01 * x, 0.01 * y)

    def once() -> float:
        begun = time.perf_counter()
        for k in range(steps):
            peer.step(x * (0.02 + 0.01 * k), y * (0.02 + 0.01 * k))
        elapsed = time.perf_counter() - begun
        if int(peer.info.abs().max()) != 0 or not torch.isfinite(peer.u).all():
            raise RuntimeError(f"dense at batch {batch}: a factorisation failed")
        return 1e3 * elapsed / steps

    return once


def ours(binary: Path, problem: Problem, batch: int, steps: int, gpu: bool) -> dict[str, tuple[float, str]]:
    """One run of our benchmark: ms a step by plan, and the iterations it took."""
    text = subprocess.run(
        [str(binary), "--csv", "--network", problem.name, "--batch", str(batch), "--steps", str(steps)]
        + ["--gpu"] * gpu,
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    found = {}
    for line in text.splitlines():
        if match := re.fullmatch(r"(\w+),(\d+),([\d.e-]+),([\d.]+)", line):
            found[match[1]] = (float(match[3]), match[4])
    if set(found) != {"plain", "resident"}:
        raise RuntimeError(f"{binary} --csv printed no times: {text!r}")
    return found


def timers(
    problem: Problem, batch: int, steps: int, iterations: int, mode: str | None, jax: bool, cuda: bool
) -> dict[str, tuple[Timer, str]]:  # fmt: skip
    """All layered peers of one batch, ready to be timed."""
    start, show = random_start(problem, batch, std=WEIGHT_STD), random_presentations(problem, batch, steps, 1)[0]
    said = f"{iterations} iterations"
    found: dict[str, tuple[Timer, str]] = {}
    for name, eager, compiled in (("plain", Plain, CompiledPlain), ("same algebra", Resident, CompiledResident)):
        peer = eager(problem, batch, iterations=iterations)
        found[f"{name} eager"] = presentation_timer(peer, problem, batch, steps), said
        if mode:
            peer = compiled(problem, batch, iterations=iterations, mode=mode)
            found[f"{name} compiled"] = presentation_timer(peer, problem, batch, steps), said
        if jax:
            from .scanned import Scanned

            peer = Scanned(problem, batch, eager is Resident, iterations=iterations)
            found[f"{name} JAX"] = presentation_timer(peer, problem, batch, steps), said
        if cuda:
            from .graphed import Graphed

            peer = Graphed(problem, batch, eager is Resident, iterations=iterations)
            found[f"{name}, CUDA graph"] = presentation_timer(peer, problem, batch, steps), said
        peer = eager(problem, batch, iterations=iterations)
        peer.load(start)
        found[f"{name}, products alone"] = product_timer(peer, show, steps)
    return found


def measure(
    problem: Problem, batch: int, steps: int, rounds: int, mode: str | None, jax: bool, cuda: bool, binary: Path | None
) -> list[Row]:
    """All layered peers and ours at one batch, interleaved."""
    iterations, residual = iterations_needed(problem, batch, steps)
    threads = torch.get_num_threads()
    if batch < 8:
        torch.set_num_threads(faster_threads(problem, batch, steps, iterations, threads))
    work = timers(problem, batch, steps, iterations, mode, jax, cuda)
    rows = {name: Row(name, batch, note=note) for name, (_, note) in work.items()}
    devices = ("ours", "ours, GPU") if cuda else ("ours",)
    for name in (f"{device} {plan}" for device in devices for plan in ("plain", "resident")) if binary else ():
        rows[name] = Row(name, batch)
    for _ in range(rounds):
        for device in devices if binary else ():
            for plan, (ms, most) in ours(binary, problem, batch, steps, device != "ours").items():
                rows[f"{device} {plan}"].ms.append(ms)
                rows[f"{device} {plan}"].note = f"at most {most} iterations"
        for name, (timer, _) in work.items():
            rows[name].ms.append(timer())
    rows["plain eager"].note += f" leave a relative residual of {residual:.0e}; peers with {torch.get_num_threads()} thread(s)"
    torch.set_num_threads(threads)
    return list(rows.values())


def measure_dense(problem: Problem, batches: list[int], rounds: int, steps: int) -> list[Row]:
    """The dense step, with all neurons as in the authors' script and with the free ones alone."""
    rows = []
    for batch in batches:
        for clamped in (False, True):
            neurons = problem.n_free if clamped else problem.n_in + problem.n_free
            name = f"dense, N = {neurons} ({'clamped' if clamped else 'driven'} inputs)"
            timer = dense_timer(problem, batch, clamped, steps)
            rows.append(Row(name, batch, [timer() for _ in range(rounds)]))
    return rows
