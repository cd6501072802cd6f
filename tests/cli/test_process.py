"""What only a process of its own shows: imports, completion, pipes, signals, full disks."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

COMMAND = [sys.executable, "-m", "icgan_sdk.cli.main"]
MODEL = ["--model", "tiny", "--device", "cpu"]
posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX")


def test_help_brings_in_nothing_heavy() -> None:
    script = """
import sys
from icgan_sdk.cli.main import run
status = run(["--help"])
heavy = {"torch", "torchvision", "numpy", "PIL", "huggingface_hub", "accelerate", "safetensors"}
print("status", status, "heavy", sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert "status 0 heavy []" in done.stdout
    for name in ("edit", "reconstruct", "attributes", "variations", "swap", "sample", "info"):
        assert name in done.stdout


def complete(words: str, folder: Path) -> list[str]:
    environment = {
        **os.environ,
        "_ICGAN_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    done = subprocess.run(
        COMMAND, capture_output=True, text=True, env=environment, cwd=folder, check=False
    )
    return done.stdout.split()


def test_the_shell_completes_commands_and_attributes(tiny_folder: Path) -> None:
    folder = tiny_folder.parent
    assert complete("icgan ed", folder) == ["edit"]
    assert complete("icgan edit a.png --model tiny --set hair", folder) == ["hair_color="]
    assert complete("icgan edit a.png --model tiny --set hair_color=", folder) == [
        f"hair_color={member}" for member in ("Black_Hair", "Blond_Hair", "none")
    ]
    assert complete("icgan edit a.png --runtime o", folder) == ["onnx"]
    assert "Smiling=" in complete("icgan edit a.png --model tiny --set ", folder)
    assert complete("icgan edit a.png --model nowhere --set S", folder) == []


def test_the_shell_completes_bundled_models(
    tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from icgan_sdk.artefacts import resolving
    from icgan_sdk.cli.options import complete_model

    shutil.copytree(tiny_folder, tiny_folder.parent / "pretrained" / "mnist")
    monkeypatch.setattr(resolving, "BUNDLED_ROOT", tiny_folder.parent / "pretrained")
    assert complete_model("m") == ["mnist"]
    assert complete_model("x") == []


@posix
def test_a_full_disk_leaves_no_half_picture(tiny_folder: Path) -> None:
    folder = tiny_folder.parent
    script = (
        "import resource, signal; from icgan_sdk.cli.main import run; "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)); "
        f"raise SystemExit(run(['sample', '-n', '4', *{MODEL}, '-o', 'out.png']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=folder, check=False
    )
    assert done.returncode == 1
    assert done.stderr == "icgan: error: can't write out.png: File too large\n"
    assert [p.name for p in folder.iterdir()] == ["tiny"]


@posix
def test_a_reader_that_leaves_early_is_no_error(tiny_folder: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "info", "--model", "tiny"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tiny_folder.parent,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 1


@posix
def test_control_c_ends_with_one_line_and_no_file(tiny_folder: Path, picture: Image.Image) -> None:
    folder = tiny_folder.parent
    picture.save(folder / "a.png")
    arguments = ["reconstruct", "a.png", *MODEL, "--refine", "1000000", "-o", "out.png"]
    script = f"""
import os, signal, threading
from icgan_sdk import IcGAN
from icgan_sdk.cli.main import run
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
raise SystemExit(run({arguments}))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=folder, check=False
    )
    assert done.returncode == 130
    assert done.stderr == "icgan: error: interrupted\n"
    assert not (folder / "out.png").exists()
