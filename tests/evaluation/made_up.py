"""An evaluation whose figures are made up, so that reports and plots of them are known."""

from icgan_sdk.config import ModelConfig
from icgan_sdk.evaluation.metrics.attribute_readings import AttributeReading, Reading
from icgan_sdk.evaluation.metrics.diversity import Diversity
from icgan_sdk.evaluation.metrics.edit_figures import EditFigures, Edits
from icgan_sdk.evaluation.metrics.encoder_errors import EncoderErrors, Spread
from icgan_sdk.evaluation.metrics.fidelity import Fidelity
from icgan_sdk.evaluation.metrics.identification import Identification
from icgan_sdk.evaluation.metrics.memorisation import Memorisation
from icgan_sdk.evaluation.metrics.same_person import Recognition, SamePerson
from icgan_sdk.evaluation.metrics.told_apart import ToldApart
from icgan_sdk.evaluation.metrics.two_sample import Apart
from icgan_sdk.evaluation.metrics.wearers import WayLeft
from icgan_sdk.evaluation.results import Evaluation, Subject


def made_up(config: ModelConfig) -> Evaluation:
    """100 images; attribute i has i + 1 false alarms, and its edits miss i + 1 of 10."""
    names, one_hot = config.attributes.names, config.attributes.one_hot
    spread = Spread(0.01, 0.8, 0.7, 0.9)
    adding = {name: _edits(i, one_hot) for i, name in enumerate(names)}
    removing = {} if one_hot else {name: _edits(i + 1, one_hot) for i, name in enumerate(names)}
    none = EditFigures(0, None, None, None, None, None, None)
    recognised = (Recognition(300, 0.75, 0.5), Recognition(290, 0.98, 0.25))
    return Evaluation(
        subject=Subject(
            model="made-up",
            config=config.to_dict(),
            parameters={"generator": 1234},
            source="imagination",
            partition="test",
            images=100,
            fingerprint="0123456789abcdef" * 4,
            limit=None,
            refine=3,
            detail="generated",
            seed=0,
            version="0",
        ),
        referees={
            name: {"figures": {"test": {"accuracy": 0.98, "f1": 0.97}}}
            for name in ("anet", "residual")
        },
        figures={
            "attributes": {
                "anet": {
                    kind: _reading(config, 0) for kind in ("real", "generated", "reconstructed")
                },
                "residual": {
                    kind: _reading(config, more)
                    for more, kind in enumerate(("real", "generated", "reconstructed"))
                },
                "encoder_y": {"real": _reading(config, 5)},
            },
            "classes": [[40, 0, 0], [3, 27, 0], [0, 0, 0]] if one_hot else None,
            "inversion": EncoderErrors(
                50, 100, 0.43, 0.25, 0.0123, 19.5, 0.75, 20.5, 0.8125, spread, spread
            ),
            "edits": Edits(
                100,
                adding,
                removing,
                _edits(1, one_hot),
                none if one_hot else _edits(2, one_hot),
                _edits(1, one_hot),
                told_apart=Apart(0.5875, 0.0195, 400, 410),
            ),
            "told_apart": ToldApart(900, Apart(1.0, 0.0, 400, 410), Apart(0.95, 0.005, 400, 410)),
            "way_left": WayLeft(
                dict.fromkeys(config.attributes.names, 0.25),
                {} if one_hot else dict.fromkeys(config.attributes.names),
                dict.fromkeys(config.attributes.names, 0.75),
            ),
            "same_person": SamePerson(*(recognised if config.alignment else (None, None))),
            "identification": Identification(0.625, 80, 40),
            "fidelity": Fidelity(100, 256, 12.5, 0.001, 0.0, None, "no network"),
            "diversity": Diversity(5, 8, 0.31, 0.35, 0.2, 0.22),
            "memorisation": Memorisation(100, 1000, 0.01, 0.02, 0.5),
        },
        seconds={"edits": 2.4},
    )


def _edits(misses: int, one_hot: bool) -> EditFigures:
    hit = 1 - (misses + 1) / 10
    kept = None if one_hot else 0.96
    return EditFigures(
        10, hit, min(hit + 0.05, 1.0), kept, 0.75, 0.625, 0.125, 0.5 + misses / 10, 0.04
    )


def _reading(config: ModelConfig, more: int) -> Reading:
    by_attribute = {
        name: AttributeReading(
            tp=40, fp=i + 1 + more, fn=0, tn=59 - i - more, accuracy=0.99 - (i + more) / 100,
            f1=0.9,
        )
        for i, name in enumerate(config.attributes.names)
    }  # fmt: skip
    class_accuracy = 0.9575 if config.attributes.one_hot else None
    return Reading(100, 0.9375, 0.8125, class_accuracy, by_attribute)
