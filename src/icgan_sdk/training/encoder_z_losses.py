"""The losses of E_z, or of the one encoder of the design SNG."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from icgan_sdk.model import Critic, IcGANNetworks, map_distance
from icgan_sdk.model.face_recognition import FaceVectors
from icgan_sdk.training.losses import (
    EDITED_WEIGHT,
    attribute_loss,
    distance_from_prior,
    encoder_y_loss,
    identity_loss,
)
from icgan_sdk.training.settings import EncoderZConfig

LOGITS = 3.0
"""Turns the predictions of E_y (−1 to 1) into logits."""


class EncoderBatch(NamedTuple):
    """Inputs of one step of E_z, or of the one encoder of SNG.

    Attributes:
        x: Generated images [B, C, S, S].
        z: Their noise [B, z_dim].
        y: Their attributes [B, n_y].
        x_real: Real images [R, C, S, S]; R may be 0.
        y_real: Their attributes [R, n_y], as G is given them.
        y_edited: Attributes that they should show after an edit [R, n_y], −1 or 1; None: no edits.
        touched: Which of those values the edit changes, bool [R, n_y].
    """

    x: Tensor
    z: Tensor
    y: Tensor
    x_real: Tensor
    y_real: Tensor
    y_edited: Tensor | None = None
    touched: Tensor | None = None


def encoder_z_losses(
    networks: IcGANNetworks,
    batch: EncoderBatch,
    settings: EncoderZConfig,
    *,
    draws: torch.Generator,
    y_source: str = "generated",
    critic: Critic | None = None,
    faces: FaceVectors | None = None,
) -> dict[str, Tensor]:
    """Losses of E_z: the error of z on generated images, and up to five losses on real images.

    The first is L_ez = ‖z − E_z(G(z, y'))‖² per dimension (equation 3). The settings weight the
    others:

    - ``pixel``: ‖x − G(E_z(x), y)‖² of pixels in [0, 1];
    - ``feature``: the same difference in the critic's feature maps (in-domain inversion, Zhu et
      al. 2020);
    - ``identity``: how far G(E_z(x), y) is from showing the same person, see `identity_loss`;
    - ``edit``: the attribute loss of edited images, whose attributes the critic or else
      E_y predicts. It keeps
      z from holding what y should change;
    - ``prior``: the distance of E_z(x) from N(0, 1).

    The one encoder of the SNG design learns y in the same step: on generated images as in the
    original, or on real ones (equation 4).

    Args:
        networks: Their encoder learns.
        batch: Generated images, and real ones if a weight needs them.
        settings: The weights.
        draws: For the directions of `distance_from_prior` and the cuts of `identity_loss`.
        y_source: The images that SNG learns y on, "generated" or "real".
        critic: Frozen; needed with `feature_weight`. Without a critic the edits of `batch` need a
            trained E_y.
        faces: What knows people again; needed with `identity_weight`.

    Returns:
        ``z``, where present ``y``, ``pixel``, ``feature``, ``identity``, ``edit`` and ``prior``,
        and ``total``.
    """
    n = len(batch.x)
    x = torch.cat([batch.x, batch.x_real])
    losses: dict[str, Tensor] = {}
    if networks.encoder is not None:
        z, y = networks.encode(x)
        on_real = y_source == "real"
        losses["y"] = (
            encoder_y_loss(y[n:], batch.y_real) if on_real else encoder_y_loss(y[:n], batch.y)
        )
    else:
        z = networks.encode_z(x, torch.cat([batch.y, batch.y_real]))
    losses["z"] = F.mse_loss(z[:n].float(), batch.z)
    total = losses["z"] + losses.get("y", 0.0)
    if settings.pixel_weight or settings.feature_weight or settings.identity_weight:
        rebuilt = networks.decode(z[n:], batch.y_real).float()
        losses["pixel"] = ((rebuilt - batch.x_real) / 2).square().mean()
        total = total + settings.pixel_weight * losses["pixel"]
        if critic is not None and settings.feature_weight:
            losses["feature"] = map_distance(critic.maps(rebuilt), critic.maps(batch.x_real))
            total = total + settings.feature_weight * losses["feature"]
        if faces is not None:
            losses["identity"] = identity_loss(faces, rebuilt, batch.x_real, draws)
            total = total + settings.identity_weight * losses["identity"]
    if batch.y_edited is not None and batch.touched is not None:
        y_set = torch.where(batch.touched, batch.y_edited, batch.y_real)
        edited = networks.decode(z[n:], y_set).float()
        counts = torch.where(batch.touched, EDITED_WEIGHT, 1.0)
        if critic is None:
            read = LOGITS * networks.read_y(edited).float()
        else:
            read = critic.read(critic.embed(edited))
        losses["edit"] = attribute_loss(read, batch.y_edited, counts)
        total = total + settings.edit_weight * losses["edit"]
    if settings.prior_weight:
        losses["prior"] = distance_from_prior(z[n:].float(), draws)
        total = total + settings.prior_weight * losses["prior"]
    return {**losses, "total": total}
