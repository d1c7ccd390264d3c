"""The peer with the same algebra as our resident plan: inside a presentation the first layer's weights are not touched.

While a mini-batch ramps, its input rates are `x_old + s·(x_new − x_old)`. So `V = W x_old`, `Q = W (x_new − x_old)` and the
overlaps of the 2·batch patterns are all that a step needs of W; what is learned has rank 2·batch and enters W at the end.
The first step of a presentation, where the input still is where the ramp before ended, runs plainly.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .plain import Plain, cheapest_split
from .problem import Problem


class Resident(Plain):
    """As `Plain`, for presentations only."""

    def __init__(
        self,
        problem: Problem,
        batch: int,
        dtype: torch.dtype = torch.float32,
        iterations: int = 2,
        factored: int | None = None,
        tolerance: float | None = None,
    ) -> None:
        # The first layer counts as factored: its Ẇ is formed in no case.
        factored = max(1, cheapest_split(problem, batch) if factored is None else factored)
        super().__init__(problem, batch, dtype, iterations, factored, tolerance)
        n, width = problem.sizes[1], 2 * batch
        self.patterns = torch.zeros(problem.n_in, width, dtype=dtype)  # [x_old | x_new − x_old]
        self.overlaps = torch.zeros(width, width, dtype=dtype)
        self.overlaps_old, self.overlaps_change = self.overlaps[:batch], self.overlaps[batch:]
        # Overlaps of the present rates with the patterns, [batch, 2·batch].
        self.present_overlaps = torch.zeros(batch, width, dtype=dtype)
        # [V | Q], their rates, and the sum of what W learns, [n, 2·batch].
        self.drives, self.drive_rates, self.learned = (torch.zeros(n, width, dtype=dtype) for _ in range(3))
        self.v, self.q_drive = self.drives[:, :batch], self.drives[:, batch:]
        self.v_rate, self.q_rate = self.drive_rates[:, :batch], self.drive_rates[:, batch:]
        self.learned_old, self.learned_change = self.learned[:, :batch], self.learned[:, batch:]
        self.inside, self.s, self.s_before = False, 0.0, 0.0

    def steps(self, ramp: list[float], learns: list[bool]) -> None:
        self.inside = False
        for k, (s, learn) in enumerate(zip(ramp, learns)):
            if k == 1:
                self.enter(ramp[0])
            self.ramp_step(s, learn)
        if self.inside:
            self.leave()

    def enter(self, s: float) -> None:
        """V, Q and the overlaps."""
        batch = self.batch
        self.patterns[:, :batch].copy_(self.old.x)
        self.patterns[:, batch:].copy_(self.change.x)
        torch.mm(self.w[0], self.patterns, out=self.drives)
        torch.mm(self.patterns.t(), self.patterns, out=self.overlaps)
        self.learned.zero_()
        self.inside, self.s = True, s

    def leave(self) -> None:
        """What was learned enters W; the input takes the last value of the ramp."""
        self.w[0].addmm_(self.learned, self.patterns.t())
        torch.add(self.old.x, self.change.x, alpha=self.s, out=self.before.x)
        self.inside = False

    def ramp_step(self, s: float, learn: bool) -> None:
        if not self.inside:
            super().ramp_step(s, learn)
            return
        self.s_before, self.s = self.s, s
        torch.add(self.old.y, self.change.y, alpha=s, out=self.now.y)
        self.step(learn)

    def stimulus_rate(self) -> None:
        if self.inside:
            torch.sub(self.now.y, self.before.y, out=self.difference.y)
        else:
            super().stimulus_rate()

    def input_mismatch(self, delta: Tensor, r: Tensor) -> None:
        if not self.inside:
            super().input_mismatch(delta, r)
            return
        delta.sub_(self.v).sub_(self.q_drive, alpha=self.s_before)

    def input_drive(self, c: Tensor, delta: Tensor, r: Tensor, r_t: Tensor, learn: bool) -> None:
        if not self.inside:
            super().input_drive(c, delta, r, r_t, learn)
            return
        dt, s = self.problem.dt_ms, self.s_before
        c.add_(self.q_drive, alpha=(self.s - s) / dt)
        if not learn:
            return
        kappa = self.problem.weight_rates[0] / self.batch
        torch.add(self.overlaps_old, self.overlaps_change, alpha=s, out=self.present_overlaps)
        rates = self.drive_rates
        torch.addmm(rates, delta, self.present_overlaps, beta=0.0, alpha=kappa, out=rates)
        c.add_(self.v_rate).add_(self.q_rate, alpha=s)
        self.drives.add_(rates, alpha=dt)
        self.learned_old.add_(delta, alpha=kappa * dt)
        self.learned_change.add_(delta, alpha=kappa * dt * s)

    def learn_factored(self, r_t: list[Tensor]) -> None:
        for k in range(1 if self.inside else 0, self.factored):
            kappa = self.problem.dt_ms * self.problem.weight_rates[k] / self.batch
            self.w[k].addmm_(self.layer_views["delta"][k], r_t[k], alpha=kappa)
