"""Training: the four stages of a run. Public as `icgan_sdk.train`."""
