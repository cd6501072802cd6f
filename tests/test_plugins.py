"""Plug-ins: what other packages register, through their entry points and by hand."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from icgan_sdk import plugins
from icgan_sdk.artefacts.store import load_artefact
from icgan_sdk.errors import ConfigError, ModelFormatError
from icgan_sdk.evaluation.metrics.fidelity import FidelityMetric
from icgan_sdk.model import Critic, Encoder, Generator, Painter
from icgan_sdk.training.encoder_y import ENCODER_Y

EXAMPLE = Path(__file__).parents[1] / "examples" / "plugin"
USE = """
import sys, torch
from pathlib import Path
from icgan_sdk.artefacts.store import load_artefact, save_artefact
from icgan_sdk.config import ModelConfig
from icgan_sdk.data.readers import find_reader
from icgan_sdk.evaluation.metrics.metric_table import chosen
from icgan_sdk.model import IcGANNetworks, build_critic
from icgan_sdk.train import load_config, stages
from icgan_sdk.training.settings import PainterConfig

folder = Path(sys.argv[1])
config = load_config(sys.argv[2])
assert "brightness" in config.optional
assert stages()[-1] == "brightness"
(metric,) = chosen(["brightness"])
(folder / "stripes.txt").write_text("bright dark " * 8)
report = find_reader("stripes")(
    folder / "stripes.txt", folder / "data", image_size=16, overwrite=False
)
assert report.written == 16
model = ModelConfig(16, **{k: v for k, v in config.model.items()})
kinds = [type(build_critic(config.section("painter", PainterConfig).critic, model)).__name__]
networks = IcGANNetworks(model)
kinds += [type(n).__name__ for n in (networks.generator, networks.encoder_z, networks.painter)]
assert kinds == ["MildCritic", "FlatGenerator", "FlatEncoder", "TintPainter"], kinds
save_artefact(networks, folder / "model", card="")
again = load_artefact(folder / "model")
z, y = torch.randn(1, 4), torch.zeros(1, 18)
assert torch.equal(again.decode(z, y), networks.eval().decode(z, y))
"""


def install(site: Path, module: str, name: str, function: str) -> None:
    """What pip leaves of a package with one entry point, in a folder of its own."""
    info = site / f"{name.replace('-', '_')}-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text(f"[{plugins.GROUP}]\nx = {module}:{function}\n")


def python(site: Path, *words: str) -> subprocess.CompletedProcess[str]:
    paths = [str(site), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    return subprocess.run(
        [sys.executable, *words], check=False, capture_output=True, text=True, env=environment
    )


def test_an_installed_plugin_is_found_and_a_model_names_the_one_it_needs(tmp_path: Path) -> None:
    install(tmp_path / "site", "icgan_example_plugin", "icgan-example-plugin", "register")
    shutil.copy(EXAMPLE / "icgan_example_plugin.py", tmp_path / "site")
    done = python(tmp_path / "site", "-c", USE, str(tmp_path), str(EXAMPLE / "flat.toml"))
    assert done.returncode == 0, done.stderr
    config = json.loads((tmp_path / "model/config.json").read_text("utf-8"))
    assert config["plugins"] == ["icgan-example-plugin"]
    assert config["painter_architecture"] == "tint"
    # This process hasn't got it.
    with pytest.raises(ModelFormatError, match=r"'flat'.* needs the plug-in icgan-example-plugin"):
        load_artefact(tmp_path / "model")


def test_a_plugin_that_fails_is_named(tmp_path: Path) -> None:
    install(tmp_path, "broken_plugin", "broken-plugin", "register")
    (tmp_path / "broken_plugin.py").write_text("def register():\n    raise KeyError('x')\n")
    done = python(tmp_path, "-m", "icgan_sdk.cli.main", "train", "paper", "--out", "runs/x")
    assert done.returncode == 1
    assert "the plug-in broken-plugin (broken_plugin:register) fails: KeyError" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "register",
    [
        lambda: plugins.register_generator("dcgan", Generator),
        lambda: plugins.register_encoder("dcgan", Encoder),
        lambda: plugins.register_critic("own", Critic),
        lambda: plugins.register_painter("unet", Painter),
        lambda: plugins.register_metric(FidelityMetric),
        lambda: plugins.register_stage(ENCODER_Y),
    ],
    ids=["generator", "encoder", "critic", "painter", "metric", "stage"],
)
def test_names_that_are_taken_are_refused(register: Callable[[], None]) -> None:
    with pytest.raises(ConfigError, match=r"registered already|its name or its seed"):
        register()


def test_readers_are_asked_for_by_name() -> None:
    from icgan_sdk.data.readers import find_reader

    with pytest.raises(ConfigError, match="no reader of data sets 'stripes': no plug-in brings"):
        find_reader("stripes")
