import inspect
import subprocess
import sys

import icgan_sdk
from icgan_sdk import IcGAN, IcGANError, errors

EXPORTS = {
    "Align", "AttributeValueError", "CheckpointError", "ConfigError", "DatasetError", "Detail",
    "DownloadError", "Face", "IcGAN", "IcGANError", "ImageError", "Inversion", "Latent",
    "ModelFormatError", "ModelNotFoundError", "NoFaceFoundError", "PhotoWarning", "SaveError",
    "ShapeError", "UnknownAttributeError", "__version__", "train",
}  # fmt: skip

MEMBERS = {
    "attributes": "property",
    "config": "property",
    "decode": "(self, latent)",
    "device": "property",
    "edit": "(self, images, attributes, *, refine, detail, align, face, paste_back, **named)",
    "encode": "(self, images, **options)",
    "from_pretrained": "(name_or_path, *, source, revision, device, runtime, cache_dir, token, "
    "local_files_only)",
    "groups": "property",
    "interpolate": "(self, a, b, *, steps, **options)",
    "invert": "(self, image, **options)",
    "predict_attributes": "(self, images, **options)",
    "push_to_hub": "(self, repo_id, *, private, token, revision)",
    "reconstruct": "(self, images, **options)",
    "sample": "(self, n, attributes, *, seed, generator, **named)",
    "save_pretrained": "(self, folder)",
    "swap_attributes": "(self, a, b, **options)",
    "to": "(self, device)",
    "variations": "(self, image, **options)",
    "with_attributes": "(self, latent, attributes, **named)",
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
    return str(signature.replace(parameters=bare, return_annotation=inspect.Signature.empty))


def test_the_package_exports_what_it_promises() -> None:
    assert set(icgan_sdk.__all__) == EXPORTS
    assert all(getattr(icgan_sdk, name) is not None for name in EXPORTS - {"train"})
    assert dir(icgan_sdk) == sorted(EXPORTS)


def test_icgan_has_the_members_it_promises() -> None:
    public = {name for name in dir(IcGAN) if not name.startswith("_")}
    assert {name: outline(getattr(IcGAN, name)) for name in public} == MEMBERS


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
