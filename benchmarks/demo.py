"""Load on the demo: visitors who edit without a pause, all on one page on loopback.

python benchmarks/demo.py [--clients 20] [--strangers 0] [--seconds 60] [--plot m.png] [--short]

Each visitor uploads the portrait of examples/, waits until it is read, and then moves a slider
again as soon as the last picture has arrived and been fetched. Counted are edits and errors, and
timed is the way from a move to the fetched picture. Strangers, beside them, send damaged and
oversized pictures, hang up, read and write slowly, ask for files of the machine, and send broken
requests; whatever gets through is an error too. The demo runs in a process of its own, whose memory
and temporary files are watched.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
from demo_parts.serving import Sample, serving
from demo_parts.strangers import Stranger
from demo_parts.visitor import Visitor

PORTRAIT = Path(__file__).parent.parent / "examples" / "astronaut.jpg"


def visit(address: str, model: str, seconds: float) -> tuple[list[float], list[str]]:
    """Latencies in seconds, and errors, of one visitor."""
    latencies: list[float] = []
    errors: list[str] = []
    visitor = Visitor(address, model)
    try:
        visitor.upload(PORTRAIT.name, PORTRAIT.read_bytes())
        visitor.read()
    except (httpx.HTTPError, RuntimeError) as error:
        return latencies, [f"upload: {error!r}"]
    end = time.monotonic() + seconds
    step = 0
    while time.monotonic() < end:
        step += 1
        start = time.monotonic()
        try:
            visitor.move(step % 101 / 100)
        except (httpx.HTTPError, RuntimeError) as error:
            errors.append(repr(error))
        else:
            latencies.append(time.monotonic() - start)
    return latencies, errors


def trouble(address: str, model: str, seconds: float, seed: int) -> tuple[Counter[str], list[str]]:
    """What one stranger did, by name, and what got through."""
    acts, errors = Counter[str](), list[str]()
    stranger = Stranger(address, model, PORTRAIT.read_bytes(), seed)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            acts[stranger.act()] += 1
        except (AssertionError, httpx.HTTPError, OSError, RuntimeError) as error:
            errors.append(f"stranger: {error!r}")
    return acts, errors


def main() -> None:
    """Run all visitors at once and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--strangers", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--model", default="celeba")
    parser.add_argument("--plot", type=Path, help="Where to draw memory over time.")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--short", action="store_true", help="Only see that everything runs.")
    options = parser.parse_args()
    if options.short:
        options.clients, options.strangers, options.seconds = 2, 1, 3.0
    address_of = (options.model, options.seconds)
    with (
        serving(options.model) as server,
        ThreadPoolExecutor(options.clients + options.strangers) as pool,
    ):
        visits = [pool.submit(visit, server.address, *address_of) for _ in range(options.clients)]
        troubles = [
            pool.submit(trouble, server.address, *address_of, seed)
            for seed in range(options.strangers)
        ]
        found = [job.result() for job in visits]
        acts = sum((job.result()[0] for job in troubles), Counter[str]())
    latencies = sorted(latency for some, _ in found for latency in some)
    errors = [error for _, some in found for error in some]
    errors += [error for job in troubles for error in job.result()[1]]
    figures = {
        "clients": options.clients,
        "seconds": options.seconds,
        "requests": len(latencies) + len(errors),
        "errors": len(errors),
        "fewest_per_client": min(len(some) for some, _ in found),
        "per_second": round(len(latencies) / options.seconds, 2),
        "median_seconds": round(statistics.median(latencies), 3) if latencies else None,
        "p95_seconds": round(latencies[int(0.95 * (len(latencies) - 1))], 3) if latencies else None,
        "load_average": os.getloadavg()[0],
        **{f"strangers_{name}": count for name, count in sorted(acts.items())},
        **course(server.samples),
    }
    if options.json:
        print(json.dumps(figures, indent=2))
    else:
        print("\n".join(f"{name:<28} {value}" for name, value in figures.items()))
    if options.plot:
        draw(server.samples, options.plot)
    for error in sorted(set(errors)):
        print(error, file=sys.stderr)
    sys.exit(bool(errors))


def course(samples: Sequence[Sample]) -> dict[str, str]:
    """Medians of the run's quarters, beginning with the second: the first fills caches."""
    quarter = len(samples) // 4
    if not quarter:
        return {}
    parts = [samples[i * quarter : (i + 1) * quarter] for i in range(1, 4)]
    columns = ("memory", "files", "megabytes", "open_files")
    return {
        name: ", ".join(
            f"{statistics.median(getattr(sample, name) for sample in part):.0f}" for part in parts
        )
        for name in columns
    }


def draw(samples: Sequence[Sample], path: Path) -> None:
    """Memory and temporary files over time."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3), layout="constrained")
    axes = figure.subplots()
    seconds = [sample.seconds for sample in samples]
    axes.plot(seconds, [sample.memory for sample in samples], label="memory, MiB")
    axes.plot(seconds, [sample.megabytes for sample in samples], label="uploads and results, MB")
    axes.set(xlabel="seconds", ylim=(0, None))
    axes.legend()
    figure.savefig(path, dpi=100)


if __name__ == "__main__":
    main()
