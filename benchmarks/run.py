"""Speed: the training steps, the data path, an edit, the command line; each beside a yardstick.

python benchmarks/run.py [train|data|edit|cli ...] [--json] [--short]

Every measurement runs in a process of its own; those that are compared take turns. Figures are
medians. Close other programs first: two busy threads on two cores halve what is measured.
--short runs everything once, on little, to see that it runs.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SHORT = "--short" in sys.argv
ROUNDS = 1 if SHORT else 3
BATCH = 8 if SHORT else 64
COUNTS = (1000, 2000) if SHORT else (10_000, 200_000)
ROOT = Path(__file__).parent.parent
Figures = dict[str, Any]


def times(function: Callable[[], object], repeats: int, warm_up: int = 3) -> list[float]:
    """Seconds of each call, after some that don't count."""
    repeats, warm_up = (1, 0) if SHORT else (repeats, warm_up)
    found = []
    for call in range(warm_up + repeats):
        start = time.perf_counter()
        function()
        if call >= warm_up:
            found.append(time.perf_counter() - start)
    return found


def worker(name: str, *arguments: object) -> Figures:
    """What one of WORKERS finds in a process of its own."""
    command = [sys.executable, __file__, *["--short"] * SHORT, "--worker", name]
    command += map(str, arguments)
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def peak_memory() -> float:
    """Most memory this process ever had, MiB."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def own_memory() -> float:
    """Memory this process has for itself now, MiB: without the files it maps."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("RssAnon:")[1].split()[0]) / 1024


# What runs in processes of its own


def products() -> Figures:
    """The machine's rate of bfloat16 matrix products, 4096² each."""
    import torch

    side = 256 if SHORT else 4096
    a, b = (torch.randn(side, side).bfloat16() for _ in range(2))
    seconds = statistics.median(times(lambda: a @ b, 7))
    return {"tflop_per_second": 2 * side**3 / seconds / 1e12}


def plain_steps() -> Figures:
    """Seconds of the plain float32 steps."""
    import torch
    from plain import PlainSteps

    torch.manual_seed(0)
    x, y = torch.rand(BATCH, 3, 64, 64) * 2 - 1, torch.randint(0, 2, (BATCH, 18)) * 2.0 - 1
    steps = PlainSteps(x, y, torch.randn(BATCH, 100))
    found: Figures = {"gan": times(steps.gan, 8)}
    found["peak_mib"] = peak_memory()
    return {
        **found,
        "encoder_z": times(steps.encoder_z, 12),
        "encoder_y": times(steps.encoder_y, 20),
    }


def our_steps(precision: str = "auto") -> Figures:
    """Seconds of the package's steps, and the floating-point operations of the GAN's."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from icgan_sdk.config import ModelConfig
    from icgan_sdk.model import Discriminator, Generator, IcGANNetworks
    from icgan_sdk.model.layers import init_dcgan
    from icgan_sdk.training.encoder_z_losses import EncoderBatch, encoder_z_losses
    from icgan_sdk.training.gan import GANBatch, gan_step
    from icgan_sdk.training.losses import encoder_y_loss
    from icgan_sdk.training.optimisers import descend, make_adam
    from icgan_sdk.training.runtime import Runtime
    from icgan_sdk.training.settings import EncoderYConfig, EncoderZConfig, GANConfig, RunConfig

    torch.manual_seed(0)
    config = ModelConfig()
    runtime = Runtime(RunConfig(device="cpu", precision=precision))  # type: ignore[arg-type]
    x = runtime.images(torch.rand(BATCH, 3, 64, 64) * 2 - 1)
    y, z = torch.randint(0, 2, (BATCH, 18)) * 2.0 - 1, torch.randn(BATCH, 100)
    G, D = runtime.place(Generator(config)), runtime.place(Discriminator(config))
    init_dcgan(G)
    init_dcgan(D)
    adam_g, adam_d = make_adam(G, GANConfig()), make_adam(D, GANConfig())
    batch = GANBatch(x, y, -y, y, z)

    def gan() -> None:
        gan_step(G, D, adam_g, adam_d, batch, runtime)

    found: Figures = {"gan": times(gan, 15), "peak_mib": peak_memory()}
    found["bfloat16"] = runtime.bfloat16
    runtime.bfloat16 = False  # the counter knows the library's convolutions only
    with FlopCounterMode(display=False) as counter:
        gan()
    found["gan_tflop"] = counter.get_total_flops() / 1e12
    runtime.bfloat16 = bool(found["bfloat16"])

    networks = runtime.place(IcGANNetworks(config))
    networks.generator.eval().requires_grad_(False)
    E_z, E_y = networks.encoder_z, networks.encoder_y
    assert E_z is not None
    assert E_y is not None
    adam_z, adam_y = make_adam(E_z, EncoderZConfig()), make_adam(E_y, EncoderYConfig())
    none = x[:0], y[:0]

    def encoder_z() -> None:
        with torch.no_grad(), runtime.autocast():
            generated = runtime.images(networks.generator(z, y).float())
        with runtime.autocast():
            batch = EncoderBatch(generated, z, y, *none)
            losses = encoder_z_losses(networks, batch, EncoderZConfig(), draws=torch.Generator())
        descend(losses["total"], E_z, adam_z, runtime)

    def encoder_y() -> None:
        with runtime.autocast():
            loss = encoder_y_loss(E_y(x), y)
        descend(loss, E_y, adam_y, runtime)

    return {**found, "encoder_z": times(encoder_z, 20), "encoder_y": times(encoder_y, 40)}


def large_steps() -> Figures:
    """Seconds and operations of joint training's step and the painter's, as at 128×128."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from icgan_sdk.config import CELEBA_CROP, ModelConfig
    from icgan_sdk.model import Critic, Generator, IcGANNetworks, Painter, init_generator
    from icgan_sdk.train import load_config
    from icgan_sdk.training.joint import joint_step
    from icgan_sdk.training.joint_losses import JointBatch, JointNetworks
    from icgan_sdk.training.optimisers import make_adam
    from icgan_sdk.training.painter_batches import PainterBatch
    from icgan_sdk.training.painter_losses import PainterNetworks, painter_step
    from icgan_sdk.training.runtime import Runtime
    from icgan_sdk.training.settings import PainterConfig, RunConfig

    torch.manual_seed(0)
    recipe = load_config("celeba128", data="none")
    config = ModelConfig(128, crop=CELEBA_CROP, **recipe.model, painter_size=128)
    runtime = Runtime(RunConfig(device="cpu"))
    frozen = runtime.place(IcGANNetworks(config)).eval().requires_grad_(False)
    E_y = frozen.encoder_y
    assert E_y is not None
    x = runtime.images(torch.rand(BATCH, 3, 128, 128) * 2 - 1)
    y = torch.randint(0, 2, (BATCH, 18)) * 2.0 - 1
    touched = torch.rand(BATCH, 18) < 0.1
    few = 3 * BATCH // 8

    G, E_z = runtime.place(Generator(config)), runtime.place(IcGANNetworks(config)).encoder_z
    assert E_z is not None
    init_generator(G, config)
    critic = runtime.place(Critic(config))
    joint = JointNetworks(G, E_z, critic, E_y)
    both = torch.nn.ModuleList([G, E_z])
    adam, adam_critic = make_adam(both, recipe.gan), make_adam(critic, recipe.gan, 2.0)
    z, same_person = torch.randn(few, config.z_dim), torch.ones(few, dtype=torch.bool)
    batch = JointBatch(x, y, -y, z, y[:few], -y[:few], touched[:few], same_person)

    def train_jointly() -> None:
        draws = torch.Generator().manual_seed(0)
        joint_step(joint, adam, adam_critic, batch, recipe.joint, runtime, draws)

    settings = PainterConfig()
    painter, judge = runtime.place(Painter(config)), runtime.place(Critic(config, parts=True))
    networks = PainterNetworks(
        painter,
        judge,
        frozen,
        typical=torch.tensor([[-1.0], [1.0]]).expand(2, 18),
        skin=torch.zeros(128, 128),
    )
    adam_painter, adam_judge = make_adam(painter, settings), make_adam(judge, settings, 2.0)
    painted = PainterBatch(
        x=x,
        y=y,
        y_edited=torch.where(touched, -y, y),
        direction=-y * touched,
        touched=touched,
        kept=touched.any(1),
        real=x,
        y_real=y,
        y_wrong=-y,
        bare=torch.zeros(0, dtype=torch.long),  # by default nothing is put on
        put_on=torch.zeros(0, 18),
    )

    def paint() -> None:
        painter_step(networks, adam_painter, adam_judge, painted, settings, runtime)

    found: Figures = {}
    for name, step in (("joint", train_jointly), ("painter", paint)):
        found[name] = times(step, 5)
        bfloat16, runtime.bfloat16 = runtime.bfloat16, False
        with FlopCounterMode(display=False) as counter:
            step()
        found[f"{name}_tflop"] = counter.get_total_flops() / 1e12
        runtime.bfloat16 = bfloat16
    return found


def draw_batches(folder: str) -> Figures:
    """Images/s of the data path: rows of an epoch gathered, mirrored, scaled, batched."""
    import torch

    from icgan_sdk.data import LabelSampler, PreparedDataset
    from icgan_sdk.training.rows import draw_images

    dataset = PreparedDataset.open(folder, "train")
    labels = LabelSampler(dataset.all_labels(), dataset.attributes)
    draws = torch.Generator().manual_seed(0)
    order = torch.randperm(len(dataset), generator=draws)[: 150 * BATCH]

    def pass_over() -> None:
        for rows in torch.split(order, BATCH):
            draw_images(dataset, rows, flip=True, shift=0, generator=draws)
            labels.mismatched(dataset.labels(rows), draws)
            labels.sample(BATCH, draws)

    pass_over()
    before = own_memory()
    seconds = statistics.median(times(pass_over, 5, warm_up=0))
    return {
        "images_per_second": len(order) / seconds,
        "own_mib": own_memory(),
        "growth_mib": own_memory() - before,
    }


def edits() -> Figures:
    """Seconds of `edit` on one and on 64 pictures, 64×64, networks of the paper's size."""
    import numpy as np
    import torch
    from PIL import Image

    from icgan_sdk import IcGAN
    from icgan_sdk.artefacts.store import save_artefact
    from icgan_sdk.config import ModelConfig
    from icgan_sdk.model import IcGANNetworks

    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "model"
        save_artefact(IcGANNetworks(ModelConfig()), folder, card="-", dtype=torch.float16)
        model = IcGAN.from_pretrained(folder)
    pixels = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    picture = Image.fromarray(pixels)
    return {
        "one": times(lambda: model.edit(picture, Eyeglasses=1, detail="generated"), 60),
        "batch": times(lambda: model.edit([picture] * BATCH, Eyeglasses=1, detail="generated"), 10),
    }


WORKERS: dict[str, Callable[..., Figures]] = {
    "products": products,
    "plain_steps": plain_steps,
    "our_steps": our_steps,
    "large_steps": large_steps,
    "draw_batches": draw_batches,
    "edits": edits,
}


# The benchmarks


def train() -> Figures:
    """Our steps beside plain float32 ones, and the share of the machine's product rate."""
    plain, ours = [], []
    rate = worker("products")["tflop_per_second"]
    for _ in range(ROUNDS):
        plain.append(worker("plain_steps"))
        ours.append(worker("our_steps"))
    rate = statistics.median([rate, worker("products")["tflop_per_second"]])
    result: Figures = {"product_tflop_per_second": rate, "bfloat16": ours[0]["bfloat16"]}
    for step in ("gan", "encoder_z", "encoder_y"):
        theirs_s = statistics.median(t for r in plain for t in r[step])
        ours_s = statistics.median(t for r in ours for t in r[step])
        result[step] = {
            "plain_ms": theirs_s * 1e3,
            "ours_ms": ours_s * 1e3,
            "times_faster": theirs_s / ours_s,
            "images_per_second": BATCH / ours_s,
        }
    gan = result["gan"]
    gan["tflop_per_second"] = ours[0]["gan_tflop"] / gan["ours_ms"] * 1e3
    gan["share_of_product_rate"] = gan["tflop_per_second"] / rate
    large = worker("large_steps")
    for step in ("joint", "painter"):
        seconds = statistics.median(large[step])
        achieved = large[f"{step}_tflop"] / seconds
        result[f"{step} at 128×128"] = {
            "ours_ms": seconds * 1e3,
            "images_per_second": BATCH / seconds,
            "tflop_per_second": achieved,
            "share_of_product_rate": achieved / rate,
        }
    gan["plain_peak_mib"] = max(r["peak_mib"] for r in plain)
    gan["ours_peak_mib"] = max(r["peak_mib"] for r in ours)
    return result


def data() -> Figures:
    """The data path alone beside what training consumes, at 10,000 and 200,000 images."""
    result: Figures = {}
    with tempfile.TemporaryDirectory() as scratch:
        for count in COUNTS:
            folder = Path(scratch) / str(count)
            write_synthetic(folder, count)
            result[str(count)] = worker("draw_batches", folder)
    consumed = BATCH / statistics.median(worker("our_steps")["gan"])
    result["training_images_per_second"] = consumed
    result["times_consumption"] = result[str(COUNTS[-1])]["images_per_second"] / consumed
    return result


def write_synthetic(folder: Path, count: int) -> None:
    """A prepared data set of noise, 64×64, with the paper's attributes."""
    import numpy as np

    from icgan_sdk.attributes import AttributeSet
    from icgan_sdk.data.prepared import ATTRIBUTES, DESCRIPTION, IMAGES, DatasetInfo

    folder.mkdir()
    attributes = AttributeSet.celeba()
    random = np.random.default_rng(0)
    images = np.lib.format.open_memmap(folder / IMAGES, "w+", np.uint8, (count, 64, 64, 3))
    for start in range(0, count, 1000):
        images[start : start + 1000] = random.integers(0, 256, (1000, 64, 64, 3), np.uint8)
    images.flush()
    np.save(folder / ATTRIBUTES, random.integers(0, 2, (count, len(attributes)), np.uint8))
    description = DatasetInfo(attributes, source="noise").to_json({"train": (0, count)})
    (folder / DESCRIPTION).write_text(description)


def edit() -> Figures:
    """`model.edit` of one picture and of 64 at once, model loaded."""
    found = [worker("edits") for _ in range(ROUNDS)]
    one = statistics.median(t for r in found for t in r["one"])
    batch = statistics.median(t for r in found for t in r["batch"]) / BATCH
    return {"one_ms": one * 1e3, "batch_images_per_second": 1 / batch, "times_single": one / batch}


def cli() -> Figures:
    """The whole process `icgan edit` with bundled weights, beside `import torch` alone."""
    with tempfile.TemporaryDirectory() as scratch:
        picture = ROOT / "examples" / "digit.png"
        command = [sys.executable, "-m", "icgan_sdk.cli.main", "edit", str(picture)]
        command += ["--model", "mnist", "--set", "digit=3", "-o", f"{scratch}/out.png"]
        commands = {"import_torch": [sys.executable, "-c", "import torch"], "icgan_edit": command}
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(2 if SHORT else 1 + 3 * ROUNDS):
            for name, words in commands.items():
                start = time.perf_counter()
                subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
                seconds[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(found[1:]) for name, found in seconds.items()}
    ratio = medians["icgan_edit"] / medians["import_torch"]
    return {**{f"{name}_s": s for name, s in medians.items()}, "ratio": ratio}


BENCHMARKS: dict[str, Callable[[], Figures]] = {
    "train": train,
    "data": data,
    "edit": edit,
    "cli": cli,
}


def machine() -> Figures:
    """What the figures were measured on."""
    import torch

    info = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    model = [line.split(":")[1].strip() for line in info.splitlines() if "model name" in line]
    features = [f for f in ("avx512_bf16", "amx_bf16") if f in info]
    return {
        "cpu": model[0] if model else platform.processor(),
        "cores": os.cpu_count(),
        "bfloat16_features": features,
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
    }


def show(figures: Figures, indent: int = 0) -> None:
    """Figures for people, one a line."""
    for name, value in figures.items():
        if isinstance(value, dict):
            print(f"{'  ' * indent}{name}")
            show(value, indent + 1)
        else:
            shown = f"{value:.4g}" if isinstance(value, float) else value
            print(f"{'  ' * indent}{name}: {shown}")


def main() -> None:
    """Run the benchmarks asked for, by default all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("benchmarks", nargs="*", metavar="|".join(BENCHMARKS))
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--short", action="store_true", help="only see that everything runs")
    parser.add_argument("--worker", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        name, *rest = arguments.worker
        print(json.dumps(WORKERS[name](*rest)))
        return
    if unknown := [name for name in arguments.benchmarks if name not in BENCHMARKS]:
        parser.error(f"no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}")
    names = arguments.benchmarks or list(BENCHMARKS)
    results = {"machine": machine(), **{name: BENCHMARKS[name]() for name in names}}
    if arguments.json:
        print(json.dumps(results, indent=2))
    else:
        show(results)


if __name__ == "__main__":
    main()
