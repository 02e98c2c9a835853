"""Two sets of images of any origin, measured against each other."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from wae.cli import main
from wae.data.pictures import read_pictures
from wae.errors import UserError
from wae.metrics import frechet_distance, kid, laplacian_swd, sharpness
from wae.metrics.features.extractors import Extractor
from wae.metrics.measures import Measure
from wae.metrics.score import score
from wae.score import WEIGHTS
from wae.score import score as command


def images(n: int, seed: int = 0, shape: tuple[int, ...] = (3, 20, 16)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, *shape), dtype=np.uint8)


def png(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array[0] if len(array) == 1 else array.transpose(1, 2, 0)).save(stream, "PNG")
    return stream.getvalue()


def folder(path: Path, arrays: np.ndarray) -> Path:
    (path / "more").mkdir(parents=True)
    for index, array in enumerate(arrays):
        (path / ("more" if index > 2 else ".") / f"{index}.PNG").write_bytes(png(array))
    (path / "notes.txt").write_text("no picture")
    return path


def run(*arguments: object) -> str:
    return CliRunner().invoke(command, [*map(str, arguments), "--threads", "1"], catch_exceptions=False).stdout


# ---- reading ----------------------------------------------------------------


@pytest.mark.parametrize("shape", [(3, 20, 16), (1, 20, 16)])
def test_folders_zips_and_arrays_of_the_same_images_are_the_same(shape: tuple[int, ...], tmp_path: Path) -> None:
    x = images(6, shape=shape)
    paths = [folder(tmp_path / "folder", x), tmp_path / "x.zip", *(tmp_path / f"x{i}.npy" for i in range(3))]
    with zipfile.ZipFile(paths[1], "w") as archive:
        for index in (3, 1, 5, 0, 2, 4):
            archive.writestr(f"{index}.png", png(x[index]))
    np.save(paths[2], x)
    np.save(paths[3], x.transpose(0, 2, 3, 1))
    np.save(paths[4], x / np.float32(255))
    np.savez(tmp_path / "x.npz", anything=x)
    for path in (*paths, tmp_path / "x.npz"):
        assert np.array_equal(read_pictures(path), x), path
        assert np.array_equal(read_pictures(path, 2), x[:2]), path
    if shape[0] == 1:
        np.save(paths[2], x[:, 0])
        assert np.array_equal(read_pictures(paths[2]), x)


def test_grey_among_colour_is_repeated(tmp_path: Path) -> None:
    x = images(2)
    (tmp_path / "a.png").write_bytes(png(x[0]))
    (tmp_path / "b.png").write_bytes(png(x[1, :1]))
    assert np.array_equal(read_pictures(tmp_path), np.stack([x[0], x[1, :1].repeat(3, axis=0)]))
    (tmp_path / "0.png").write_bytes(png(x[1, :1]))  # before the one in colour
    expected = [x[1, :1].repeat(3, axis=0), x[0], x[1, :1].repeat(3, axis=0)]
    assert np.array_equal(read_pictures(tmp_path), expected)
    assert read_pictures(tmp_path, 1).shape == (1, 1, 20, 16)


def broken(tmp_path: Path) -> dict[str, tuple[Path, str]]:
    made = {name: tmp_path / name for name in ("empty", "sizes", "bad", "deep")}
    for path in made.values():
        path.mkdir()
    for name, shape in (("a.png", (3, 20, 16)), ("b.png", (3, 21, 16))):
        (made["sizes"] / name).write_bytes(png(images(1, shape=shape)[0]))
    (made["bad"] / "a.png").write_bytes(png(images(1)[0])[:50])
    Image.fromarray(np.full((9, 9), 1000, np.uint16)).save(made["deep"] / "a.png")
    arrays = {
        "two.npz": None, "object.npy": np.array([{}]), "signed.npy": np.full((2, 3, 9, 9), -0.5),
        "shape.npy": np.zeros((2, 5, 9, 9), np.uint8), "nan.npy": np.full((2, 9, 9), np.nan),
    }  # fmt: skip
    for name, array in arrays.items():
        if array is None:
            np.savez(tmp_path / name, a=images(2), b=images(2))
        else:
            np.save(tmp_path / name, array, allow_pickle=True)
    (tmp_path / "cut.npy").write_bytes(b"\x93NUMPY")
    (tmp_path / "text.txt").write_text("hello")
    says = {
        "empty": "holds no picture", "sizes": r"16x20 \(a.png\) and of 16x21 \(b.png\)", "bad": r"a\.png is no picture",
        "deep": "more than 8 bits", "two.npz": "several arrays of images, a, b", "object.npy": "no plain array",
        "signed.npy": "from -0.5 to -0.5", "shape.npy": r"has shape \(2, 5, 9, 9\)", "nan.npy": "from nan to nan",
        "cut.npy": "no plain array|cannot be read",
        "text.txt": "is not a folder, zip or tar of pictures, a .npy or a .npz$",
        "nowhere": "does not exist; it should be a folder, zip or tar of pictures, a .npy or a .npz$",
    }  # fmt: skip
    return {name: (tmp_path / name, sentence) for name, sentence in says.items()}


def test_what_is_no_set_of_pictures_is_refused_in_a_sentence(tmp_path: Path) -> None:
    for path, says in broken(tmp_path).values():
        with pytest.raises(UserError, match=says):
            read_pictures(path)


# ---- measuring --------------------------------------------------------------


def pixels(dim: int = 16, sha: str = "0" * 64) -> Extractor:
    """Pixels as features."""
    return Extractor("inception-v3", sha, dim, lambda z: z.flatten(1)[:, :dim].float(), "cpu", 50)


def numbers(measure: Measure) -> tuple[int, int, int, int]:
    """Images used and of how many, then those of the reference."""
    return measure.n, measure.of, measure.n_reference, measure.of_reference


@pytest.mark.parametrize(("n", "m"), [(70, 60), (60, 70), (60, 60)])
def test_each_number_is_that_of_its_function_on_all_of_both(n: int, m: int) -> None:
    x, y = images(n), images(m, 1)
    measures, missing = score(x, y, {"inception": pixels()}, seed=3)
    flat = [s.reshape(len(s), -1)[:, :16].astype(np.float32) for s in (x, y)]
    assert measures["fid"].value == pytest.approx(frechet_distance(*flat), rel=1e-9)
    assert measures["kid"].value == pytest.approx(kid(*flat), rel=1e-9)
    assert measures["swd_20"].value == laplacian_swd(x, y, torch.Generator().manual_seed(3))[20]
    assert measures["sharpness"].value == pytest.approx(float(sharpness(torch.from_numpy(x) / 255).mean()))
    for name in ("fid", "fid_infinity", "kid", "swd", "swd_20"):
        assert numbers(measures[name]) == (n, n, m, m), name
        assert measures[name].reference == f"all {m} images of the reference"
        assert f"n={n} vs {m} of the reference" in measures[name].protocol
    assert numbers(measures["sharpness_reference"])[:2] == (m, m)
    assert list(missing) == ["fd_classifier"]
    without, _ = score(x, y, {}, seed=3)
    assert without["swd_20"] == measures["swd_20"]  # with Inception's weights or without
    assert not [name for name in without if not name.startswith(("swd", "sharpness"))]
    assert all("held-out" not in measure.protocol + measure.reference for measure in measures.values())


@pytest.mark.parametrize(("n", "m"), [(90, 60), (60, 90)])
def test_supports_are_of_as_many_of_both_and_the_larger_set_s_are_drawn(n: int, m: int) -> None:
    """Their expectation at equal distributions depends on n / m, so that of unequal sets would say little."""
    measures, _ = score(images(n), images(m, 1), {"inception": pixels()}, seed=3)
    for name in ("precision", "recall", "density", "coverage"):
        measure = measures[f"{name}_inception"]
        assert numbers(measure) == (60, n, 60, m)
        drawn = "n=60 of 90 vs 60 of the" if n > m else "n=60 vs 60 of 90 of the"
        assert drawn in measure.protocol
        assert measure.reference == (
            "all 60 images of the reference" if n > m else "60 of 90 images of the reference, drawn by seed"
        )


def test_more_images_than_a_metric_holds_are_drawn_by_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wae.metrics.score.SWD_IMAGES", 50)
    x, y = images(70), images(40, 1)
    measures = [score(x, y, {}, seed=seed)[0]["swd"] for seed in (3, 3, 4)]
    assert numbers(measures[0]) == (50, 70, 40, 40)
    assert "n=50 of 70 vs 40 of the reference" in measures[0].protocol
    assert measures[0] == measures[1] != measures[2]


@pytest.mark.parametrize("most", [None, 30])
def test_no_number_depends_on_the_order_of_the_images(most: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the last bit, also where some images are drawn, and with copies of images in a set."""
    monkeypatch.setattr("wae.metrics.score.SWD_IMAGES", 50)
    x, y = (np.concatenate([of, of[:5]]) for of in (images(70), images(40, 1)))
    order = np.random.default_rng(0).permutation(len(x))
    found = [score(a, b, {"inception": pixels()}, 3, most) for a, b in ((x, y), (x[::-1], y[::-1]), (x[order], y))]
    assert found[0] == found[1] == found[2]
    if most:
        assert {numbers(found[0][0][name]) for name in ("fid", "swd", "recall_inception")} == {(30, 75, 30, 45)}
        assert "mean of 30 of 75" in found[0][0]["sharpness"].protocol


def test_what_so_few_images_cannot_give_is_missing_with_its_reason() -> None:
    measures, missing = score(images(4, 0, (3, 5, 5)), images(4, 1, (3, 5, 5)), {"inception": pixels(3)}, seed=1)
    assert "hold no patch of 7 x 7" in missing["swd"]
    assert "4 samples of 3 features" in missing["fid_infinity"]
    assert missing["recall_inception"] == "k is 5; with 4 samples it is between 1 and 3"
    assert missing["fid_infinity"] == "4 samples of 3 features; extrapolating a Frechet distance takes at least 6"
    assert set(measures) == {"fid", "kid", "sharpness", "sharpness_reference"}


# ---- command ----------------------------------------------------------------


def test_a_table_with_protocols_and_the_same_numbers_as_json(tmp_path: Path) -> None:
    paths = folder(tmp_path / "fake", images(6)), folder(tmp_path / "real", images(5, 1))
    text, report = run(paths[0], "--against", paths[1]), json.loads(run(paths[0], "--against", paths[1], "--json"))
    swd = {"n": 6, "of": 6, "n_reference": 5, "of_reference": 5}
    assert report["metrics"]["swd"].items() >= swd.items()
    for name, measure in report["metrics"].items():
        assert name in text
        assert f"{measure['value']:.6g}" in text
        assert measure["protocol"] in text
    assert "need the weights of Inception-v3" in text
    assert next(iter(report["missing"].values())) in text
    assert json.loads(run(paths[0], "--against", paths[0], "--json"))["metrics"]["swd"]["value"] == 0.0
    first = json.loads(run(paths[0], "--against", paths[1], "--json", "--first", 3))
    assert first["metrics"]["swd"]["of"] == 3
    assert first["notes"] == ["the first 3 of each set in the order of names"]
    drawn = json.loads(run(paths[0], "--against", paths[1], "--json", "--images", 3))["metrics"]["swd"]
    assert drawn.items() >= {"n": 3, "of": 6, "n_reference": 3, "of_reference": 5}.items()
    assert "3 of 6" in run(paths[0], "--against", paths[1], "--images", 3)


@pytest.mark.parametrize(
    ("one", "other", "says"),
    [
        (images(3), images(3, 1, (3, 20, 17)), r"16x20 in colour and .* 17x20 in colour; only equal sizes.*--size N"),
        (
            images(3),
            images(3, 1, (1, 20, 16)),
            r"one.npy has pictures in colour and .*other.npy in grey; save .*one.npy as",
        ),
        (
            images(3, 1, (1, 20, 16)),
            images(3),
            r"other.npy has pictures in colour and .*one.npy in grey; save .*other.npy",
        ),
        (images(3), images(1), "other.npy holds one picture"),
        (images(3, 0, (1, 2, 9)), images(3, 0, (1, 2, 9)), "9x2 in grey; the smallest"),
    ],
)
def test_sets_that_do_not_compare_are_refused(one: np.ndarray, other: np.ndarray, says: str, tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", one)
    np.save(tmp_path / "other.npy", other)
    with pytest.raises(UserError, match=says):
        run(tmp_path / "one.npy", "--against", tmp_path / "other.npy")


def test_wrong_or_missing_weights_give_no_number(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", images(3))
    with pytest.raises(UserError, match="nowhere does not exist"):
        run(tmp_path / "x.npy", "--against", tmp_path / "x.npy", "--inception", tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"sha256 is .* begin 6726825d"):
        run(tmp_path / "x.npy", "--against", tmp_path / "x.npy", "--inception", tmp_path / "x.npy")


def test_a_number_says_in_short_whose_features_it_is_of_and_json_in_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha = "01234567" + "89abcdef" * 7
    monkeypatch.setattr("wae.score.networks", lambda weights, device: ({"inception": pixels(3, sha)}, {}))
    np.save(tmp_path / "x.npy", images(4, shape=(3, 5, 5)))
    arguments = (tmp_path / "x.npy", "--against", tmp_path / "x.npy")
    report, lines = json.loads(run(*arguments, "--json"))["metrics"], run(*arguments).splitlines()
    for name, expected in (("fid", sha), ("kid", sha), ("sharpness", "")):
        assert report[name]["features_sha256"] == expected
        (line,) = (line for line in lines if line.endswith(report[name]["protocol"]))
        assert line.endswith(f": {'features 01234567; ' if expected else ''}{report[name]['protocol']}")
    assert sha[:9] not in "".join(lines)


@pytest.mark.parametrize(("seed", "code"), [(-1, 2), (0, 0), (2**63 - 1, 0), (2**63, 2), (10**23, 2)])
def test_a_seed_is_one_that_torch_takes(seed: int, code: int, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", images(2, shape=(1, 7, 7)))
    arguments = [str(tmp_path / "x.npy"), "--against", str(tmp_path / "x.npy"), "--threads", "1", "--json"]
    done = CliRunner().invoke(command, [*arguments, "--seed", str(seed)], catch_exceptions=False)
    assert done.exit_code == code
    assert (f"{seed} is not in the range" in done.output) == (code == 2)


def told(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The exit code of a command line."""
    monkeypatch.setattr("sys.argv", ["wae", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_a_score_needs_no_folder_of_its_own_and_all_else_the_project_s_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "x.npy", images(3))
    monkeypatch.chdir(tmp_path)
    assert told(monkeypatch, "score", "x.npy", "--against", "x.npy", "--threads", "1", "--json") == 0
    assert json.loads(capsys.readouterr().out)["metrics"]["swd"]["value"] == 0.0
    assert told(monkeypatch, "check") == 2
    assert "run it from the project's root" in capsys.readouterr().err


def test_the_weights_that_the_project_has_are_found_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.save(tmp_path / "x.npy", images(3))
    (tmp_path / "root" / WEIGHTS).parent.mkdir(parents=True)
    (tmp_path / "root" / WEIGHTS).write_bytes(b"no weights")
    monkeypatch.setattr("wae.score.ROOT", tmp_path / "root")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"sha256 is .* begin 6726825d"):
        run("x.npy", "--against", "x.npy")
