"""The eager peers on an NVIDIA GPU as CUDA graphs: the steps of a presentation are recorded once and replayed, so that no launch costs Python.

They are written for preallocated buffers in place, which is what a graph needs. The ramp is part of the recording.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .plain import Plain
from .problem import Presentation, Problem, State
from .resident import Resident


class Graphed:
    """A peer whose presentations are replayed."""

    def __init__(
        self, problem: Problem, batch: int, resident: bool = False, dtype: torch.dtype = torch.float32, iterations: int = 2
    ) -> None:
        # Products in single precision, not TF32: the same problem as ours.
        torch.backends.cuda.matmul.allow_tf32 = False
        with torch.device("cuda"):
            self.peer = (Resident if resident else Plain)(problem, batch, dtype, iterations)
        self.graph: Any = None
        self.recorded: tuple[list[float], list[bool]] = ([], [])

    def load(self, state: State) -> None:
        """Copies a start into the peer."""
        self.peer.load(state)
        self.start = state

    def record(self, show: Presentation) -> None:
        """Warms up beside the default stream, as a recording asks, records, and goes back to where it started."""
        if len(show.ramp) % 2 != 0:
            raise ValueError("a recording needs an even number of steps: the buffers of input and target take turns")
        self.peer.begin(show)
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(2):
                self.peer.steps(show.ramp, show.learn)
        torch.cuda.current_stream().wait_stream(stream)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.peer.steps(show.ramp, show.learn)
        self.recorded = (show.ramp, show.learn)
        self.peer.load(self.start)

    def present(self, show: Presentation) -> None:
        """All steps of one mini-batch, samples brought to the device included."""
        if self.graph is None:
            self.record(show)
        if (show.ramp, show.learn) != self.recorded:
            raise ValueError("the recording is of another ramp")
        self.peer.begin(show)
        self.graph.replay()
        torch.cuda.synchronize()

    @property
    def u(self) -> Tensor:
        """`[n_free, batch]`."""
        return self.peer.u.cpu()

    @property
    def w(self) -> list[Tensor]:
        """Weights by projection."""
        return [w.cpu() for w in self.peer.w]
