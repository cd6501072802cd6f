"""Make the bundled face detector of facenet-pytorch's weights.

    pip install 'facenet-pytorch==2.5.3' && python tools/mtcnn_graphs.py

Writes the weights in half precision and three graphs that point into them. Later releases of
facenet-pytorch are tied to one old torch.
"""

import torch
from facenet_pytorch.models.mtcnn import ONet, PNet, RNet
from safetensors.torch import save_file
from torch import nn
from torch.export import Dim

from icgan_sdk.export.exporting import OPSET
from icgan_sdk.export.linking import link
from icgan_sdk.photo.mtcnn import FOLDER

OUTPUTS = {
    "propose": ["shifts", "scores"],
    "refine": ["shifts", "scores"],
    "decide": ["shifts", "points", "scores"],
}


class Named(nn.Module):
    """A network under the name that its tensors have in the file of weights."""

    def __init__(self, name: str, network: nn.Module) -> None:
        super().__init__()
        self.networks = nn.ModuleDict({name: network})

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Run it."""
        (network,) = self.networks.values()
        outputs: tuple[torch.Tensor, ...] = network(images)
        return outputs


def main() -> None:
    """Write the folder."""
    made = {"propose": PNet(), "refine": RNet(), "decide": ONet()}
    # The same as the last column and row alone where the side is odd, but for any side.
    made["propose"].pool1 = nn.Sequential(
        nn.ConstantPad2d((0, 1, 0, 1), -torch.inf), nn.MaxPool2d(2, 2)
    )
    weights = FOLDER / "model.safetensors"
    for network in made.values():
        network.half().float()  # as they are stored
    state = nn.ModuleDict(made).state_dict()
    save_file({name: tensor.half().contiguous() for name, tensor in state.items()}, weights)
    for name, network in made.items():
        side = {"propose": 32, "refine": 24, "decide": 48}[name]
        batch = 1 if name == "propose" else 2
        shapes = {0: Dim("batch", min=1)}
        if name == "propose":
            shapes = {2: Dim("height", min=14, max=8192), 3: Dim("width", min=14, max=8192)}
        example = torch.zeros(batch, 3, side, side + (3 if name == "propose" else 0))
        program = torch.export.export(
            Named(name, network).eval(), (example,), dynamic_shapes=(shapes,)
        )
        for node in program.graph_module.graph.nodes:
            node.meta.pop("stack_trace", None)
        exported = torch.onnx.export(
            program,
            (),
            dynamo=True,
            input_names=["images"],
            output_names=OUTPUTS[name],
            opset_version=OPSET,
            optimize=False,
            verbose=False,
        )
        assert exported is not None  # as dynamo=True promises
        model = exported.model_proto
        link(model, [weights])
        (FOLDER / f"{name}.onnx").write_bytes(model.SerializeToString())


if __name__ == "__main__":
    main()
