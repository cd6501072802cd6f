"""Devices, precision, processes and randomness of a run."""

import ctypes
import sys
from contextlib import AbstractContextManager
from typing import TypeVar

import numpy as np
import torch
from accelerate import PartialState
from accelerate.utils import reduce
from torch import Tensor, nn

from icgan_sdk.model.devices import find_device
from icgan_sdk.model.layers import saved_buffers
from icgan_sdk.training.settings import RunConfig

_Network = TypeVar("_Network", bound=nn.Module)


class Runtime:
    """Where and how a run computes.

    A run has one process, or several started by ``accelerate launch`` or ``torchrun``. Each of
    several works on its share of every epoch; gradients and batch-norm statistics are averaged.

    Every random draw depends only on the seed, the stage, the step and the process, and is made
    on the CPU. So a resumed run needs no saved generator states, and all devices draw alike.

    Args:
        config: The run's settings.

    Raises:
        ConfigError: If the device is unknown or absent.
    """

    def __init__(self, config: RunConfig) -> None:
        self.seed = config.seed
        # accelerate doesn't connect several processes on a machine without a GPU unless it is told.
        state = PartialState(cpu=find_device(config.device).type == "cpu")
        self.rank: int = state.process_index
        self.world_size: int = state.num_processes
        # With several processes each gets its own GPU, unless the settings name one.
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
        """The context of a forward pass: mixed precision if the run uses it."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16)

    def generator(self, stage: int, step: int, rank: int | None = None) -> torch.Generator:
        """The CPU generator for one step; step 0 is for draws before the first.

        Args:
            stage: The stage's number (`Stage.seed`).
            step: Counted from 1.
            rank: The process, by default this one. With a fixed rank all processes draw alike.
        """
        rank = self.rank if rank is None else rank
        entropy = np.random.SeedSequence((self.seed, stage, step, rank))
        return torch.Generator().manual_seed(int(entropy.generate_state(1, np.uint64)[0] >> 1))

    def place(self, network: _Network) -> _Network:
        """Move a network to the device in the run's memory layout."""
        network.to(device=self.device)
        network.to(memory_format=self.memory_format)
        return network

    def compile(self, *networks: nn.Module) -> None:
        """Have networks compiled at their first call, if the run's settings ask for it."""
        if self._compiles:
            for network in networks:
                network.compile()

    def holds(self, size: int) -> bool:
        """Whether training data of `size` bytes should be kept on the device.

        They should if the device is a GPU and they fill at most half of its free memory; the
        other half is left to the networks.
        """
        if self.device.type != "cuda":
            return False
        free, _ = torch.cuda.mem_get_info(self.device)
        return size < free // 2

    def images(self, images: Tensor) -> Tensor:
        """Move images [B, C, H, W] to the device in the run's memory layout."""
        if self.device.type == "cuda" and images.device.type == "cpu":
            images = images.pin_memory()  # so that the copy overlaps with computation
        return images.to(self.device, memory_format=self.memory_format, non_blocking=True)

    def average_gradients(self, network: nn.Module) -> None:
        """Average a network's gradients over all processes, in one exchange."""
        if self.world_size > 1:
            _average([p.grad for p in network.parameters() if p.grad is not None])

    def average_statistics(self, *networks: nn.Module) -> None:
        """Average batch-norm statistics over all processes, in one exchange."""
        if self.world_size > 1:
            buffers = [b for network in networks for b in saved_buffers(network)]
            _average([b for b in buffers if b.is_floating_point()])

    def any_process(self, flag: bool) -> bool:
        """Whether a flag is set in any process; the same answer in all."""
        if self.world_size == 1:
            return flag
        return bool(reduce(torch.tensor(float(flag), device=self.device), "mean") > 0)

    def wait(self) -> None:
        """Wait until all processes have reached this point."""
        PartialState().wait_for_everyone()


@torch.no_grad()
def _average(tensors: list[Tensor]) -> None:
    if not tensors:  # as of a network without batch norm
        return
    mean = reduce(torch.cat([t.flatten() for t in tensors]), "mean")
    for tensor, part in zip(tensors, mean.split([t.numel() for t in tensors]), strict=True):
        tensor.copy_(part.view_as(tensor))


def keep_freed_memory() -> None:
    """Have glibc keep the memory of freed tensors and reuse it in the next step.

    By default glibc returns large freed blocks to the kernel. Each step then gets its memory back
    page by page, which takes a third of an E_z step. The setting changes the whole process. It
    has no effect except on Linux with glibc.
    """
    trim_threshold, mmap_threshold = -1, -3  # of malloc.h
    set_option = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    # Older releases accept at most 32 MiB. Setting one threshold stops glibc from adapting both, so
    # the second is only set if the first was accepted.
    if set_option and (set_option(mmap_threshold, 2**30) or set_option(mmap_threshold, 2**25)):
        set_option(trim_threshold, 2**31 - 1)


def release_freed_memory() -> None:
    """Have glibc give the memory of freed tensors back now.

    What is kept of each batch lies scattered among what is freed, so the next batch finds no room
    in between and the process grows with the number of batches. No effect without glibc.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim:
        trim(0)


def _allow_tf32(allowed: bool) -> None:
    torch.set_float32_matmul_precision("high" if allowed else "highest")
    torch.backends.cudnn.allow_tf32 = allowed


def _computes_in_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # Older CPUs emulate bfloat16, which is slower than float32.
    return device.type == "cpu" and bool(
        torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    )
