from dataclasses import replace

from icgan_sdk.celeba import CELEBA, CELEBA_ATTRIBUTES
from icgan_sdk.config import CELEBA_CROP, PAPER_CROP, ModelConfig
from icgan_sdk.model.regions import outside


def test_regions_cover_celeba() -> None:
    assert set(CELEBA.regions) == set(CELEBA_ATTRIBUTES) - {"Blurry"}
    config = ModelConfig(crop=CELEBA_CROP)
    eye, corner = (33, 25), (1, 1)
    for name, boxes in CELEBA.regions.items():
        mask = outside(name, config)
        assert 0.1 < float(mask.mean()) < 1
        for left, top, right, bottom in boxes:
            assert 0 <= left < right <= 178
            assert 0 <= top < bottom <= 218
    assert outside("Eyeglasses", config)[eye] == 0
    assert outside("Eyeglasses", config)[corner] == 1
    assert outside("Bangs", config)[eye] == 1
    assert outside("Bangs", config)[corner] == 0
    # The paper's crop shows the eyes higher and wider apart.
    tight = outside("Eyeglasses", ModelConfig(crop=PAPER_CROP))
    assert tight[32, 18] == 0
    assert int((tight == 0).sum()) > int((outside("Eyeglasses", config) == 0).sum())


def test_nothing_is_masked_where_the_place_is_unknown() -> None:
    for name, config in (
        ("Eyeglasses", ModelConfig()),
        ("Blurry", ModelConfig(crop=CELEBA_CROP)),
        ("striped", ModelConfig(crop=CELEBA_CROP)),
        ("Eyeglasses", ModelConfig(crop=replace(CELEBA_CROP, frame=(200, 218)))),
    ):
        assert bool(outside(name, config).all())
