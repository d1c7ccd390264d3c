"""The peers through `torch.compile` (inductor, C++): the same arithmetic as the eager ones, a step as one graph.

Both learn in every step; the presentation's set-up and the first, plain step of the resident peer are as in the eager ones.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from .functional import plain_step, resident_step
from .plain import cheapest_split
from .problem import Presentation, Problem, State


def compiler(mode: str) -> dict[str, object]:
    """Arguments of `torch.compile`. `reduce-overhead` means CUDA graphs and does nothing on a CPU."""
    return {"dynamic": False, "fullgraph": True, **({} if mode == "default" else {"mode": mode})}


class CompiledPlain:
    """As `Plain`. `u` and the weights are lists by layer; `params` of the eager peer is not kept."""

    def __init__(
        self, problem: Problem, batch: int, dtype: torch.dtype = torch.float32, iterations: int = 2,
        factored: int | None = None, mode: str = "default",
    ) -> None:  # fmt: skip
        self.problem, self.batch, self.dtype = problem, batch, dtype
        self.factored = cheapest_split(problem, batch) if factored is None else factored
        step = partial(plain_step, problem, self.factored, iterations)
        self.compiled = torch.compile(step, **compiler(mode)) if mode != "eager" else step

    def load(self, state: State) -> None:
        """Copies a start into the peer."""
        self.w = [w.to(self.dtype) for w in state.weights]
        self.b = state.biases.view(-1, 1).to(self.dtype)
        self.layers = [state.u[rows].to(self.dtype).contiguous() for rows in self.problem.layers]
        self.before = torch.cat((state.x_prev, state.y_prev)).to(self.dtype)

    @property
    def u(self) -> Tensor:
        """`[n_free, batch]`."""
        return torch.cat(self.layers)

    def begin(self, show: Presentation) -> None:
        """Takes the samples."""
        self.old = torch.cat((show.x_old, show.y_old)).to(self.dtype)
        self.change = torch.cat((show.x_new, show.y_new)).to(self.dtype) - self.old
        self.ramp = torch.tensor(show.ramp, dtype=self.dtype).unbind()

    def present(self, show: Presentation) -> None:
        """All steps of one mini-batch."""
        self.begin(show)
        for s in self.ramp:
            self.plain(s)

    def plain(self, s: Tensor) -> None:
        """One step that touches all weights."""
        self.w, self.b, self.layers, self.before = self.compiled(
            self.w, self.b, self.layers, self.old, self.change, self.before, s
        )


class CompiledResident(CompiledPlain):
    """As `Resident`."""

    def __init__(
        self, problem: Problem, batch: int, dtype: torch.dtype = torch.float32, iterations: int = 2,
        factored: int | None = None, mode: str = "default",
    ) -> None:  # fmt: skip
        super().__init__(problem, batch, dtype, iterations, factored, mode)
        step = partial(resident_step, problem, max(1, self.factored), iterations)
        self.compiled_resident = torch.compile(step, **compiler(mode)) if mode != "eager" else step

    def present(self, show: Presentation) -> None:
        self.begin(show)
        n_in = self.problem.n_in
        self.plain(self.ramp[0])
        if len(self.ramp) == 1:
            return
        patterns = torch.cat((self.old[:n_in], self.change[:n_in]), 1)
        drives, overlaps = torch.mm(self.w[0], patterns), torch.mm(patterns.t(), patterns)
        learned, y = torch.zeros_like(drives), self.before[n_in:].clone()
        y_old, y_change = self.old[n_in:].clone(), self.change[n_in:].clone()
        for s_before, s in zip(self.ramp, self.ramp[1:]):
            self.w, self.b, self.layers, y, drives, learned = self.compiled_resident(
                self.w, self.b, self.layers, y_old, y_change, y, s, s_before, overlaps, drives, learned
            )
        self.w[0] = torch.addmm(self.w[0], learned, patterns.t())
        self.before = self.old + self.ramp[-1] * self.change
