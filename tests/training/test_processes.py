"""Two real processes over gloo: each works on its share, all end with the same weights."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from icgan_sdk.train import read_metrics
from icgan_sdk.training.recipe_files import override
from icgan_sdk.training.train_config import TrainConfig

WORKER = """
import hashlib, json, sys
from icgan_sdk import train
from icgan_sdk.training import loop

def raw(tensor):
    return tensor.detach().contiguous().numpy().tobytes()

digests = {}
ranks = []
original = loop.run_stage

def spy(c, stage, settings, parts, step_function, end_of_epoch):
    rows = []
    def counted(step, batch):
        rows.extend(batch.tolist())
        return step_function(step, batch)
    original(c, stage, settings, parts, counted, end_of_epoch)
    first_epoch = rows[: len(rows) // settings.epochs]
    networks = {k: v for k, v in parts.items() if hasattr(v, "parameters")}
    digests[stage] = {
        "rows": first_epoch,
        "weights": {
            name: hashlib.sha256(b"".join(map(raw, network.state_dict().values()))).hexdigest()
            for name, network in networks.items()
        },
    }
    ranks.append(c.runtime.rank)

from icgan_sdk.training import encoder_y, encoder_z, gan, joint
for module in (gan, joint, encoder_z, encoder_y):
    module.run_stage = spy
train.run(train.load_config(sys.argv[1]), sys.argv[2])
open(f"{sys.argv[3]}/{ranks[0]}.json", "w").write(json.dumps(digests))
"""


@pytest.mark.parametrize("method", ["matching", "joint"])
def test_two_processes_agree(config: TrainConfig, tmp_path: Path, method: str) -> None:
    config = override(config, [f"gan.method={method}"])
    (tmp_path / "tiny.toml").write_text(config.to_toml())
    (tmp_path / "worker.py").write_text(WORKER)
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    arguments = ["worker.py", "tiny.toml", "run", "."]
    done = subprocess.run(
        [*launch, *arguments],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1))
    assert set(first) == {"gan", "encoder_z", "encoder_y"}
    for stage in first:
        assert first[stage]["weights"] == second[stage]["weights"]
        rows = first[stage]["rows"] + second[stage]["rows"]
        assert len(rows) == len(set(rows)) == 48, "the processes share out each epoch"
    assert (tmp_path / "run/artefact/model.safetensors").is_file()
    steps = [r["step"] for r in read_metrics(tmp_path / "run") if r["stage"] == "gan"]
    assert steps == [2, 4, 6], "one record, with half the steps of a single process"
