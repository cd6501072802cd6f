"""The sections of a training run's settings, a dataclass each."""

from dataclasses import dataclass
from typing import Annotated, Literal

from icgan_sdk.config import OWN_CRITIC
from icgan_sdk.data import LabelMethod
from icgan_sdk.ranges import Range

Adam = Literal["pytorch", "torch7"]
Schedule = Literal["constant", "cosine"]
GANMethod = Literal["matching", "joint"]
Precision = Literal["auto", "float32", "tf32", "bfloat16"]


@dataclass(frozen=True)
class ImagesConfig:
    """How real images vary each time that training draws them.

    Attributes:
        flip: Mirror half of them. Not for what has a left and a right, such as digits.
        shift: Where attributes are learned (stages `encoder_y` and `painter`), move them by up to
            this many pixels; border pixels repeat. Generators would learn to draw such borders.
    """

    flip: bool = True
    shift: Annotated[int, Range(0)] = 0


@dataclass(frozen=True)
class OptimiserConfig:
    """How one stage is optimised; the defaults are the paper's for the GAN.

    Attributes:
        epochs: Passes over the training partition.
        batch_size: Images per step and process; batch norm needs two.
        learning_rate: Adam's step size at the start.
        beta1: Decay of Adam's mean.
        beta2: Decay of Adam's mean square.
        adam: "pytorch", or "torch7" as in the original (ε is added before the bias correction).
        schedule: "constant" (the original), or "cosine": down to zero at the end of the stage.
    """

    epochs: Annotated[int, Range(1)] = 25
    batch_size: Annotated[int, Range(2)] = 64
    learning_rate: Annotated[float, Range(0)] = 2e-4
    beta1: Annotated[float, Range(0, below=1)] = 0.5
    beta2: Annotated[float, Range(0, below=1)] = 0.999
    adam: Adam = "pytorch"
    schedule: Schedule = "constant"


@dataclass(frozen=True)
class GANConfig(OptimiserConfig):
    """Stage `gan`: generator and discriminator.

    Attributes:
        method: "matching": the paper's conditional GAN with a matching-aware discriminator.
            "joint": generator and E_z learn together, on edits of real images among others; the
            section `joint` says how.
        label_sampling: How y' of generated images is drawn (paper §3.1).
        ema_decay: Decay of the generator's exponential moving average; 0: none.
    """

    method: GANMethod = "matching"
    label_sampling: LabelMethod = "labels"
    ema_decay: Annotated[float, Range(0, below=1)] = 0.0


@dataclass(frozen=True)
class JointConfig:
    """Stage `gan` with the method "joint".

    Attributes:
        attribute_weight: Weight of the attribute loss: the cross-entropy, summed over attributes,
            between what the critic predicts for generated images and what they should show.
        pixel_weight: Weight of the mean absolute error of reconstructed pixels, in [-1, 1] units.
        feature_weight: Weight of the error of reconstructions in the critic's feature maps.
        identity_weight: Weight of how far reconstructed and edited images are from showing the same
            person, see `identity_loss`; 0: none. Only for aligned faces.
        z_weight: Weight of L_ez, ‖z − E_z(G(z, y'))‖² per dimension. It trains the generator too.
        warmup: Steps at the start in which only the critic learns. A run that starts from trained
            networks needs them: an untrained critic would spoil those networks.
        fixed_norm: Batch norm of G and E_z keeps the statistics of the model that training starts
            from. Those of a batch mix its three kinds of images, which inference never sees mixed.
        augment: Move the images that the critic sees, and cover a part of each (DiffAugment).
        r1_weight: Weight of half the squared gradient of real images' scores (R1, Mescheder et al.
            2018), taken lazily, see `R1_EVERY`; 0: none.
    """

    attribute_weight: Annotated[float, Range(0)] = 1.0
    pixel_weight: Annotated[float, Range(0)] = 10.0
    feature_weight: Annotated[float, Range(0)] = 2.0
    identity_weight: Annotated[float, Range(0)] = 0.0
    z_weight: Annotated[float, Range(0)] = 2.0
    warmup: Annotated[int, Range(0)] = 0
    fixed_norm: bool = False
    augment: bool = False
    r1_weight: Annotated[float, Range(0)] = 0.0


@dataclass(frozen=True)
class GeneratedConfig:
    """Stage `generated`: the final generator, and a set of its images to judge encoders by.

    Attributes:
        images: Size of the generated set.
        smooth_output: Take the finest checkerboard out of G's pictures: its output layer's
            kernels become the nearest ones that can't draw it, see `DoublingConv.smooth`.
    """

    images: Annotated[int, Range(1)] = 10_000
    smooth_output: bool = False


@dataclass(frozen=True)
class EncoderConfig(OptimiserConfig):
    """How an encoder is optimised; the defaults are the paper's."""

    epochs: Annotated[int, Range(1)] = 15
    learning_rate: Annotated[float, Range(0)] = 1e-4
    beta1: Annotated[float, Range(0, below=1)] = 0.1


@dataclass(frozen=True)
class EncoderZConfig(EncoderConfig):
    """Stage `encoder_z`: E_z (design SNG: the one encoder), on images generated on the fly.

    Attributes:
        pixel_weight: Weight of the pixel loss ‖x − G(E_z(x), y)‖² on real images, pixels in
            [0, 1] (the original's end-to-end script); 0: none.
        feature_weight: Weight of the difference between real images and G(E_z(x), y) in the
            critic's feature maps (only with gan.method "joint"); 0: none.
        identity_weight: Weight of how far G(E_z(x), y) is from showing the same person, see
            `identity_loss`; 0: none. Only for aligned faces.
        edit_weight: Weight of the attribute loss on edited real images; 0: none. The critic of
            gan.method "joint" reads the attributes; without one, the E_y of the start model.
        prior_weight: Weight of the distance between real images' z and N(0, 1); 0: none.
        fixed_norm: Batch norm keeps the statistics that it begins with, those of joint training
            or of the start model. Statistics of each small batch are noise, which costs closeness.
        whiten: Afterwards express z so that real images' z are nearer to N(0, 1), see
            `icgan_sdk.model.whitening`. What is drawn becomes more like real images.
    """

    pixel_weight: Annotated[float, Range(0)] = 0.0
    feature_weight: Annotated[float, Range(0)] = 0.0
    identity_weight: Annotated[float, Range(0)] = 0.0
    edit_weight: Annotated[float, Range(0)] = 0.0
    prior_weight: Annotated[float, Range(0)] = 0.0
    fixed_norm: bool = False
    whiten: bool = False


@dataclass(frozen=True)
class EncoderYConfig(EncoderConfig):
    """Stage `encoder_y`: E_y, on real images and their labels.

    Attributes:
        source: "real" (the paper's choice), or "generated" images with their y'.
    """

    source: Literal["real", "generated"] = "real"


@dataclass(frozen=True)
class PainterConfig(OptimiserConfig):
    """Stage `painter`: the painter of a model with `model.painter_size`, and its critic.

    Attributes:
        alone: Train nothing else: the other networks are the start model's.
        critic: The critic, a name in `icgan_sdk.model.build.CRITICS`: "own" learns from the
            training images alone; "projected" looks at features of a network that learnt ImageNet
            (extra `features`), and finds out sooner what real things look like.
        critic_width: Channels of the first layer of the critic "own". Each later layer has twice
            as many.
        realism_weight: Weight of the critic's scores, of the whole photo and of its parts.
        attribute_weight: Weight of what the critic reads wrong off painted photos, summed over
            the attributes.
        encoder_weight: Weight of what E_y reads wrong: a second reader, which doesn't learn and
            so can't follow the painter into a code of their own.
        put_on: Attributes, with commas between, that the painter also puts on bare photos and
            takes off again, so that it learns to take away: glasses, hats, a smile.
        filters: Soften, sharpen, tint and compress photos at random, see
            `icgan_sdk.training.photo_filters`: for photos from anywhere.
        warmup: Steps at the start in which the critic learns alone: on real photos, and on those
            that the start model's painter paints, if it has one. Against a critic that knows
            nothing a new painter would learn to keep its mask shut, and a trained one forgets.
    """

    epochs: Annotated[int, Range(1)] = 20
    learning_rate: Annotated[float, Range(0)] = 3e-4
    beta2: Annotated[float, Range(0, below=1)] = 0.99
    schedule: Schedule = "cosine"
    alone: bool = False
    critic: str = OWN_CRITIC
    critic_width: Annotated[int, Range(1)] = 48
    realism_weight: Annotated[float, Range(0)] = 1.0
    attribute_weight: Annotated[float, Range(0)] = 1 / 4
    encoder_weight: Annotated[float, Range(0)] = 1 / 6
    put_on: str = ""
    filters: bool = False
    warmup: Annotated[int, Range(0)] = 500


@dataclass(frozen=True)
class RunConfig:
    """Settings of the machine and the record; beside the seed, they change a result by rounding.

    Attributes:
        seed: Fixes every random draw.
        device: "auto", "cpu", "cuda", "cuda:1", "mps".
        precision: "bfloat16" mixed precision, "float32", "tf32" (float32 with shortened products
            on NVIDIA GPUs), or "auto": bfloat16 where the hardware computes in it.
        channels_last: Memory layout of images and convolution weights; faster almost everywhere.
        compile: Compile the networks with `torch.compile`. It starts slowly and pays off in long
            runs on GPUs.
        data_on_device: Keep the training images in the GPU's memory if they fit into half of it.
        log_every: Steps between lines of metrics.jsonl.
        checkpoint_every: Steps between checkpoints, a multiple of `log_every`.
        tensorboard: Also write TensorBoard event files (extra `tensorboard`).
    """

    seed: Annotated[int, Range(0)] = 0
    device: str = "auto"
    precision: Precision = "auto"
    channels_last: bool = True
    compile: bool = False
    data_on_device: bool = True
    log_every: Annotated[int, Range(1)] = 50
    checkpoint_every: Annotated[int, Range(1)] = 500
    tensorboard: bool = False
