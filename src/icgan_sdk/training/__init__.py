"""Training: the stages of a run. Public as `icgan_sdk.train`."""

from icgan_sdk.training import stages as stages  # so that configs know the sections of all stages
