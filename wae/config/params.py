"""The schema of params.yaml and data/params.yaml, as pydantic models."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, model_validator

from wae.config.constructors import Options, choice
from wae.config.figures import Figures
from wae.config.types import Count, Fraction, NonNegative, Positive, Whole

Name = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Feature = Literal["classifier", "inception"]
Path = Literal["linear", "spherical"]


# ---- training ---------------------------------------------------------------


class Pretraining(Options):
    """Encoder-only steps that match mean and covariance of the codes to the prior's (the WAE authors' code)."""

    steps: Whole = Field(description="most Adam steps; the authors take up to 200")
    sample: Annotated[int, Field(ge=2)] = Field(description="images and prior samples a step; 1000 MNIST, 256 CelebA")
    tolerance: Positive = Field(description="stop once mean(dmean^2) + mean(dcov^2) is below this; authors 0.1")


Network: Any = choice("models.nets", "NETWORKS")
Posterior: Any = choice("models.posteriors", "POSTERIORS")
Cost: Any = choice("models.costs", "COSTS")
Prior: Any = choice("models.priors", "PRIORS")
Penalty: Any = choice("models.penalties", "PENALTIES")
Objective: Any = choice("models.objectives", "OBJECTIVES")
Schedule: Any = choice("training.optim", "SCHEDULES")
Clip: Any = Annotated[Positive | None, Field(description="longest gradient of a step, by its norm; null for any")]
Optimiser: Any = choice(
    "training.optim",
    "OPTIMISERS",
    schedule=(Schedule, Field(description="learning rate over the run")),
    clip=(Clip, None),
)


class Training(Options):
    """Training settings of every model: its length, the batch size, and one optimiser per player."""

    epochs: Whole = Field(description="passes over the training images; 0 keeps the initial weights")
    batch: Count = Field(description="images a round; the WAE paper uses 100")
    optimisers: dict[str, Optimiser] = Field(description="one entry for each player of the game, by its name")
    precision: Literal["float32", "bfloat16"] = Field(
        default="float32", description="of the encoder's and decoder's convolutions and products in training"
    )
    compile: bool = Field(default=False, description="encoder and decoder by torch.compile; needs a C++ compiler")


class Interpolation(Options):
    """ACAI (Berthelot et al. 2018): a critic guesses how far two codes were mixed; the auto-encoder hides it."""

    weight: NonNegative = Field(
        description="of the critic's squared guess; 0.5 beside a mean square, scale as the cost"
    )
    gamma: Fraction = Field(description="share of the image in what the critic must call unmixed; the authors have 0.2")


class AutoEncoder(Training):
    """An auto-encoder with a penalty that moves codes to a prior: cost + weight * penalty (WAE, equation 4)."""

    kind: Literal["autoencoder"]
    network: Network = Field(description="encoder and decoder")
    posterior: Posterior = Field(description="Q(Z|X)")
    cost: Cost = Field(description="c(x, x'), the reconstruction cost")
    prior: Prior = Field(description="P_Z")
    penalty: Penalty = Field(description="D(Q_Z, P_Z)")
    weight: NonNegative = Field(description="lambda, the factor of the penalty; WAE: 10 on MNIST, 100 or 1 on CelebA")
    annealing: Schedule | None = Field(default=None, description="of the weight over the run; null for none")
    noise: NonNegative = Field(description="standard deviation of the truncated normal added to the encoder's input")
    pretraining: Pretraining | None = Field(description="of the encoder; null for none")
    interpolation: Interpolation | None = Field(default=None, description="a critic of mixed codes; null for none")


class Gan(Training):
    """A generator trained by an objective of real and generated images. Its network is the auto-encoder's decoder."""

    kind: Literal["gan"]
    network: Network = Field(description="its decoder and critic")
    prior: Prior = Field(description="P_Z")
    objective: Objective = Field(description="its game")


Model = Annotated[AutoEncoder | Gan, Field(discriminator="kind")]


# ---- evaluation -------------------------------------------------------------


class Classifier(Options):
    """The pipeline's own classifier. fd_classifier is measured in its features."""

    epochs: Count = Field(description="passes over the labelled training images")
    batch: Count = Field(description="images a step")
    lr: Positive = Field(description="learning rate of Adam")
    width: Count = Field(description="channels of the first convolution")
    features: Count = Field(description="size of the layer before the heads: the features' dimension")
    seed: Whole = Field(description="of initialisation and order, the same for every model it judges")


class Pictures(Options):
    """How many images are kept for the figures."""

    samples: Count = Field(description="generated images in the grid")
    reconstructions: Count = Field(description="held-out images shown with their reconstructions")
    rows: Count = Field(description="interpolations")
    steps: Annotated[int, Field(ge=2)] = Field(description="images an interpolation, both ends included")
    path: Path = Field(default="linear", description="between two codes")


class Mixture(Options):
    """Ex-post density (Ghosh et al. 2020): a Gaussian mixture fitted to codes, an auto-encoder's second sampler."""

    components: Count = Field(description="Gaussians with full covariances; the paper: 10")
    images: Count = Field(description="training images, drawn by the seed, that it is fitted to; at least as many")


class Rays(Options):
    """ACAI's mean distance and smoothness (Berthelot et al. 2018, section 4), for pictures of rays only."""

    pairs: Count = Field(description="of held-out images to go between")
    steps: Annotated[int, Field(ge=3)] = Field(description="images an interpolation, both ends included; the paper: 16")
    path: Path = Field(default="linear", description="between two codes; the paper: linear")


class Evaluation(Options):
    """How every model of a data set is measured: the same way for all, so that their numbers can be compared."""

    features: list[Feature] = Field(description="whose features Frechet distances use; Inception's weights are fetched")
    samples: Annotated[int, Field(ge=2)] = Field(
        description="N: generated images; as many held-out ones, drawn by the seed"
    )
    batch: Count = Field(description="images generated, or passed through a network, at once")
    seed: Whole = Field(description="of the samples drawn from the prior, and of the images that are used of more")
    samplings: Count = Field(default=1, description="independent draws of N images that each model is measured by")
    swd: Count | None = Field(
        default=None, description="images, at most N, whose patches are compared, drawn by the seed; null: none"
    )
    pictures: Pictures
    mixture: Mixture = Field(description="of codes, to draw from instead of the prior")
    classifier: Classifier | None = Field(description="null for data without labels")
    interpolation: Rays | None = Field(default=None, description="null for data other than rays")


class Compute(Options):
    """Where jobs run. The number of threads is fixed here because it changes the results of sums."""

    device: Literal["cpu", "cuda", "auto"] = Field(description="auto: the GPU where there is one")
    threads: Count = Field(description="of each training and evaluation job")
    memory_mb: Count = Field(description="MiB that a training or evaluation job may need, for the scheduler")


class Params(Options):
    """One profile: everything that a run depends on, besides the data."""

    seeds: Annotated[list[Whole], Field(min_length=1)] = Field(description="training seeds; the table averages them")
    compute: Compute
    grid: Annotated[dict[Name, list[Name]], Field(min_length=1)] = Field(description="data set -> its models")
    evaluation: dict[Name, Evaluation]
    models: dict[Name, dict[Name, Model]]
    figures: Figures | None = Field(default=None, description="of optimal transport; null for none")


# ---- data -------------------------------------------------------------------


class File(Options):
    """A file to fetch: its checksums and its size in bytes."""

    md5: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None = None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    sha256_begins: Annotated[str, Field(pattern=r"^[0-9a-f]{8,64}$")] | None = None
    bytes: Count | None = None

    @model_validator(mode="after")
    def _recognisable(self) -> File:
        if not (self.md5 or self.sha256 or self.sha256_begins):
            raise ValueError("needs md5, sha256 or sha256_begins: without one, whatever arrives is taken")
        return self


class Source(Options):
    """A source of files: a folder under data/raw, and under a mirror."""

    urls: list[str] = Field(description="base addresses, tried in order after WAE_MIRROR")
    drive: dict[str, str] = Field(default={}, description="file -> its id on Google Drive, tried last")
    folder: str | None = Field(default=None, description="its folder under a mirror, where that is not its own name")
    licence: str
    by_hand: str | None = Field(default=None, description="how to fetch them where no address serves them")
    redistribute: bool = Field(description="whether the licence lets copies be pushed to a remote")
    files: Annotated[dict[str, File], Field(min_length=1)]


class DataSet(Options):
    """A data set: one uint8 array per split, N x C x H x W."""

    kind: Literal["mnist", "celeba", "digits", "faces", "lines", "images"]
    shape: Annotated[list[Count], Field(min_length=3, max_length=3)] = Field(description="channels, height, width")
    train: Count = Field(description="images to train on, drawn or expected")
    test: Count = Field(description="held-out images, drawn or expected")
    labels: bool = Field(
        description="whether it has labels to train a classifier on; of kind images: its class folders"
    )
    source: str | None = Field(default=None, description="its files: a key of `sources`")
    path: str | None = Field(
        default=None,
        description="a folder or file of your own, or one of the source: pictures, arrays, MNIST's, CelebA's",
    )
    crop: Annotated[list[Whole], Field(min_length=4, max_length=4)] | None = Field(
        default=None, description="left, upper, right, lower in pixels of the original"
    )
    filter: Literal["lanczos", "bicubic", "bilinear", "box"] | None = Field(default=None, description="antialiased")
    seed: Whole | None = Field(default=None, description="of the images to draw, or of the split of kind images")
    held_out: Literal["test", "valid"] | None = Field(
        default=None, description="what is held out, of kinds celeba and images; null: test, or valid without a test"
    )
    shared: Literal["drop", "keep"] | None = Field(
        default=None, description="images that both splits have: null refuses them, drop takes them from train alone"
    )
    pixels: Count | None = Field(
        default=None, description="of the largest picture of kind images; null: 33,554,432, those of an 8K screen"
    )


class Data(Options):
    """The content of data/params.yaml."""

    sources: dict[Name, Source]
    datasets: dict[Name, DataSet]


PARAMS: TypeAdapter[Params] = TypeAdapter(Params)
DATA: TypeAdapter[Data] = TypeAdapter(Data)
