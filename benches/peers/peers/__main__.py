"""`benches/peers/run`: parity, then the table. Exit code 1 if a peer does not pass, before anything is timed."""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy
import torch

from . import parity
from .problem import Problem
from .timing import Row, measure, measure_dense

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
ORDER = [
    "ours plain",
    "ours resident",
    "ours, GPU plain",
    "ours, GPU resident",
    "plain eager",
    "plain compiled",
    "plain JAX",
    "plain, CUDA graph",
    "plain, products alone",
    "same algebra eager",
    "same algebra compiled",
    "same algebra JAX",
    "same algebra, CUDA graph",
    "same algebra, products alone",
]


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="benches/peers/run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small check: batch 1 and 32, 2 rounds, 20 steps, nothing compiled")
    parser.add_argument("--save", action="store_true", help="store the table under benches/results/")
    parser.add_argument("--network", default="784-300-100-10", help="sizes of the layers")
    parser.add_argument("--batch", default="1,32,128,512", help="comma list of batch sizes")
    parser.add_argument("--steps", type=int, default=100, help="time steps a presentation")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--mode", default="default", help="mode of torch.compile")
    parser.add_argument("--no-compile", action="store_true")
    parser.add_argument("--cuda", action="store_true", help="CUDA graphs as well, and ours on the GPU (LAGRANGE_TEST_ADAPTER names it)")
    parser.add_argument("--no-jax", action="store_true")
    parser.add_argument("--no-dense", action="store_true")
    parser.add_argument("--dense-batch", default="32,180")
    parser.add_argument("--no-ours", action="store_true")
    parser.add_argument("--no-cpp-wrapper", action="store_true", help="inductor calls its kernels from Python")
    parser.add_argument("--binary", type=Path, help="our `speed` benchmark")
    found = parser.parse_args()
    if found.quick:
        found.batch, found.steps, found.rounds, found.no_compile, found.no_dense = "1,32", 20, 2, True, True
        found.no_jax = True
    return found


def cpu_name() -> str:
    """Model of the processor."""
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown CPU"


def commit() -> str:
    """Of this checkout, with `+` where it has changes."""
    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True).stdout.strip()

    return (git("rev-parse", "--short=12", "HEAD") or "unknown") + ("+" if git("status", "--porcelain") else "")


def cell(row: Row) -> str:
    """Median, and the range in brackets."""
    return f"{row.median:.3g} ({min(row.ms):.3g}-{max(row.ms):.3g})"


def table(rows: list[Row], batches: list[int]) -> list[str]:
    """ms a step by batch, and the ratio to our resident plan."""
    found = {(r.name, r.batch): r for r in rows}
    lines = [
        "| ms a step: median (range); × our resident plan | " + " | ".join(f"batch {b}" for b in batches) + " |",
        "| --- |" + " --- |" * len(batches),
    ]
    for name in ORDER:
        if ("CUDA" in name or "GPU" in name) and not any((name, batch) in found for batch in batches):
            continue
        cells = []
        for batch in batches:
            row, base = found.get((name, batch)), found.get(("ours resident", batch))
            if row is None:
                cells.append("not run")
                continue
            ratio = f"; ×{row.median / base.median:.2g}" if base else ""
            cells.append(cell(row) + ratio)
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def dense_table(rows: list[Row]) -> list[str]:
    """The dense step in lines of its own."""
    lines = ["| dense step | batch | ms a step: median (range) |", "| --- | --- | --- |"]
    return lines + [f"| {r.name} | {r.batch} | {cell(r)} |" for r in rows]


def main() -> int:
    """Checks, measures, prints."""
    asked = options()
    torch.set_grad_enabled(False)
    torch.set_num_threads(asked.threads)
    mode = None if asked.no_compile else asked.mode
    if mode and not asked.no_cpp_wrapper:
        import torch._inductor.config as inductor

        inductor.cpp_wrapper = True
    if asked.cuda and not torch.cuda.is_available():
        print("--cuda: PyTorch finds no CUDA device", file=sys.stderr)
        return 1
    try:
        for line in parity.check(ROOT / "tests" / "parity", mode or "eager", iterations=3, jax=not asked.no_jax, cuda=asked.cuda):
            print(f"parity  {line}", file=sys.stderr, flush=True)
    except parity.Mismatch as wrong:
        print(f"parity  FAILED  {wrong}\nnothing was timed", file=sys.stderr)
        return 1
    problem, batches = Problem.of(asked.network), [int(b) for b in asked.batch.split(",")]
    binary = None if asked.no_ours else asked.binary
    rows: list[Row] = []
    load = os.getloadavg()[0]
    if load > 0.5:
        warning = "the peers' threads wait for each other, their times will be too long"
        print(f"the machine is not idle (load average {load:.1f}): {warning}", file=sys.stderr)
    for batch in batches:
        print(f"timing  batch {batch}", file=sys.stderr, flush=True)
        rows += measure(problem, batch, asked.steps, asked.rounds, mode, not asked.no_jax, asked.cuda, binary)
        torch._dynamo.reset()
    device = cpu_name()
    text = [
        f"# Peers, {problem.name}, {device}",
        "",
        f"One time step with learning, f32, clamped inputs, hard sigmoid, β = 0.1, `exact` to 1e-5; presentations of {asked.steps} steps, set-up "
        f"included; {asked.rounds} rounds, interleaved. {asked.threads} threads, load average at the start {load:.1f}. Commit {commit()}, PyTorch {torch.__version__} "
        f"({torch.backends.cpu.get_cpu_capability()}, MKL {'yes' if torch.backends.mkl.is_available() else 'no'}), "
        f"torch.compile mode {mode or 'not run'}, JAX {'not run' if asked.no_jax else version('jax')}, NumPy {numpy.__version__}, Python {platform.python_version()}, "
        f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC.",
        "",
        *table(rows, batches),
    ]
    if not asked.no_dense:
        sizes = [int(b) for b in asked.dense_batch.split(",")]
        print("timing  dense", file=sys.stderr, flush=True)
        text += ["", *dense_table(measure_dense(problem, sizes, rounds=2, steps=1))]
    text += ["", *(f"- {r.name}, batch {r.batch}: {r.note}." for r in rows if r.note)]
    print("\n".join(text))
    if asked.save:
        folder = ROOT / "benches" / "results"
        folder.mkdir(exist_ok=True)
        name = "".join(c if c.isalnum() else "-" for c in device.lower()).strip("-")
        path = folder / f"peers-{problem.name}-{name}-{commit().rstrip('+')}.md"
        path.write_text("\n".join(text) + "\n")
        print(f"saved  {path.relative_to(ROOT)}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
