"""Models as they come and go: loaded, saved, uploaded, moved to a device."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Self, get_args

from icgan_sdk.artefacts.hub_address import Repository, one_revision, read_address
from icgan_sdk.artefacts.layout import CARD_FILE
from icgan_sdk.artefacts.quality import Quality, read_quality
from icgan_sdk.artefacts.resolving import Source, resolve
from icgan_sdk.checks import check_whole
from icgan_sdk.config import ModelConfig
from icgan_sdk.engines.engine import Engine, RuntimeName
from icgan_sdk.engines.opening import open_engine
from icgan_sdk.errors import ConfigError

if TYPE_CHECKING:
    import torch

    from icgan_sdk.model import IcGANNetworks


class PretrainedModel:
    """A model and what runs it; the base of `IcGAN`.

    Args:
        networks: Generator and encoders; moved to the device and set to eval mode.
        device: "cpu", "cuda", "cuda:1", "mps"; "auto" or None: the best there is.
        card: Markdown of the model card that `save_pretrained` writes.
        dtype: Precision of the weights that `save_pretrained` writes, float32 or float16; None:
            float32.

    Raises:
        ConfigError: If there is no such device, or a name is given instead of networks.
    """

    def __init__(
        self,
        networks: "IcGANNetworks",
        *,
        device: "str | torch.device | None" = None,
        card: str | None = None,
        dtype: "torch.dtype | None" = None,
    ) -> None:
        if isinstance(networks, str | os.PathLike):
            name = type(self).__name__
            raise ConfigError(f"{name}.from_pretrained({os.fspath(networks)!r}) loads a model")
        from icgan_sdk.engines.pytorch import TorchEngine

        self._engine: Engine = TorchEngine(networks, device)
        self._name, self._card, self._dtype = "", card, dtype
        self._folder: Path | None = None

    @classmethod
    def from_pretrained(
        cls,
        name_or_path: str | os.PathLike[str],
        *,
        source: Source = "auto",
        revision: str | None = None,
        device: "str | torch.device | None" = None,
        runtime: RuntimeName = "torch",
        cache_dir: str | os.PathLike[str] | None = None,
        token: str | None = None,
        local_files_only: bool = False,
    ) -> Self:
        """Load a bundled model, a folder, or a repository of the Hugging Face Hub.

        Args:
            name_or_path: ``"celeba"``, ``Path("runs/faces/artefact")``, ``"org/name"``.
            source: "hub" takes a bundled model from its repository on the Hub too, and ``org/name``
                even where there is a folder of that name; "auto" prefers what lies here.
            revision: Branch, tag or commit on the Hub, from which the model is then taken.
            device: As in the constructor; with the runtime "onnx" the CPU, unless "cuda" is named.
            runtime: "onnx" runs the model's graphs, or an ONNX export, by onnxruntime, without
                torch; it can't refine or save. "auto" does so on the CPU if the model has graphs
                (`icgan_sdk.export.write_graphs`).
            cache_dir: Where downloads are kept; by default the Hub's cache (``HF_HOME``).
            token: Access token for private repositories; by default ``HF_TOKEN``, or the one of
                ``hf auth login``.
            local_files_only: Take only what was downloaded before.

        Raises:
            ModelNotFoundError: If there is no model of that name or folder.
            ModelFormatError: If its files are damaged, incomplete or of a newer format.
            DownloadError: If the Hub's repository can't be fetched.
            ConfigError: If there is no such device or runtime, PyTorch is needed and not installed,
                or a folder is given a revision.
        """
        if runtime not in get_args(RuntimeName):
            raise ConfigError(f"runtime must be 'torch', 'onnx' or 'auto', not {runtime!r}")
        folder = resolve(
            name_or_path,
            source=source,
            revision=revision,
            cache_dir=cache_dir,
            token=token,
            local_files_only=local_files_only,
        )
        model = cls.__new__(cls)
        model._engine, model._dtype = open_engine(folder, device, runtime)
        model._folder, model._name = folder, os.fspath(name_or_path)
        card = folder / CARD_FILE
        found = card.is_file()
        model._card = card.read_text(encoding="utf-8", errors="replace") if found else None
        return model

    def share_cores(self, callers: int) -> None:
        """Tell the model that so many threads will call it at once.

        Then each call takes its part of the processor's cores, where one alone would take them all.
        It makes a difference with the runtime "onnx"; the results are the same.

        Args:
            callers: Threads.

        Raises:
            ConfigError: If it is no whole number from 1.
        """
        self._engine.share_cores(check_whole("callers", callers, 1))

    def save_pretrained(self, folder: str | os.PathLike[str]) -> None:
        """Write config, weights (safetensors) and card, as a whole or not at all.

        A model that was loaded is written as it was: of the same precision, with the same card and
        its graphs.

        Raises:
            ConfigError: If the model runs by onnxruntime.
            SaveError: If the folder can't be written, or holds files that aren't a model's.
        """
        from icgan_sdk.artefacts.card import blank_card

        self._save(folder, self._card or blank_card(self.config, Path(folder).name))

    def _save(self, folder: str | os.PathLike[str], card: str) -> None:
        import torch

        from icgan_sdk.artefacts.store import save_artefact

        dtype = self._dtype or torch.float32
        networks = self._engine.networks
        save_artefact(networks, folder, card=card, dtype=dtype, source=self._folder)

    def push_to_hub(
        self,
        repo_id: str,
        *,
        private: bool = False,
        token: str | None = None,
        revision: str | None = None,
    ) -> str:
        """Upload the model to ``org/name`` on the Hugging Face Hub, creating it where needed.

        The files are those of `save_pretrained`, except that a card which names the folder the
        model lay in now names the repository.

        Args:
            repo_id: The repository, in any of the spellings that `from_pretrained` takes.
            private: Whether a new one is hidden from others.
            token: Access token that may write; by default ``HF_TOKEN``, or the one of
                ``hf auth login``.
            revision: Branch, created where needed; by default the main one.

        Returns:
            The commit's address.

        Raises:
            ConfigError: If the model runs by onnxruntime, or two revisions are asked for.
            ModelNotFoundError: If an address is no model's on the Hub.
            DownloadError: If the Hub refuses or can't be reached.
        """
        from icgan_sdk.artefacts.card import blank_card, for_repository
        from icgan_sdk.artefacts.hub import upload

        found = read_address(repo_id) or Repository(repo_id)
        repo_id, revision = found.name, one_revision(found, revision)
        card = (
            for_repository(self._card, repo_id) if self._card else blank_card(self.config, repo_id)
        )
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / "model"
            self._save(folder, card)
            return upload(folder, repo_id, private=private, token=token, revision=revision)

    @property
    def attributes(self) -> tuple[str, ...]:
        """Names of the attributes, in the order of y."""
        return self.config.attributes.names

    @property
    def groups(self) -> Mapping[str, tuple[str, ...]]:
        """Exclusive groups: ``hair_color``, ``digit`` … to their members."""
        return self.config.attributes.groups

    @property
    def config(self) -> ModelConfig:
        """Sizes and design of the networks."""
        return self._engine.config

    @property
    def quality(self) -> Quality | None:
        """How real each edit of photos looks, as it was measured; None: it wasn't."""
        return None if self._folder is None else read_quality(self._folder)

    @property
    def device(self) -> "torch.device":
        """Where the networks run."""
        import torch

        return torch.device(self._engine.device)

    def to(self, device: "str | torch.device") -> Self:
        """Move the networks; returns the model itself.

        Raises:
            ConfigError: If there is no such device.
        """
        self._engine.move(str(device))
        return self

    def __repr__(self) -> str:
        config = self.config
        name, side = f" {self._name!r}" if self._name else "", config.photo.picture_size
        painted = f", photos painted at {side}×{side}" if config.painter_size else ""
        return (
            f"<{type(self).__name__}{name}: {config.picture_size}×{config.picture_size} pictures"
            f"{painted}, {config.n_attributes} attributes, on {self._engine.device}>"
        )
