"""The paper's comparisons as studies."""

from typing import Literal

from icgan_sdk.evaluation.studies.study import ALL, Ordering, Study, StudyName, Variant

_LONG = ("gan.epochs=3", "encoder_z.epochs=3", "encoder_y.epochs=2")
_SHORT = ("gan.epochs=2", "encoder_z.epochs=1", "encoder_y.epochs=2")
"""Epochs that make both recipes take about the same time: a joint step takes one and a half times
as long as a step of the paper's GAN, and a step of E_z three times."""

_SHORT_128 = (
    "model.generator_width=16",
    "model.discriminator_width=16",
    "model.encoder_z_width=16",
    "model.encoder_z_layers=4",
    "model.encoder_z_fc=512",
    "model.encoder_z_faces=false",
    "gan.epochs=1",
    "gan.batch_size=32",
    "encoder_z.epochs=1",
    "encoder_z.identity_weight=0",
    "encoder_y.epochs=1",
)
"""Pictures of 128×128 take four times as long: half the widths again, and E_z sees no faces."""

_JOINT_STAGES = ("encoder_y", "gan", "generated")
"""Joint training alone, without E_z's own stage after it, which takes as long again."""

BASE = "paper's model"
JOINT = "recipe celeba"
JOINT_128 = "recipe celeba128"
_INSERTION = ("anet_accuracy", "anet_f1", "referee_accuracy", "referee_f1", "fid")
_EDITING = ("hit_adding", "hit_removing", "preservation")


def _inserted(network: Literal["discriminator", "generator"], layer: int, *paper: float) -> Variant:
    place = f"layer {layer}" if layer else "input"
    is_default = layer == (1 if network == "discriminator" else 0)
    return Variant(
        f"{network[0].upper()}: {place}",
        () if is_default else (f"model.{network}_y_layer={layer}",),
        paper=dict(zip(("anet_accuracy", "anet_f1"), paper, strict=True)),
    )


STUDIES: dict[StudyName, Study] = {
    "table3": Study(
        "Table 3: where y enters the networks",
        "At which layer should y be inserted, in the discriminator and in the generator? (Paper, "
        "§5.2 and Table 3.) While one network varies, the other takes y where the paper found it "
        "best: G at the input, D at layer 1. So “D: layer 1” and “G: input” are one model here; "
        "the paper's figures of the two differ, and it doesn't say what else did.",
        (
            _inserted("discriminator", 0, 85.74, 49.63),
            _inserted("discriminator", 1, 86.01, 52.42),
            _inserted("discriminator", 2, 84.90, 50.00),
            _inserted("discriminator", 3, 85.96, 52.38),
            _inserted("discriminator", 4, 77.61, 19.49),
            _inserted("generator", 0, 89.83, 59.69),
            _inserted("generator", 1, 87.16, 52.40),
            _inserted("generator", 2, 82.49, 52.36),
            _inserted("generator", 3, 82.49, 38.01),
            _inserted("generator", 4, 73.90, 4.03),
        ),
        _INSERTION,
        (
            Ordering(
                "in D, layer 1 is best and layer 4 worst (Table 3)",
                "anet_f1",
                ("D: layer 1", "D: layer 3", "D: layer 2", "D: input", "D: layer 4"),
            ),
            Ordering(
                "in G, the input is best, and the later y enters the worse (Table 3)",
                "anet_f1",
                ("G: input", "G: layer 1", "G: layer 2", "G: layer 3", "G: layer 4"),
            ),
        ),
    ),
    "encoders": Study(
        "Encoder designs: IND, IND-COND, SNG",
        "Should z and y be read by two independent encoders (IND), by an E_z that also sees y "
        "(IND-COND), or by one encoder with shared layers (SNG)? (Paper, §3.2 and §5.3.) All "
        "three invert the same generator. SNG learns y on generated images, as the original does.",
        (
            Variant("IND", stages=ALL, paper={"z_error": 0.429}),
            Variant(
                "IND-COND",
                ("model.encoder_design=ind_cond",),
                ALL,
                shares="IND",
                paper={"z_error": 0.432},
            ),
            Variant(
                "SNG",
                ("model.encoder_design=sng", "encoder_y.source=generated"),
                ("gan", "generated", "encoder_z"),
                shares="IND",
                paper={"z_error": 0.500},
            ),
        ),
        ("z_error", "y_error", "ey_accuracy", "ey_f1", "pixel_error", "z_std", *_EDITING),
        (
            Ordering(
                "IND has the smallest encoder error, SNG the largest (§5.3: 0.429, 0.432, 0.500)",
                "z_error",
                ("IND", "IND-COND", "SNG"),
                larger_is_better=False,
            ),
        ),
    ),
    "ey-source": Study(
        "Training E_y on real or on generated images",
        "The paper trains E_y on real images and says that generated ones are worse (§4.1). Both "
        "encoders here work on the same generator and the same E_z.",
        (
            Variant("real images", stages=ALL),
            Variant("generated images", ("encoder_y.source=generated",), ALL, shares="real images"),
        ),
        ("y_error", "ey_accuracy", "ey_f1", "pixel_error", *_EDITING),
        (
            Ordering(
                "E_y trained on real images reads real images better (§4.1)",
                "ey_f1",
                ("real images", "generated images"),
            ),
        ),
    ),
    "sampling": Study(
        "Where y' of generated images comes from",
        "Label vectors of the training set, a kernel density estimate over them, or points "
        "between two of them? (Paper, §3.1; it uses the first and gives no figures.)",
        (
            Variant("labels"),
            Variant("kernel density", ("gan.label_sampling=kde",)),
            Variant("interpolation", ("gan.label_sampling=interpolation",)),
        ),
        _INSERTION,
        (
            *(
                Ordering(
                    f"label vectors of the training set serve at least as well as {other} (§3.1)",
                    "anet_f1",
                    ("labels", other),
                )
                for other in ("kernel density", "interpolation")
            ),
        ),
    ),
    "poster": Study(
        "The Stanford poster's variant",
        "A fully connected layer at the generator's input and a wider discriminator, against the "
        "paper's networks on the same data. The poster used all 40 attributes of CelebA and "
        "reports no figures for faces, which it calls unnatural; of its digit edits about a "
        "quarter came out as asked.",
        (
            Variant(BASE, stages=ALL),
            Variant(
                "poster",
                stages=ALL,
                recipe="poster",
                small=("model.generator_fc=512", "model.discriminator_width=64"),
            ),
        ),
        (*_INSERTION, "z_error", "pixel_error", *_EDITING),
        (
            Ordering(
                "the paper's networks show the attributes asked for better than the poster's",
                "anet_f1",
                (BASE, "poster"),
            ),
        ),
    ),
    "ingredients": Study(
        "What each ingredient of the recipe celeba does",
        "The recipe `celeba` trains generator, critic and E_z together. What does each of its "
        "parts do, at equal steps, and what does the paper's recipe reach in the same time? (Ours; "
        "the paper has no such comparison.)",
        (
            Variant("paper's recipe", stages=ALL, small=_LONG),
            *(
                Variant(name, settings, ALL, recipe="celeba", small=_SHORT)
                for name, settings in (
                    (JOINT, ()),
                    ("with DiffAugment", ("joint.augment=true",)),
                    ("without reading attributes", ("joint.attribute_weight=0",)),
                    ("without the critic's maps", ("joint.feature_weight=0",)),
                    ("without z in the generator's loss", ("joint.z_weight=0",)),
                )
            ),
        ),
        ("referee_accuracy", "referee_f1", "fid", "z_error", "z_std", "recognised", *_EDITING),
        (
            *(
                Ordering(f"the recipe `celeba` {claim} than the paper's", column, best, larger)
                for claim, column, best, larger in (
                    ("adds attributes more often", "hit_adding", (JOINT, "paper's recipe"), True),
                    ("comes nearer to real images", "fid", (JOINT, "paper's recipe"), False),
                )
            ),
            Ordering(
                "without reading attributes, adding them fails more often",
                "hit_adding",
                (JOINT, "without reading attributes"),
            ),
            Ordering(
                "DiffAugment doesn't pay at so few steps",
                "hit_adding",
                (JOINT, "with DiffAugment"),
            ),
        ),
    ),
    "ingredients128": Study(
        "What the generator of the recipe celeba128 is made of",
        "At 128×128: how large should z be, what should the generator double its maps with, and "
        "does a penalty of the critic's slope help? All at equal steps of joint training. (Ours; "
        "the paper stops at 64×64.)",
        tuple(
            Variant(name, settings, _JOINT_STAGES, recipe="celeba128", small=_SHORT_128)
            for name, settings in (
                (JOINT_128, ()),
                ("z of 100", ("model.z_dim=100",)),
                ("repeated pixels", ("model.generator=resize", "generated.smooth_output=false")),
                ("residual blocks", ("model.generator=residual", "generated.smooth_output=false")),
                ("with lazy R1", ("joint.r1_weight=1",)),
            )
        ),
        ("referee_accuracy", "referee_f1", "fid"),
        (
            Ordering(
                "repeated pixels bring FID furthest down, then residual blocks",
                "fid",
                ("repeated pixels", "residual blocks", JOINT_128),
                larger_is_better=False,
            ),
            *(
                Ordering(f"{claim} doesn't bring FID down", "fid", (JOINT_128, other), False)
                for claim, other in (("a smaller z", "z of 100"), ("lazy R1", "with lazy R1"))
            ),
        ),
    ),
}
