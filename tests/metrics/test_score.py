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
        "deep": "more than 8 bits", "two.npz": "holds a, b; it should hold one", "object.npy": "no plain array",
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


def test_each_number_is_that_of_its_function_on_as_many_of_both() -> None:
    x, y = images(70), images(60, 1)
    dim = 16
    extractor = Extractor("inception-v3", "0" * 64, dim, lambda z: z.flatten(1)[:, :dim].float(), "cpu", 50)
    measures, missing = score(x, y, {"inception": extractor}, seed=3)
    flat = [s[:60].reshape(60, -1)[:, :dim].astype(np.float32) for s in (x, y)]
    assert measures["fid"].value == frechet_distance(*flat)
    assert measures["kid"].value == kid(*flat)
    generator = torch.Generator().manual_seed(3)
    assert measures["sharpness"].value == pytest.approx(float(sharpness(torch.from_numpy(x) / 255).mean()))
    assert {measures[name].n for name in ("fid", "swd", "recall_inception")} == {60}
    assert list(missing) == ["fd_classifier"]
    without, _ = score(x, y, {}, seed=3)
    expected = laplacian_swd(x[:60], y, generator)
    assert without["swd_20"].value == expected[20]
    assert not [name for name in without if not name.startswith(("swd", "sharpness"))]
    assert all("held-out" not in measure.protocol + measure.reference for measure in measures.values())


@pytest.mark.parametrize(("n", "m"), [(70, 60), (60, 70)])
def test_of_unequal_sets_as_many_as_the_smaller_has(n: int, m: int) -> None:
    x, y = images(n), images(m, 1)
    found, _ = score(x, y, {}, seed=3)
    expected, _ = score(x[:60], y[:60], {}, seed=3)
    assert found["swd_20"] == expected["swd_20"]
    assert found["swd_20"].n == 60


def test_what_so_few_images_cannot_give_is_missing_with_its_reason() -> None:
    extractor = Extractor("inception-v3", "0" * 64, 3, lambda z: z.flatten(1)[:, :3].float(), "cpu", 50)
    measures, missing = score(images(4, 0, (3, 5, 5)), images(4, 1, (3, 5, 5)), {"inception": extractor}, seed=1)
    assert "hold no patch of 7 x 7" in missing["swd"]
    assert "4 samples of 3 features" in missing["fid_infinity"]
    assert "k is 5" in missing["recall_inception"]
    assert set(measures) == {"fid", "kid", "sharpness", "sharpness_reference"}


# ---- command ----------------------------------------------------------------


def test_a_table_with_protocols_and_the_same_numbers_as_json(tmp_path: Path) -> None:
    paths = folder(tmp_path / "fake", images(6)), folder(tmp_path / "real", images(5, 1))
    text, report = run(paths[0], "--against", paths[1]), json.loads(run(paths[0], "--against", paths[1], "--json"))
    assert report["metrics"]["swd"]["n"] == 5
    for name, measure in report["metrics"].items():
        assert name in text
        assert f"{measure['value']:.6g}" in text
        assert measure["protocol"] in text
    assert "need the weights of Inception-v3" in text
    assert next(iter(report["missing"].values())) in text
    assert json.loads(run(paths[0], "--against", paths[0], "--json"))["metrics"]["swd"]["value"] == 0.0
    assert json.loads(run(paths[0], "--against", paths[1], "--json", "--first", 3))["metrics"]["swd"]["n"] == 3


@pytest.mark.parametrize(
    ("one", "other", "says"),
    [
        (images(3), images(3, 1, (3, 20, 17)), r"16x20 in colour and .* 17x20 in colour; only equal sizes"),
        (images(3), images(3, 1, (1, 20, 16)), r"in colour and .* in grey"),
        (images(3), images(1), "other.npy holds one picture"),
        (images(3, 0, (1, 2, 9)), images(3, 0, (1, 2, 9)), "9x2; the smallest"),
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
    extractor = Extractor("inception-v3", sha, 3, lambda z: z.flatten(1)[:, :3].float(), "cpu", 50)
    monkeypatch.setattr("wae.score.networks", lambda weights, device: ({"inception": extractor}, {}))
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
