"""What all peers compute: a layered network, its constants, and the stimulus of a presentation.

Units: time in ms, voltages without a unit, learning rates per ms. All states are `[neurons, batch]`, so that a layer is a
contiguous block of rows and every product is `W @ x`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(frozen=True)
class Problem:
    """A feedforward network of hard sigmoids with clamped inputs, integrator `exact`, plasticity at every step."""

    sizes: tuple[int, ...] = (784, 300, 100, 10)
    tau_ms: float = 10.0
    dt_ms: float = 1.0
    beta: float = 0.1
    # Learning rate times factor of each projection and of the bias of each free population, per ms.
    weight_rates: tuple[float, ...] = (1e-3, 0.5e-3, 2e-3)
    bias_rates: tuple[float, ...] = (1e-3, 1e-3, 1e-3)

    @classmethod
    def of(cls, network: str) -> Problem:
        """With the sizes of `784-500-10`, the first and last projections learning as in the default."""
        sizes = tuple(int(n) for n in network.split("-"))
        rates = (*[1e-3] * min(1, len(sizes) - 2), *[0.5e-3] * (len(sizes) - 3), 2e-3)
        return cls(sizes=sizes, weight_rates=rates, bias_rates=(1e-3,) * (len(sizes) - 1))

    @property
    def name(self) -> str:
        """Sizes, `784-300-100-10`."""
        return "-".join(str(n) for n in self.sizes)

    @property
    def n_in(self) -> int:
        """Clamped input neurons."""
        return self.sizes[0]

    @property
    def n_out(self) -> int:
        """Output neurons."""
        return self.sizes[-1]

    @property
    def n_free(self) -> int:
        """Neurons that are integrated."""
        return sum(self.sizes[1:])

    @property
    def layers(self) -> list[slice]:
        """Rows of each free population in a `[n_free, batch]` state."""
        ends = [sum(self.sizes[1 : k + 1]) for k in range(len(self.sizes))]
        return [slice(a, b) for a, b in zip(ends, ends[1:])]


@dataclass
class State:
    """Where a run starts; `float64`, copied into a peer by its `load`."""

    weights: list[Tensor]  # [post, pre] of each projection
    biases: Tensor  # [n_free]
    u: Tensor  # [n_free, batch]
    x_prev: Tensor  # [n_in, batch]: what the clamped inputs hold
    y_prev: Tensor  # [n_out, batch]


@dataclass
class Presentation:
    """One mini-batch of static samples: `old + (new − old)·s` for each s of the ramp; `float64`."""

    x_old: Tensor  # [n_in, batch]
    x_new: Tensor
    y_old: Tensor  # [n_out, batch]
    y_new: Tensor
    ramp: list[float] = field(default_factory=list)
    learn: list[bool] = field(default_factory=list)  # one a step


def logistic_ramp(steps: int, start: float = -20.0, end: float = 90.0) -> list[float]:
    """`s_k = 1/(1 + e^{−x_k/4})`, x_k from `start` to `end`, both ends included (model, section 7)."""
    x = torch.linspace(start, end, steps, dtype=torch.float64)
    return torch.sigmoid(x / 4).tolist()


def random_start(problem: Problem, batch: int, seed: int = 1, std: float = 0.1) -> State:
    """Weights and biases N(0, std) clipped to ±3 std, voltages in 0.05..0.9, random pixels of which half are 0."""
    g = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return (std * torch.randn(*shape, generator=g, dtype=torch.float64)).clamp_(-3 * std, 3 * std)

    weights = [normal(post, pre) for pre, post in zip(problem.sizes, problem.sizes[1:])]
    u = 0.05 + 0.85 * torch.rand(problem.n_free, batch, generator=g, dtype=torch.float64)
    x, y = random_sample(problem, batch, seed)
    return State(weights, normal(problem.n_free), u, x, y)


def random_sample(problem: Problem, batch: int, seed: int) -> tuple[Tensor, Tensor]:
    """Pixels `[n_in, batch]` as bytes over 255, half of them 0, and one-hot targets `[n_out, batch]`."""
    g = torch.Generator().manual_seed(1000 + seed)
    x = torch.randint(0, 256, (problem.n_in, batch), generator=g).double() / 255
    x *= torch.rand(problem.n_in, batch, generator=g) < 0.5
    label = torch.randint(0, problem.n_out, (batch,), generator=g)
    y = torch.nn.functional.one_hot(label, problem.n_out).double().T.contiguous()
    return x, y


def random_presentations(problem: Problem, batch: int, steps: int, count: int, seed: int = 1) -> list[Presentation]:
    """`count` mini-batches, each of which ramps from the one before it; the first starts at that of `random_start`."""
    samples = [random_sample(problem, batch, seed + k) for k in range(count + 1)]
    ramp = logistic_ramp(steps)
    return [
        Presentation(x0, x1, y0, y1, ramp, [True] * steps)
        for (x0, y0), (x1, y1) in zip(samples, samples[1:])
    ]
