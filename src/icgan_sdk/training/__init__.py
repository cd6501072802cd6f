"""Training: the stages of a run. Public as `icgan_sdk.train`."""
