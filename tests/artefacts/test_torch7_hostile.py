"""Torch7 files that are damaged, or made to harm: a typed error each, soon and in little memory."""

import random
import struct
import time
import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icgan_sdk.artefacts import from_torch7
from icgan_sdk.artefacts.torch7 import reader
from icgan_sdk.artefacts.torch7.layers import read_network
from icgan_sdk.artefacts.torch7.reader import ObjectRecord, read_torch7
from icgan_sdk.errors import IcGANError, ModelFormatError
from tests.torch7_files import Object, Storage, View, dump, lua_list, tensor
from tests.torch7_models import NAMES, make_trees
from tests.torch7_networks import Maker, sequential

HUGE = 2**31 - 1


def ints(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}i", *values)


def longs(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}q", *values)


def text(value: str) -> bytes:
    return ints(len(value)) + value.encode()


def torch_object(name: str, index: int = 1) -> bytes:
    return ints(4, index) + text("V 1") + text(name)


def deep(levels: int) -> bytes:
    return b"".join(ints(3, level, 1, 5, 1) for level in range(levels)) + ints(0)


DAMAGED: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is no Torch7 file"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(99), "is no Torch7 file"),
    "only a tag": (ints(4), "breaks off at byte 4, where 4 bytes should follow"),
    "long string": (ints(2, HUGE) + b"abc", "breaks off at byte 8"),
    "negative string": (ints(2, -1), "has a negative length at byte 8"),
    "long table": (ints(3, 1, HUGE), f"has a table of {HUGE} entries, more than can follow"),
    "negative table": (ints(3, 1, -1), "has a table of -1 entries"),
    "long storage": (torch_object("torch.FloatStorage") + longs(2**60 + 7), "breaks off"),
    "negative storage": (torch_object("torch.FloatStorage") + longs(-1), "negative length"),
    "long tensor": (torch_object("torch.FloatTensor") + ints(HUGE), f"tensor of {HUGE} dimensions"),
    "no storage": (
        torch_object("torch.FloatTensor") + ints(0) + longs(99 << 32) + ints(5, 1),
        "has a tensor whose storage is something else",
    ),
    "no fields": (torch_object("nn.Linear") + ints(5, 1), "has a nn.Linear without fields"),
    "other C class": (torch_object("torch.Generator"), "holds a torch.Generator, which no network"),
    "unknown type": (ints(3, 1, 1, 99), "record of unknown type 99"),
    "deep": (deep(5000), "nested more than 100 deep"),
    "ascii: only a tag": (b"4\n", "has no number after byte 2"),
    "ascii: words": (b"4\nx\n", "has no whole number before byte 4"),
    "ascii: endless": (b"3\n" + b"9" * 10**6, "has no number after byte 2"),
    "ascii: huge string": (b"2\n99999999999999999999\nabc", "string of 99999999999999999999 char"),
    "ascii: negative string": (b"2\n-5\nabc", "string of -5 characters"),
    "ascii: no number": (b"1\n1.2.3\n", "has no number before byte 8"),
    "ascii: long storage": (b"4\n1\n3\nV 1\n18\ntorch.FloatStorage\n999999999\n1 2\n", "has no 99"),
    "ascii: short line": (
        b"4\n1\n3\nV 1\n18\ntorch.FloatStorage\n3\n1 2    \n",
        "has 2 numbers ins",
    ),
    "ascii: long line": (b"4\n1\n3\nV 1\n18\ntorch.FloatStorage\n1\n1 2\n", "more than 1 numbers"),
    "ascii: bad line": (b"4\n1\n3\nV 1\n18\ntorch.FloatStorage\n2\n1 x\n", "something else than n"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_damaged_files(case: str, tmp_path: Path) -> None:
    data, message = DAMAGED[case]
    path = tmp_path / "x.t7"
    path.write_bytes(data)
    with pytest.raises(ModelFormatError) as caught:
        read_torch7(path)
    assert str(caught.value).startswith(f"{path} ")
    assert message in str(caught.value)


def test_records_may_not_be_endless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.t7"
    path.write_bytes(ints(3, 1, 60) + ints(5, 1, 5, 1) * 60)
    read_torch7(path)
    monkeypatch.setattr(reader, "MAX_RECORDS", 100)
    with pytest.raises(ModelFormatError, match="more than 100 records"):
        read_torch7(path)


def test_a_record_may_hold_itself(tmp_path: Path) -> None:
    path = tmp_path / "x.t7"
    circle: dict[Any, Any] = {"name": "circle"}
    circle["self"] = circle
    path.write_bytes(dump(Object("nn.Linear", circle)))
    record = read_torch7(path)
    assert isinstance(record, ObjectRecord)
    assert record.fields["self"] is record.fields


def test_modules_may_not_be_endless(tmp_path: Path) -> None:
    path = tmp_path / "x.t7"
    ring = sequential(Maker.relu())
    ring.fields["modules"][2] = ring
    bush = sequential(Maker.relu())
    for _ in range(30):
        bush = sequential(bush, bush)
    side = sequential(Object("nn.Identity"))
    side.fields["modules"][2] = side
    fork = Object("nn.ParallelTable", {"modules": lua_list([Maker.relu(), side])})
    replicas = Object("nn.DataParallelTable", {"modules": lua_list([Maker.relu()] * 3000)})
    looping = sequential(fork, Object("nn.JoinTable", {"dimension": 1, "nInputDims": 3}))
    for tree in (ring, bush, looping, sequential(*[replicas] * 1000)):
        path.write_bytes(dump(tree))
        with pytest.raises(ModelFormatError, match="more modules than any IcGAN network"):
            read_network(path)


def write_model(folder: Path, **changes: Any) -> dict[str, Any]:
    files = {}
    for name, tree in make_trees(**changes).items():
        files[name] = folder / f"{name}.t7"
        files[name].write_bytes(dump(tree))
    return files


def test_layers_that_share_a_storage_take_no_more_memory_than_the_file(tmp_path: Path) -> None:
    """A megabyte that claims to be a network of a gigabyte."""
    make, shared = Maker(), Storage(np.zeros(1 << 18, np.float32))
    tree = make.encoder(5)
    for layer in tree.fields["modules"].values():
        for name, view in layer.fields.items():
            if isinstance(view, View):
                layer.fields[name] = View(view.sizes, view.strides, 1, shared)
    widths = [512, 1024, 2048, 4096]
    convolutions = [m for m in tree.fields["modules"].values() if "Conv" in m.name]
    for into, width, layer in zip([3, *widths], widths, convolutions, strict=False):
        layer.fields |= {"nInputPlane": into, "nOutputPlane": width}
        layer.fields["weight"] = View([width, into, 5, 5], [0, 0, 0, 0], 1, shared)
    linear = [m for m in tree.fields["modules"].values() if m.name == "nn.Linear"]
    linear[0].fields["weight"] = View([50, 4096], [4096, 1], 1, shared)
    linear[1].fields["weight"] = View([5, 50], [50, 1], 1, shared)
    files = write_model(tmp_path, encoder_z=tree)
    tracemalloc.start()
    try:
        with pytest.raises(ModelFormatError, match=r"encoder_z\.t7 can't hold the \d+ weights"):
            from_torch7(**files, attributes=NAMES)
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()


def test_time_grows_with_the_file_only(tmp_path: Path) -> None:
    path = tmp_path / "x.t7"
    storages = b"".join(
        torch_object("torch.FloatStorage", i) + longs(0) + ints(5, 1) for i in range(2, 20_002)
    )
    path.write_bytes(ints(3, 1, 20_000) + storages)
    start = time.process_time()
    read_torch7(path)
    lines = "".join(
        f"4\n{i}\n3\nV 1\n18\ntorch.FloatStorage\n1\n5\n5\n1\n" for i in range(2, 20_002)
    )
    path.write_text(f"3\n1\n20000\n{lines}")
    read_torch7(path)
    assert time.process_time() - start < 5


TREES = [make_trees(), make_trees(encoder_z=Maker().encoder(5, n_y=3))]
FILES = [(t, n, dump(t[n], ascii=a)) for t in TREES for n in t for a in (False, True)]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(FILES), st.randoms(use_true_random=False))
def test_mutated_files_are_refused_or_valid(
    tmp_path_factory: pytest.TempPathFactory,
    file: tuple[dict[str, Object], str, bytes],
    chance: random.Random,
) -> None:
    trees, name, data = file
    folder = tmp_path_factory.mktemp("mutated")
    files: dict[str, Any] = {n: folder / n for n in trees}
    for n, tree in trees.items():
        files[n].write_bytes(dump(tree))
    mutated = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(mutated))
        width = chance.choice([1, 4, 8])
        new = chance.choice([bytes(width), b"\xff" * width, chance.randbytes(width), b"9" * width])
        mutated[at : at + chance.choice([0, width])] = new
    files[name].write_bytes(mutated[: chance.choice([None, chance.randrange(len(mutated))])])
    with suppress(IcGANError):
        networks = from_torch7(**files, attributes=NAMES)
        assert all(t.isfinite().all() for t in networks.state_dict().values())


def test_half_precision_tensors_of_an_unused_kind_are_only_skipped(tmp_path: Path) -> None:
    path = tmp_path / "x.t7"
    path.write_bytes(dump(Object("nn.ReLU", {"left": tensor([1], "Half", np.float16)})))
    assert read_network(path).layers[0].kind == "ReLU"
