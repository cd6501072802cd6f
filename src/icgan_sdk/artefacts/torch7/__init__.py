"""Networks that Torch7 saved (``.t7``), as the authors of IcGAN published them.

From the file up: `tokens` (numbers and bytes, binary or ASCII), `reader` (records), `layers` (a
network as a sequence of layers), `inference` (its architecture), `plan` (the same sequence of our
networks), `weights` (copied layer by layer), `conversion` (all of it). Nothing in a file is ever
executed.
"""
