"""What an evaluation's report says of its figures, with their sources."""

READINGS = """\
A referee reads the attributes off images; those of G(z, y) should show what y asks for, those of
reconstructions what the labels say. The referee's reading of real images is what can be reached.
*Accuracy*: images read right. *F1*: harmonic mean of precision and recall, 0 where it is 0/0. Both
are means over the attributes ([Perarnau et al. 2016](https://arxiv.org/abs/1611.06355), §5.2,
Table 3). The Anet is the paper's referee, the residual one is stronger and of another family; it
gives all figures that follow. E_y is the model's own."""

EDITS = """\
One attribute at a time is set where the label says absent (*adding*), or cleared
where it says present (*removing*); a picture of a class is changed to every other class. The
residual referee then reads the result.

- *Hit*: the attribute reads as asked.
- *Relative*: hit over the referee's own rate on real pictures with such labels, at most 100.
- *Kept*: all other attributes, outside the edited one's group, that read as before the edit.
- *Identity*: cosine between the referee's features before and after the edit; 1 is unchanged.
- *Recognised*: edited pictures whose original is the nearest of 100 by the same cosine.
- *Change outside*: perceptual distance from before where the attribute doesn't show, in the manner
  of LPIPS ([Zhang et al. 2018](https://arxiv.org/abs/1801.03924)) with the referee's features; 0 is
  unchanged, 2 the most."""

ENCODERS = """\
- *L_ez*: mean of (z − E_z(G(z, y)))², per dimension; *L_ey*: mean of (y − E_y(x))², per attribute
  ([Perarnau et al. 2016](https://arxiv.org/abs/1611.06355), equations 3 and 4).
- *Pixels*: mean of (x − G(E_z(x), E_y(x)))², pixels in [0, 1].
- *Spread of z*: mean ± standard deviation of encoded z; that of the noise itself is 0 ± 1 (uniform:
  0 ± 0.577).
- *Found*: share of reconstructions whose original is the nearest of so many by the referee's
  features: rank-1 identification (Phillips et al. 2000, "The FERET Evaluation Methodology")."""

DISTRIBUTION = """\
- *FID*: Fréchet distance of Gaussians fitted to features of real and generated images
  ([Heusel et al. 2017](https://arxiv.org/abs/1706.08500)). With the referee's features it compares
  only with figures of the same referee, data and number of images, and from fewer images than
  features it says little. The Inception FID is the usual one.
- *KID*: squared maximum mean discrepancy of the features with a cubic kernel, unbiased
  ([Bińkowski et al. 2018](https://arxiv.org/abs/1801.01401))."""

NOVELTY = """\
- *Diversity*: mean distance between images of the same labels
  ([Zhu et al. 2017](https://arxiv.org/abs/1711.11586)); generated images far nearer to each other
  than real ones show collapse. *Pixels*: root mean square difference, pixels in [0, 1].
- *Nearest training image*: median of 1 − cosine of the referee's features, of generated and of
  unseen real images ([Meehan et al. 2020](https://arxiv.org/abs/2004.05675)); a ratio near 0 shows
  copying."""

REFEREES = "The referees on real pictures, as they were trained:"

CAPTIONS = {
    "samples": ("Samples", "Generated images: a row shares z, a column has one attribute only."),
    "reconstructions": (
        "Reconstructions (Figure 4)",
        "The first pictures of the partition, each above its reconstruction.",
    ),
    "variations": (
        "Variations (Figure 5)",
        "Original, reconstruction, and each attribute set in turn; Male, if there, inverted.",
    ),
    "interpolation": (
        "Interpolation (Figure 6a)",
        "Two originals at the ends; between them, linear in z and y.",
    ),
    "swap": ("Attribute swap (Figure 6b)", "Pairs with each other's attributes, z kept."),
    "neighbours": (
        "Nearest training images",
        "Generated images, and the training images nearest by the referee's features.",
    ),
}
"""Titles and captions of the pictures, in the order shown."""
