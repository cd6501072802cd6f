import inspect
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

import icgan_sdk
from icgan_sdk import ConfigError, IcGAN, IcGANError, Inversion, errors

EXPORTS = {
    "Align", "AttributeValueError", "CheckpointError", "ConfigError", "DataWarning", "DatasetError",
    "Detail", "DivergedError", "DownloadError", "EditResult", "Face", "FontWarning", "IcGAN",
    "IcGANError", "ImageError", "Inversion", "Latent", "ModelFormatError", "ModelNotFoundError",
    "NoFaceFoundError", "PhotoWarning", "ResourceError", "SaveError", "ShapeError",
    "UnknownAttributeError", "__version__", "find_faces", "from_floats", "grid", "save_animation",
    "save_picture", "sheet", "train",
}  # fmt: skip

MEMBERS = {
    "attributes": "property",
    "config": "property",
    "decode": "(self, latent)",
    "device": "property",
    "edit": "(self, images, attributes, *, refine, detail, align, face, paste_back, **named)",
    "encode": "(self, images, **options: align, face, refine)",
    "from_pretrained": "(name_or_path, *, source, revision, device, runtime, cache_dir, token, "
    "local_files_only)",
    "groups": "property",
    "interpolate": "(self, a, b, *, steps, **options: align, face, refine)",
    "invert": "(self, image, **options: align, face, refine)",
    "predict_attributes": "(self, images, **options: align, face)",
    "push_to_hub": "(self, repo_id, *, private, token, revision)",
    "quality": "property",
    "reconstruct": "(self, images, **options: align, face, refine)",
    "sample": "(self, n, attributes, *, seed, generator, **named)",
    "save_pretrained": "(self, folder)",
    "share_cores": "(self, callers)",
    "stream": "(self, images, attributes, *, on_error, at_once, refine, detail, align, face, "
    "paste_back, **named)",
    "swap_attributes": "(self, a, b, **options: align, face, refine)",
    "to": "(self, device)",
    "variations": "(self, image, *, detail, **options: align, face, refine)",
    "with_attributes": "(self, latent, attributes, **named)",
}

INVERSION = {
    "box": "property",
    "change": "(self, presences, amount)",
    "edit": "(self, attributes, *, detail, **named)",
    "edited": "(self, presences, detail, amount)",
    "encoded": "property",
    "faces": "property",
    "is_cut": "property",
    "latent": "property",
    "opposites": "(self)",
    "paste_back": "(self, attributes, *, onto, **named)",
    "photo": "property",
    "reconstruct": "(self)",
    "refined": "(self, steps)",
    "scores": "property",
    "square": "property",
    "towards": "(self, attributes, *, steps, paste_back, **named)",
    "variations": "(self, *, detail)",
    "y": "property",
    "z": "property",
}


def outline(member: object) -> str:
    if isinstance(member, property):
        return "property"
    assert callable(member)
    signature = inspect.signature(member)
    bare = [
        p.replace(annotation=inspect.Parameter.empty, default=inspect.Parameter.empty)
        for p in signature.parameters.values()
    ]
    text = str(signature.replace(parameters=bare, return_annotation=inspect.Signature.empty))
    if "options" not in signature.parameters:
        return text
    (options,) = get_args(signature.parameters["options"].annotation)
    return text.replace("**options", f"**options: {', '.join(options.__annotations__)}")


def test_the_package_exports_what_it_promises() -> None:
    assert set(icgan_sdk.__all__) == EXPORTS
    assert all(getattr(icgan_sdk, name) is not None for name in EXPORTS - {"train"})
    assert dir(icgan_sdk) == sorted(EXPORTS)


def test_icgan_has_the_members_it_promises() -> None:
    public = {name for name in dir(IcGAN) if not name.startswith("_")}
    assert {name: outline(getattr(IcGAN, name)) for name in public} == MEMBERS
    public = {name for name in dir(Inversion) if not name.startswith("_")}
    assert {name: outline(getattr(Inversion, name)) for name in public} == INVERSION


def test_both_runtimes_have_the_same_members() -> None:
    assert all(not hasattr(icgan_sdk, name) for name in ("OnnxIcGAN", "Engine"))
    runtimes = inspect.signature(IcGAN.from_pretrained).parameters["runtime"]
    assert get_args(runtimes.annotation) == ("torch", "onnx", "auto")


def test_every_error_is_ours_and_of_a_standard_kind() -> None:
    tree = [e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, IcGANError)]
    for error in tree:
        assert error.__name__ in EXPORTS
        assert error is IcGANError or len(error.__bases__) == 2
        assert str(error("what was wrong")) == "what was wrong"


def test_importing_the_package_brings_in_nothing_heavy() -> None:
    script = "import sys, icgan_sdk; print([m for m in ('torch', 'numpy') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_loading_does_not_import_the_compiler() -> None:
    """It takes a second, and a model is ready in a third of one."""
    script = (
        "import sys; from icgan_sdk import IcGAN; IcGAN.from_pretrained('celeba', device='cpu')"
    )
    script += "; print('torch._dynamo' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


@pytest.mark.parametrize("name", ["celeba", Path("runs/mine")])
def test_a_name_in_place_of_networks_names_the_way(name: str | Path) -> None:
    with pytest.raises(ConfigError, match=rf"IcGAN\.from_pretrained\('{name}'\) loads a model"):
        IcGAN(name)  # type: ignore[arg-type]
