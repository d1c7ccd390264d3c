"""The matrix products of a peer's step alone: the floor under its time.

They are taken from one real step, operands and all (shapes, strides, contents), and replayed as `torch.mm(…, out=…)`.
"""

from __future__ import annotations

from typing import Any, Callable

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode


class Products(TorchDispatchMode):
    """Records the operands of every matrix product while it is active."""

    def __init__(self) -> None:
        super().__init__()
        self.pairs: list[tuple[Tensor, Tensor]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        if name == "mm":
            self.pairs.append((args[0], args[1]))
        elif name in ("addmm", "addmm_"):
            self.pairs.append((args[1], args[2]))
        elif name in ("bmm", "baddbmm", "baddbmm_", "mv", "addmv", "addmv_"):
            raise NotImplementedError(f"products alone know no {name}")
        return func(*args, **(kwargs or {}))

    def replay(self) -> Callable[[], None]:
        """A function that computes all of them once, into preallocated outputs."""
        work = [(a, b, torch.empty(a.shape[0], b.shape[1], dtype=a.dtype)) for a, b in self.pairs]

        def run() -> None:
            mm = torch.mm
            for a, b, out in work:
                mm(a, b, out=out)

        return run

    def multiply_adds(self) -> int:
        """Multiply-adds of all of them."""
        return sum(a.shape[0] * a.shape[1] * b.shape[1] for a, b in self.pairs)
