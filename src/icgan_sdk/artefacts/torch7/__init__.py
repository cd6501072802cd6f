"""Networks that Torch7 saved (``.t7``), as the authors of IcGAN published them.

From the file up: `tokens` (numbers and bytes, binary or ascii), `reader` (records), `layers` (a
network as a row of layers), `inference` (the architecture), `weights` (layer by layer into our
networks), `convert` (the whole). Nothing in a file is ever executed.
"""
