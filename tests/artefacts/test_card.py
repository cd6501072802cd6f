from dataclasses import replace

import pytest
from huggingface_hub import ModelCard

from icgan_sdk.artefacts.card import for_repository, model_card
from icgan_sdk.attributes import AttributeSet
from icgan_sdk.config import ModelConfig


def test_the_card_tells_all_and_the_hub_can_read_it(tiny_config: ModelConfig) -> None:
    text = model_card(
        tiny_config,
        name="faces",
        data="CelebA, aligned, 162,770 pictures.",
        license="Non-commercial research only",
        command="icgan train celeba --seed 1",
        seed=1,
        metrics={"mean F1": 0.71234, "training time": "2 h"},
        notes="Hats are weak.",
    )
    for part in (
        "# faces",
        'IcGAN.from_pretrained("faces")',
        "CelebA, aligned, 162,770 pictures.",
        "Non-commercial research only",
        "icgan train celeba --seed 1",
        "Seed: 1.",
        "| mean F1 | 0.7123 |",
        "| training time | 2 h |",
        "- `hair_color`, one of: Black_Hair, Blond_Hair",
        "Hats are weak.",
    ):
        assert part in text
    data = ModelCard(text).data
    assert data.get("library_name") == "icgan-sdk"
    assert data.get("pipeline_tag") == "image-to-image"
    assert data.get("license") == "other"
    assert "icgan" in data.get("tags")


def test_a_card_tells_of_a_painter(tiny_config: ModelConfig) -> None:
    def card(config: ModelConfig) -> str:
        return model_card(
            config, name="x", data="Own.", license="mit", command="x", seed=0, metrics={}
        )

    assert "painter" not in card(tiny_config)
    assert "has a painter" in card(replace(tiny_config, painter_size=64))
    assert "at 64×64 pixels" in card(replace(tiny_config, painter_size=64))


@pytest.mark.parametrize("names", [(), ("Smiling",)])
def test_a_card_needs_no_figures(names: tuple[str, ...], tiny_config: ModelConfig) -> None:
    config = replace(tiny_config, attributes=AttributeSet(names))
    text = model_card(
        config, name="plain", data="Own.", license="mit", command="x", seed=None, metrics={}
    )
    assert "Nothing measured yet." in text
    assert "Seed: unknown." in text
    assert ModelCard(text).data.get("license") == "mit"
    assert ('"Smiling": 1' in text) == bool(names)


@pytest.mark.parametrize("folder", ["./runs/faces/artefact", "/tmp/faces", "~/faces"])
def test_a_card_of_a_folder_is_made_to_name_its_repository(
    folder: str, tiny_config: ModelConfig
) -> None:
    def card(name: str) -> str:
        return model_card(
            tiny_config, name=name, data="Own.", license="mit", command="x", seed=0, metrics={}
        )

    assert for_repository(card(folder), "org/faces") == card("org/faces")
    for name in ("celeba", "org/other"):
        assert for_repository(card(name), "org/faces") == card(name)
    assert for_repository("# My own card\n", "org/faces") == "# My own card\n"
