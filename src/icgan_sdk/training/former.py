"""Settings of earlier releases, so that their config files still load."""

from collections.abc import Mapping
from typing import Any

FORMER: Mapping[str, Mapping[str, object]] = {
    "gan": {"shift": 0},
    "joint": {
        "emphasis": 5.0,
        "emphasis_from": 0.55,
        "critic_rate": 2.0,
        "balanced": True,
        "prior_weight": 1.0,
    },
    "generated": {"batch_norm_batches": 100},
    "encoder_z": {"shift": 0},
    "painter": {
        "emphasis": 10.0,
        "part_weight": 1.0,
        "mask_weight": 0.5,
        "variation_weight": 1.0,
        "pixel_weight": 2.0,
        "ramp": 2000,
        "critic_rate": 2.0,
        "ema_decay": 0.999,
        "sample_every": 1000,
    },
}
"""Settings that are constants now, with the values that these have."""

MOVED: Mapping[str, Mapping[str, object]] = {
    "flip": {"gan": True, "encoder_y": True, "painter": True, "encoder_z": None},
    "shift": {"encoder_y": 0, "painter": 4},
}
"""Settings of several sections that the section `images` has once now, with their defaults then.

That of `encoder_z.flip` was false, which says nothing, as most runs drew no images by it."""


def without_former(plain: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """A config without the settings of earlier releases.

    Args:
        plain: Sections and settings, as in a TOML file.

    Returns:
        The config as this release writes it, and what can't be kept of it.
    """
    new = {k: dict(v) if isinstance(v, Mapping) else v for k, v in plain.items()}
    tables = {k: v for k, v in new.items() if isinstance(v, dict)}
    problems: list[str] = []
    for section, constants in FORMER.items():
        for key, value in constants.items():
            if tables.get(section, {}).pop(key, value) != value:
                problems.append(f"{section}.{key} is no longer a setting: it is always {value}")
    for key, defaults in MOVED.items():
        given = {name: t.pop(key) for name, t in tables.items() if name in defaults and key in t}
        values = set(_effective(key, given, tables))
        if given and ("images" in plain or len(values) != 1):
            names = ", ".join(f"{name}.{key}" for name in given)
            problems.append(f"{names}: this is one setting for all stages now, images.{key}")
        elif given:
            new.setdefault("images", {})[key] = values.pop()
    return new, problems


def _effective(
    key: str, given: Mapping[str, object], tables: Mapping[str, Mapping[str, object]]
) -> list[object]:
    """The values by which an earlier release would have drawn images."""
    painter = tables.get("painter")
    if painter is not None and painter.get("alone"):
        return [given.get("painter", MOVED[key]["painter"])]
    values = {name: given.get(name, default) for name, default in MOVED[key].items()}
    if painter is None:
        del values["painter"]
    if not values.get("encoder_z"):
        values.pop("encoder_z", None)
    return list(values.values())
