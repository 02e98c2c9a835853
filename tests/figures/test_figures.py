"""Figures: what is drawn is what was measured, pixel for pixel, and the same bytes every time."""

import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from wae.figures import bars, curves, overview, plots, write_grids
from wae.figures.grids import GAP, HEAD, MARGIN, PAIR_GAP, SIDE, STRIP
from wae.table import collect

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (64, 1, 28, 28), dtype=np.uint8)
RGB = RNG.integers(0, 256, (64, 3, 64, 64), dtype=np.uint8)


def drawn(tmp_path: Path, name: str, **arrays: np.ndarray) -> np.ndarray:
    """The pixels (height, width, 3) of one picture of these images."""
    np.savez(tmp_path / "images.npz", **arrays)
    write_grids(tmp_path / "images.npz", "vae on digits", {name: tmp_path / f"{name}.png"})
    return np.asarray(Image.open(tmp_path / f"{name}.png").convert("RGB"))


def block(image: np.ndarray) -> np.ndarray:
    """(c, h, w) as the pixels that it must become: each pixel a square of whole pixels, grey in three channels."""
    scale = -(-SIDE // image.shape[-1])
    big = image.repeat(scale, axis=1).repeat(scale, axis=2).transpose(1, 2, 0)
    return np.broadcast_to(big, (*big.shape[:2], 3))


def cut(pixels: np.ndarray, top: int, column: int, side: int, right: bool = False) -> np.ndarray:
    """The tile of a column whose first pixel row is `top`; `right` counts the columns from the right margin."""
    left = pixels.shape[1] - MARGIN - side if right else MARGIN + column * (side + GAP)
    return pixels[top : top + side, left : left + side]


@pytest.mark.parametrize("images", [GREY, RGB], ids=["grey", "rgb"])
@pytest.mark.parametrize(("row", "column"), [(0, 0), (3, 5), (7, 7)])
def test_every_pixel_of_a_sample_is_the_images(tmp_path: Path, images: np.ndarray, row: int, column: int) -> None:
    pixels = drawn(tmp_path, "samples", samples=images)
    expected = block(images[8 * row + column])
    tile = cut(pixels, HEAD + row * (len(expected) + GAP), column, len(expected))
    assert np.array_equal(tile, expected)
    assert np.array_equal(pixels[HEAD : HEAD + len(expected), MARGIN + len(expected)], np.full((len(expected), 3), 255))


def test_contrast_is_not_stretched(tmp_path: Path) -> None:
    pixels = drawn(tmp_path, "samples", samples=np.full((8, 1, 28, 28), 100, np.uint8))
    assert (cut(pixels, HEAD, 3, 112) == 100).all()


def test_each_original_stands_right_above_its_reconstruction(tmp_path: Path) -> None:
    originals, models = GREY[:10], GREY[10:20]
    pixels = drawn(tmp_path, "reconstructions", originals=originals, reconstructions=models)
    side = 112
    second_pair = HEAD + 2 * (side + GAP) + PAIR_GAP - GAP
    for top, images in ((HEAD, originals[:8]), (HEAD + side + GAP, models[:8])):
        assert np.array_equal(cut(pixels, top, 7, side, right=True), block(images[7]))
    left = pixels.shape[1] - MARGIN - 8 * side - 7 * GAP
    assert np.array_equal(pixels[second_pair : second_pair + side, left : left + side], block(originals[8]))
    below = second_pair + side + GAP
    assert np.array_equal(pixels[below : below + side, left : left + side], block(models[8]))
    assert (pixels[:, : left - 1].min(axis=(1, 2)) < 100).any(), "row labels stand to the left"


def test_each_sample_stands_right_above_the_nearest_training_image(tmp_path: Path) -> None:
    pixels = drawn(tmp_path, "nearest", samples=RGB[:20], nearest=RGB[30:46])
    left, side = pixels.shape[1] - MARGIN - 8 * 128 - 7 * GAP, 128
    for row, top in enumerate((HEAD, HEAD + 2 * (side + GAP) + PAIR_GAP - GAP)):
        for images, y in ((RGB, top), (RGB[30:], top + side + GAP)):
            assert np.array_equal(pixels[y : y + side, left : left + side], block(images[8 * row]))
            assert np.array_equal(cut(pixels, y, 7, side, right=True), block(images[8 * row + 7]))
    assert y + side + MARGIN == len(pixels), "16 pairs, as there are nearest ones"


def test_interpolations_run_from_the_left_end_to_the_right_end(tmp_path: Path) -> None:
    rows = RGB[:24].reshape(3, 8, 3, 64, 64)
    pixels = drawn(tmp_path, "interpolations", interpolations=rows)
    top = HEAD + STRIP + 2 * (128 + GAP)
    assert np.array_equal(cut(pixels, top, 0, 128), block(rows[2, 0]))
    assert np.array_equal(cut(pixels, top, 0, 128, right=True), block(rows[2, -1]))


def test_an_overview_has_a_row_a_model_in_their_order(tmp_path: Path) -> None:
    paths = {name: tmp_path / f"{name}.npz" for name in ("data", "acai-wae-gan")}
    for index, path in enumerate(paths.values()):
        np.savez(path, samples=GREY[10 * index : 10 * index + 10])
    overview(paths, "digits", tmp_path / "overview.png")
    pixels = np.asarray(Image.open(tmp_path / "overview.png").convert("RGB"))
    assert np.array_equal(cut(pixels, HEAD, 7, 112, right=True), block(GREY[7]))
    assert np.array_equal(cut(pixels, HEAD + 112 + GAP, 7, 112, right=True), block(GREY[17]))


@pytest.mark.parametrize(
    ("outs", "said"), [(["reconstructions"], "has the model an encoder"), (["smaples"], "smaples")]
)
def test_a_picture_that_cannot_be_drawn_is_refused_before_it_is_begun(
    tmp_path: Path, outs: list[str], said: str
) -> None:
    np.savez(tmp_path / "images.npz", samples=GREY)
    with pytest.raises(ValueError, match=said):
        write_grids(tmp_path / "images.npz", "gan", {name: tmp_path / name for name in outs})
    assert [path.name for path in tmp_path.iterdir()] == ["images.npz"]


def test_images_in_the_wrong_range_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "images.npz", samples=GREY / 255)
    with pytest.raises(ValueError, match="uint8"):
        write_grids(tmp_path / "images.npz", "vae", {"samples": tmp_path / "samples.png"})


# ---- curves -----------------------------------------------------------------


def histories(tmp_path: Path, penalties: dict[str, float], epochs: int = 5) -> list[tuple[str, int, Path]]:
    """Two seeds of each model; its penalty is `value * (1 + seed)` throughout."""
    found = []
    for model, value in penalties.items():
        for seed in (0, 1):
            columns = {
                "epoch": np.arange(1, epochs + 1),
                "autoencoder.reconstruction": 9.0 / np.arange(1, epochs + 1),
                "autoencoder.penalty": np.full(epochs, value * (1 + seed)),
                "autoencoder.lr": np.full(epochs, 1e-3),
            }
            if model == "wae-gan":
                columns["latent_critic.prior"] = np.full(epochs, 0.7)
            path = tmp_path / f"{model}-{seed}.csv"
            pd.DataFrame(columns).to_csv(path, index=False)
            found.append((model, seed, path))
    return found


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """Every figure that is saved while the test runs."""
    kept: list[Figure] = []
    save = plots.save
    monkeypatch.setattr(plots, "save", lambda figure, path: (kept.append(figure), save(figure, path)))
    return kept


@pytest.mark.parametrize("penalties", [{"wae-mmd": -0.02}, {"vae": 25.0, "wae-mmd": -0.02}, {"wae-mmd": 0.0}])
@pytest.mark.parametrize("epochs", [1, 5])
def test_a_negative_penalty_is_seen(
    tmp_path: Path, figures: list[Figure], penalties: dict[str, float], epochs: int
) -> None:
    curves(histories(tmp_path, penalties, epochs), tmp_path / "curves.png")
    axes = next(panel for panel in figures[0].axes if panel.get_title(loc="left").startswith("penalty"))
    lines = [line for line in axes.lines if len(line.get_xdata()) == epochs and line.get_label().startswith("_child")]
    means = [value * 1.5 for value in penalties.values()]
    for mean in means:
        line = next(line for line in lines if np.allclose(line.get_ydata(), mean))
        where = axes.transData.transform(np.column_stack([line.get_xdata(), line.get_ydata()]))
        assert all(axes.bbox.contains(*point) for point in where)
        from_zero = abs(where[0, 1] - axes.transData.transform((1, 0.0))[1])
        assert (from_zero > 5) == (mean != 0), "at least 5 pixels from the zero line"


def test_a_panel_for_each_term_and_none_for_learning_rates(tmp_path: Path, figures: list[Figure]) -> None:
    curves(histories(tmp_path, {"vae": 25.0, "wae-mmd": 0.1, "wae-gan": 0.7}, epochs=10), tmp_path / "curves.png")
    titles = [axes.get_title(loc="left") for axes in figures[0].axes]
    assert titles == ["reconstruction · autoencoder", "penalty · autoencoder", "prior · latent critic"]
    assert [text.get_text() for text in figures[0].legends[0].get_texts()] == ["vae", "wae-mmd", "wae-gan"]
    assert figures[0].axes[0].get_yscale() == "log"


def test_the_band_reaches_from_the_smallest_to_the_largest_seed(tmp_path: Path, figures: list[Figure]) -> None:
    curves(histories(tmp_path, {"wae-mmd": 0.25}), tmp_path / "curves.png")
    (band,) = figures[0].axes[1].collections
    y = band.get_paths()[0].vertices[:, 1]
    assert (y.min(), y.max()) == (0.25, 0.5)


# ---- bars -------------------------------------------------------------------


@pytest.fixture
def metrics_csv(tmp_path: Path) -> Path:
    """Two models of two seeds and real data; fid was not computed, real data has no reconstruction."""
    numbers = {
        ("vae", 0): (10.0, 0.5),
        ("vae", 1): (14.0, 0.7),
        ("wae-mmd", 0): (8.0, 0.25),
        ("wae-mmd", 1): (8.0, 0.25),
        ("data", ""): (2.0, None),
    }
    records = []
    for (model, seed), (distance, error) in numbers.items():
        path = tmp_path / f"{model}{seed}.json"
        values = {"fid": None, "fd_classifier": distance, "reconstruction_mse": error}
        rest = {"n": 10, "reference": "r", "features_sha256": "", "protocol": "p"}
        pd.Series({name: {"value": value, **rest} for name, value in values.items()}).to_json(path)
        records.append(("digits", model, seed, path))
    collect(records, tmp_path / "metrics.csv")
    return tmp_path / "metrics.csv"


def test_bars_are_the_means_and_the_floor_is_the_data(metrics_csv: Path, figures: list[Figure]) -> None:
    bars(metrics_csv, "digits", metrics_csv.with_suffix(".png"))
    distance, error = figures[0].axes
    assert [axes.get_title(loc="left") for axes in (distance, error)] == ["FD (classifier)", "reconstruction MSE"]
    assert [patch.get_width() for patch in distance.patches] == [12.0, 8.0]
    assert np.allclose([patch.get_width() for patch in error.patches], [0.6, 0.25])
    dashed = [
        [line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == "--"] for axes in (distance, error)
    ]
    assert dashed == [[2.0], []]
    assert [label.get_text() for label in distance.get_yticklabels()] == ["vae", "wae-mmd"]
    dots = [sorted(points.get_offsets()[:, 0].tolist()) for points in distance.collections]
    assert dots == [[10.0, 14.0], [8.0, 8.0]]


def test_a_floor_of_a_metric_is_a_line_across_the_models_bar(tmp_path: Path, figures: list[Figure]) -> None:
    rows = [("vae", "latent_sw", 0.5), ("vae", "latent_sw_floor", 0.25), ("gan", "sharpness", 0.1)]
    lines = [f"d,{model},1,{metric},{value},9,,,p" for model, metric, value in rows]
    path = tmp_path / "metrics.csv"
    path.write_text("\n".join(["dataset,model,seed,metric,value,n,reference,features_sha256,protocol", *lines]) + "\n")
    bars(path, "d", tmp_path / "bars.png")
    assert [axes.get_title(loc="left") for axes in figures[0].axes] == ["latent SW²", "sharpness"]
    drawn = [line.get_xydata().tolist() for line in figures[0].axes[0].lines]
    assert [[0.25, -0.45], [0.25, 0.45]] in drawn


def test_whiskers_are_the_sample_standard_deviation(metrics_csv: Path, figures: list[Figure]) -> None:
    bars(metrics_csv, "digits", metrics_csv.with_suffix(".png"))
    whiskers = figures[0].axes[0].lines[0].get_xdata()
    assert np.isclose(np.nanmax(whiskers) - np.nanmin(whiskers), 2 * np.sqrt(8))


def test_bars_of_an_unknown_data_set_are_refused(metrics_csv: Path) -> None:
    with pytest.raises(ValueError, match=r"'mnist'; it has digits"):
        bars(metrics_csv, "mnist", metrics_csv.with_suffix(".png"))


# ---- all --------------------------------------------------------------------


def test_the_same_input_gives_the_same_bytes(tmp_path: Path, metrics_csv: Path) -> None:
    np.savez(tmp_path / "images.npz", samples=GREY, originals=GREY[:8], reconstructions=GREY[8:16])
    runs = histories(tmp_path, {"vae": 25.0, "wae-mmd": -0.02})

    def draw(folder: Path) -> list[bytes]:
        outs = {name: folder / f"{name}.png" for name in ("samples", "reconstructions")}
        write_grids(tmp_path / "images.npz", "vae on digits", outs)
        curves(runs, folder / "curves.png")
        bars(metrics_csv, "digits", folder / "bars.png")
        return [path.read_bytes() for path in sorted(folder.iterdir())]

    first = draw(tmp_path / "first")
    with mpl.rc_context(
        {"savefig.dpi": 50, "savefig.facecolor": "red", "font.size": 20, "image.cmap": "jet", "axes.grid": False}
    ):
        np.random.default_rng().random()
        assert draw(tmp_path / "second") == first
    assert len(first) == 4
    for path in (tmp_path / "first").iterdir():
        with Image.open(path) as picture:
            assert picture.text == {}, "no software version, no date"  # type: ignore[attr-defined]


def test_figures_and_tables_need_no_torch() -> None:
    code = "import sys, wae.figures, wae.table; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_codes_and_prior_are_drawn_beside_each_other_on_one_scale(tmp_path: Path) -> None:
    """Codes in one quadrant on the left, the prior all over on the right: by the colours of the dots."""
    codes = np.random.default_rng(0).uniform(1, 2, (200, 2))
    prior = np.random.default_rng(1).uniform(-4, 4, (200, 2))
    pixels = drawn(tmp_path, "latent", latent=np.stack([codes, prior]).astype(np.float32)).astype(int)
    bluish, orange = pixels[..., 2] - pixels[..., 0] > 60, pixels[..., 0] - pixels[..., 2] > 60
    middle = pixels.shape[1] // 2
    assert bluish[:, :middle].any()
    assert orange[:, middle:].any()
    assert not bluish[:, middle:].any()
    assert not orange[:, :middle].any()
    widths = [np.ptp(np.flatnonzero(mask.any(0))) for mask in (bluish, orange)]
    assert 6 < widths[1] / widths[0] < 10
