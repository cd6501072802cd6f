"""Damaged Torch7 files through the conversion: only our own errors, or a valid model."""

import random
from pathlib import Path

from fault_parts.mutation import mutate
from fault_parts.rounds import Round, shared
from icgan_sdk.artefacts import from_torch7
from icgan_sdk.errors import IcGANError

SETS: dict[str, dict[str, str]] = {
    **{
        name: {
            "generator": f"{name}/{name}_G.t7",
            "encoder_z": f"{name}/{name}_encZ.t7",
            "encoder_y": f"{name}/{name}_encY.t7",
            "discriminator": f"{name}/{name}_D.t7",
        }
        for name in ("tiny", "mnist_tiny", "tiny_gpu", "tiny_legacy")
    },
    "ascii": {
        "generator": "tiny/tiny_G_ascii.t7",
        "encoder_z": "tiny/tiny_encZ.t7",
        "encoder_y": "tiny/tiny_encY_ascii.t7",
    },
    "refreshed": {
        "generator": "tiny/tiny_G_bnrefreshed.t7",
        "encoder_z": "tiny/tiny_encZ.t7",
        "encoder_y": "tiny/tiny_encY.t7",
    },
    "sng": {"generator": "tiny/tiny_G.t7", "encoder_z": "alt/tiny_encSNG.t7"},
    "ind_cond": {
        "generator": "tiny/tiny_G.t7",
        "encoder_z": "alt/tiny_encINDCOND.t7",
        "encoder_y": "tiny/tiny_encY.t7",
    },
}


def make(folder: Path) -> Round | None:
    """Rounds that damage one file of a set and convert the set."""
    golden = shared("golden/torch7")
    if golden is None:
        return None

    def damage_one(chance: random.Random) -> str:
        set_name = chance.choice(list(SETS))
        part = chance.choice(list(SETS[set_name]))
        kind, data = mutate((golden / SETS[set_name][part]).read_bytes(), chance)
        damaged = folder / "damaged.t7"
        damaged.write_bytes(data)
        return f"{kind}: {convert(golden, set_name, part, damaged)}"

    return damage_one


def convert(folder: Path, set_name: str, part: str, damaged: Path) -> str:
    """Convert a set with one file replaced; what came of it, in a word or two."""
    files = {name: folder / path for name, path in SETS[set_name].items()} | {part: damaged}
    attributes = "mnist" if set_name == "mnist_tiny" else "celeba18"
    try:
        networks = from_torch7(
            files["generator"],
            files["encoder_z"],
            files.get("encoder_y"),
            discriminator=files.get("discriminator"),
            attributes=attributes,
        )
    except IcGANError as error:
        if not str(error).isprintable():
            raise ValueError("a message of several lines") from error
        return type(error).__name__
    if not all(bool(t.isfinite().all()) for t in networks.state_dict().values()):
        raise ValueError("values that are not finite")
    return "valid"
