"""Record a training with Weights & Biases, offline: nothing is sent until ``wandb sync`` is called.

A watcher is a function that `icgan_sdk.train.run` calls after each step. wandb is not a dependency
of icgan-sdk: pip install wandb

Usage: ``python examples/wandb_watcher.py prepared/mine runs/mine --set gan.epochs=5``
"""

import argparse
from pathlib import Path

import wandb

from icgan_sdk import train


def main() -> None:
    """Train with settings that suit the data, and record every logged step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("data", help="prepared data set")
    parser.add_argument("out", type=Path, help="run folder")
    parser.add_argument("--recipe", default="own", help="a recipe or a TOML file")
    parser.add_argument("--set", nargs="*", default=[], help="settings, as of icgan train")
    arguments = parser.parse_args()

    config = train.load_config(arguments.recipe, arguments.set, data=arguments.data)
    arguments.out.mkdir(parents=True, exist_ok=True)
    with wandb.init(
        project="icgan", mode="offline", dir=str(arguments.out), config=config.to_dict()
    ) as run:

        def record(progress: train.Progress) -> None:
            if progress.metrics:
                named = {f"{progress.stage}/{k}": v for k, v in progress.metrics.items()}
                run.log({**named, f"{progress.stage}/step": progress.step})

        train.run(config, arguments.out, watcher=record)


if __name__ == "__main__":
    main()
