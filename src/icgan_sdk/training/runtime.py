"""Devices, precision, processes and randomness of a run."""

import ctypes
import sys
from contextlib import AbstractContextManager
from typing import Literal, TypeVar

import numpy as np
import torch
from accelerate import PartialState
from accelerate.utils import reduce
from torch import Tensor, nn

from icgan_sdk.options import find_device
from icgan_sdk.training.config import RunConfig

Stage = Literal["gan", "generated", "encoder_z", "encoder_y", "painter"]
STAGES: tuple[Stage, ...] = ("gan", "generated", "encoder_z", "encoder_y", "painter")

_Network = TypeVar("_Network", bound=nn.Module)


class Runtime:
    """Where and how a run computes.

    One process on one device, or several started by ``accelerate launch`` or ``torchrun``: each
    then works on its share of every epoch, and gradients and batch-norm statistics are averaged.

    Randomness is a function of (seed, stage, step, process), drawn on the CPU: a resumed run
    needs no saved generator states, and the device does not change the draws.

    Args:
        config: The run's settings.

    Raises:
        ConfigError: If the device is unknown or absent.
    """

    def __init__(self, config: RunConfig) -> None:
        self.seed = config.seed
        state = PartialState(cpu=config.device == "cpu")
        self.rank: int = state.process_index
        self.world_size: int = state.num_processes
        # Processes on one machine each get a GPU of their own, unless one is named.
        several = self.world_size > 1 and config.device == "auto"
        self.device: torch.device = state.device if several else find_device(config.device)
        self.memory_format = (
            torch.channels_last if config.channels_last else torch.contiguous_format
        )
        self._compiles = config.compile
        if self.device.type == "cpu":
            keep_freed_memory()
        if self.device.type == "cuda":
            _allow_tf32(config.precision == "tf32")
            torch.backends.cudnn.benchmark = True  # the images of a run are all of one size
        self.bfloat16 = config.precision == "bfloat16" or (
            config.precision == "auto" and _computes_in_bfloat16(self.device)
        )

    @property
    def is_main(self) -> bool:
        """Whether this process writes the run's files."""
        return self.rank == 0

    def autocast(self) -> AbstractContextManager[None]:
        """Mixed precision for a forward pass, if the run uses it."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16)

    def generator(self, stage: Stage, step: int, rank: int | None = None) -> torch.Generator:
        """The CPU generator of one step; step 0 comes before the first.

        Args:
            stage: Stage of the run.
            step: Counted from 1.
            rank: Process; by default this one. A fixed rank gives all processes the same draws.
        """
        rank = self.rank if rank is None else rank
        entropy = np.random.SeedSequence((self.seed, STAGES.index(stage), step, rank))
        return torch.Generator().manual_seed(int(entropy.generate_state(1, np.uint64)[0] >> 1))

    def place(self, network: _Network) -> _Network:
        """Move a network to the device in the run's memory layout."""
        network.to(device=self.device)
        network.to(memory_format=self.memory_format)
        return network

    def compile(self, *networks: nn.Module) -> None:
        """Let the first calls of networks compile them, if the run does so."""
        if self._compiles:
            for network in networks:
                network.compile()

    def holds(self, size: int) -> bool:
        """Whether so many bytes of training data are better kept on the device: a GPU's, if free.

        Half of its free memory is left to the networks.
        """
        if self.device.type != "cuda":
            return False
        free, _ = torch.cuda.mem_get_info(self.device)
        return size < free // 2

    def images(self, images: Tensor) -> Tensor:
        """Move images [B, C, H, W] to the device in the run's memory layout."""
        if self.device.type == "cuda" and images.device.type == "cpu":
            images = images.pin_memory()  # only from there a copy runs beside the computation
        return images.to(self.device, memory_format=self.memory_format, non_blocking=True)

    def average_gradients(self, network: nn.Module) -> None:
        """Average a network's gradients over all processes, in one message."""
        if self.world_size > 1:
            _average([p.grad for p in network.parameters() if p.grad is not None])

    def average_statistics(self, *networks: nn.Module) -> None:
        """Average batch-norm statistics over all processes, in one message."""
        if self.world_size > 1:
            _average([b for n in networks for b in n.buffers() if b.is_floating_point()])

    def wait(self) -> None:
        """Let all processes reach this point."""
        PartialState().wait_for_everyone()


@torch.no_grad()
def _average(tensors: list[Tensor]) -> None:
    mean = reduce(torch.cat([t.flatten() for t in tensors]), "mean")
    for tensor, part in zip(tensors, mean.split([t.numel() for t in tensors]), strict=True):
        tensor.copy_(part.view_as(tensor))


def keep_freed_memory() -> None:
    """Let glibc keep the memory of freed tensors, for the next step to use again.

    By default large blocks go back to the kernel when freed and are taken anew, page by page: a
    third of an E_z step. This holds for the whole process; elsewhere than on Linux with glibc it
    does nothing.
    """
    trim_threshold, mmap_threshold = -1, -3  # of malloc.h
    set_option = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    # Older releases take 32 MiB at most. Either call fixes what else adapts by itself, so the
    # second is only made where the first took effect.
    if set_option and (set_option(mmap_threshold, 2**30) or set_option(mmap_threshold, 2**25)):
        set_option(trim_threshold, 2**31 - 1)


def _allow_tf32(allowed: bool) -> None:
    torch.set_float32_matmul_precision("high" if allowed else "highest")
    torch.backends.cudnn.allow_tf32 = allowed


def _computes_in_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # Older CPUs emulate bfloat16, slower than float32.
    return device.type == "cpu" and bool(
        torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    )
