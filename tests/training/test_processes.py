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
import hashlib, json, os
from icgan_sdk import train
from icgan_sdk.training import loop

def raw(tensor):
    return tensor.detach().contiguous().numpy().tobytes()

digests = {}
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
from icgan_sdk.training import encoder_y, encoder_z, gan, joint
for module in (gan, joint, encoder_z, encoder_y):
    module.run_stage = spy
for method in ("matching", "joint"):
    digests.clear()
    train.run(train.load_config("tiny.toml", [f"gan.method={method}"]), method)
    open(f"{method}-{os.environ['RANK']}.json", "w").write(json.dumps(digests))
"""


@pytest.mark.slow
def test_two_processes_agree(config: TrainConfig, tmp_path: Path) -> None:
    several = override(config, ["run.device=auto"])
    (tmp_path / "tiny.toml").write_text(several.to_toml())
    (tmp_path / "worker.py").write_text(WORKER)
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run(
        [*launch, "worker.py"],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    for method in ("matching", "joint"):
        check_shares(tmp_path, method)


def check_shares(folder: Path, method: str) -> None:
    first, second = (json.loads((folder / f"{method}-{rank}.json").read_text()) for rank in (0, 1))
    assert set(first) == {"gan", "encoder_z", "encoder_y"}
    for stage in first:
        assert first[stage]["weights"] == second[stage]["weights"]
        rows = first[stage]["rows"] + second[stage]["rows"]
        assert len(rows) == len(set(rows)) == 48, "the processes share out each epoch"
    assert (folder / method / "artefact/generator.safetensors").is_file()
    steps = [r["step"] for r in read_metrics(folder / method) if r["stage"] == "gan"]
    assert steps == [2, 4, 6], "one record, with half the steps of a single process"
