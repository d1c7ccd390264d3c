"""The authors' way of stepping their iEEG networks, in PyTorch: a dense H for the single sample at every step and its LU factorisation, f64.

`H = JᵀJ − diag(ρ''·(Wᵀδ)) + diag β`, `J = 1 − W diag ρ'`; `H u̇ = −f/τ + Jᵀ s + ρ'·(Ẇᵀδ) + β u̇*` with `s = Ẇ r̄` (model, sections 2, 3 and 8):
sigmoid, no input, no biases, plasticity and the clips of W in every step. `python -m peers.recurrent --binary BENCH` (see
`benches/peers/small`) holds the peer against a stored trajectory of the oracle, then times it and our `small` benchmark in turns.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

ROOT = Path(__file__).resolve().parents[3]
CASE = "p08_fully_recurrent_exact_sigmoid_no_input_beta_vector"
CHANNELS = 56


@dataclass
class Network:
    """Which neurons project where, and the constants of a run."""

    mask: Tensor  # [N, N], 1 where W[post, pre] is a synapse
    beta: Tensor  # [n_out]
    eta: float = 1e-3
    tau_ms: float = 10.0
    dt_ms: float = 1.0
    clip: float = math.inf


class DenseRecurrent:
    """One trajectory. `u`, `u_dot` `[N]`, `w` `[post, pre]`."""

    def __init__(self, net: Network, w: Tensor, u: Tensor, y_prev: Tensor) -> None:
        self.net, self.w, self.u, self.y_prev = net, w.clone(), u.clone(), y_prev.clone()
        self.u_dot = torch.zeros_like(u)
        self.identity = torch.eye(len(u), dtype=u.dtype)
        self.beta = torch.zeros_like(u)
        self.beta[len(u) - len(y_prev) :] = net.beta
        self.scaled_mask = net.eta * net.mask

    def step(self, y: Tensor, learn: bool = True) -> None:
        """One time step towards the targets `[n_out]`."""
        net, w, u = self.net, self.w, self.u
        out = slice(len(u) - len(y), None)
        r = torch.sigmoid(u)
        d = r * (1.0 - r)
        delta = u - w @ r
        apical = w.T @ delta
        j = self.identity - w * d
        h = j.T @ j
        h.diagonal().add_(self.beta - d * (1.0 - 2.0 * r) * apical)
        f = delta - d * apical
        f[out] -= self.beta[out] * (y - u[out])
        rhs = -f / net.tau_ms
        rhs[out] += self.beta[out] * (y - self.y_prev) / net.dt_ms
        if learn:
            w_dot = torch.outer(delta, r) * self.scaled_mask
            rhs += j.T @ (w_dot @ r) + d * (w_dot.T @ delta)
        self.u_dot = torch.linalg.solve(h, rhs)
        self.u = u + net.dt_ms * self.u_dot
        if learn:
            w.add_(w_dot, alpha=net.dt_ms)
        w.clamp_(-net.clip, net.clip)
        self.y_prev = y


def check() -> str:
    """The stored trajectory; raises if the peer leaves it."""
    folder = ROOT / "tests" / "parity"
    entry = next(c for c in json.loads((folder / "manifest.json").read_text())["cases"] if c["name"] == CASE)
    data = {k: torch.from_numpy(v) for k, v in np.load(folder / entry["file"]).items()}
    model, allowed = entry["model"], entry["tolerance"]["f64_trajectory_abs"]
    clips = {p["clip"] for p in model["projections"]}
    n = data["u0"].shape[-1]
    net = Network(
        mask=1.0 - torch.eye(n, dtype=torch.float64),
        beta=data["beta"][0].double(),
        eta=model["rate_W"],
        tau_ms=model["tau_ms"],
        dt_ms=model["dt_ms"],
        clip=min((c for c in clips if c is not None), default=math.inf),
    )
    peer = DenseRecurrent(net, data["W0"].double(), data["u0"][0].double(), data["y_prev"][0].double())
    gap = 0.0
    for t in range(entry["steps"]):
        peer.beta[n - len(net.beta) :] = data["beta"][t].double()
        peer.step(data["y"][t, 0].double(), bool(data["learn"][t, 0]))
        for name, found, wanted in (("u", peer.u, data["u"][t, 0]), ("u_dot", peer.u_dot, data["u_dot"][t, 0])):
            off = (found - wanted).abs().max().item()
            if not off <= allowed[name]:
                raise SystemExit(f"parity  FAILED  {name} of step {t}: off by {off:.2e}; nothing was timed")
            gap = max(gap, off)
    off = (peer.w - data["W_end"]).abs().max().item()
    if not off <= allowed["W"]:
        raise SystemExit(f"parity  FAILED  W at the end: off by {off:.2e}; nothing was timed")
    return f"dense LU, fully recurrent: f64 trajectory of {entry['steps']} steps, off by {max(gap, off):.1e}"


def network(layered: bool) -> tuple[DenseRecurrent, Network]:
    """The authors' networks with drawn weights, at rest (u = W ρ(u)), where the targets are the outputs."""
    g = torch.Generator().manual_seed(1)
    sizes = (40, 100, CHANNELS) if layered else (40, CHANNELS)
    n, ends = sum(sizes), np.cumsum((0, *sizes))
    std, clip = (0.3, 1.0) if layered else (0.1, 0.3)
    mask = torch.zeros(n, n, dtype=torch.float64)
    for a in range(len(sizes)):
        for b in range(len(sizes)):
            if not layered or abs(a - b) == 1:
                mask[ends[a] : ends[a + 1], ends[b] : ends[b + 1]] = 1.0
    mask.fill_diagonal_(0.0)
    w = (std * torch.randn(n, n, generator=g, dtype=torch.float64)).clamp_(-clip, clip) * mask
    u = torch.zeros(n, dtype=torch.float64)
    for _ in range(2000):
        u = 0.5 * (u + w @ torch.sigmoid(u))
    net = Network(mask, torch.full((CHANNELS,), 0.1, dtype=torch.float64), clip=clip)
    return DenseRecurrent(net, w, u, u[-CHANNELS:]), net


def signal(steps: int) -> Tensor:
    """56 seeded channels, sampled every 2 ms and interpolated: random walks that are pulled back within 50 ms, of deviation 0.5."""
    g = torch.Generator().manual_seed(2)
    kept = math.exp(-2.0 / 50.0)
    rows = [0.5 * torch.randn(CHANNELS, generator=g, dtype=torch.float64)]
    for _ in range(steps // 2 + 1):
        kick = 0.5 * math.sqrt(1.0 - kept * kept) * torch.randn(CHANNELS, generator=g, dtype=torch.float64)
        rows.append(kept * rows[-1] + kick)
    slices = torch.stack([v for a, b in zip(rows, rows[1:]) for v in (a, 0.5 * (a + b))])[:steps]
    return slices


def time_peer(layered: bool, steps: int, lead: int) -> float:
    """µs a step, after `lead` steps of which the first half goes to the signal."""
    peer, _ = network(layered)
    rest, y = peer.y_prev.clone(), signal(lead + steps)
    for t in range(lead):
        share = min(1.0, 2.0 * t / lead)
        peer.step(rest + share * (y[t] - rest))
    begun = time.perf_counter()
    for t in range(lead, lead + steps):
        peer.step(y[t])
    elapsed = time.perf_counter() - begun
    if not torch.isfinite(peer.u).all():
        raise SystemExit("a voltage of the peer is not finite")
    return 1e6 * elapsed / steps


def time_ours(binary: Path, words: list[str]) -> float:
    """µs a step of all windows, from our benchmark."""
    text = subprocess.run([str(binary), "--csv", *words], check=True, capture_output=True, text=True).stdout
    return float(text.split(",")[2])


def main() -> None:
    """Parity, then the table."""
    parser = argparse.ArgumentParser(prog="benches/peers/small", description=__doc__)
    parser.add_argument("--binary", type=Path, required=True, help="our `small` benchmark")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=300)
    asked = parser.parse_args()
    torch.set_grad_enabled(False)
    print(f"parity  {check()}", file=sys.stderr)
    rows: dict[str, list[float]] = {}
    lead = 100
    for layered, name in ((True, "layered"), (False, "full")):
        for _ in range(asked.rounds):
            for threads in (1, 2):
                torch.set_num_threads(threads)
                rows.setdefault(f"{name}: peer, {threads} thread(s)", []).append(time_peer(layered, asked.steps, lead))
            common = ["--network", name, "--rounds", "1"]
            ours = {
                "ours f64, 1e-9": common,
                "ours f32, 1e-6": [*common, "--precision", "f32"],
                "ours f32, 1e-6, 32 windows": [*common, "--precision", "f32", "--batch", "32", "--steps", "300"],
            }
            for what, words in ours.items():
                rows.setdefault(f"{name}: {what}", []).append(time_ours(asked.binary, words))
    print(f"load average {os.getloadavg()[0]:.1f}, PyTorch {torch.__version__}, {asked.rounds} rounds in turns")
    print("| step | µs: median (range) | a slice | peer / ours |\n| --- | --- | --- | --- |")
    for name, times in rows.items():
        kind = name.split(":")[0]
        peer = min(statistics.median(v) for k, v in rows.items() if k.startswith(f"{kind}: peer"))
        middle, windows = statistics.median(times), 32 if "32 windows" in name else 1
        print(f"| {name} | {middle:.1f} ({min(times):.1f}-{max(times):.1f}) | {middle / windows:.2f} | {peer * windows / middle:.1f} |")


if __name__ == "__main__":
    main()
