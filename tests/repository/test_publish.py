"""`docs/publish.py`: what a page shows is the run's."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from support.project import ROOT

TABLE = """# Results

Mean over seeds.

## digits

| model | FD |
|:--|--:|
| vae | 1.5 |

![digits, curves](digits/curves.png)

| model | samples |
|:--|:--|
| vae | ![digits, vae, nearest](digits/vae/nearest.png) |

- FD: N = 360
"""


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    page, run = tmp_path / "docs" / "family" / "README.md", tmp_path / "results" / "family"
    marks = ["<!-- the run's own table -->", "old numbers", "<!-- end of the table -->"]
    page.parent.mkdir(parents=True)
    grids = "![s](digits/vae/samples.png) ![s](digits/vae/samples.jpg) ![c](digits/curves.png)"
    page.write_text("\n".join(["# A page", *marks, "Why.", grids]), encoding="utf-8")
    (run / "digits" / "vae").mkdir(parents=True)
    (run / "table.md").write_text(TABLE, encoding="utf-8")
    for name in ("table.csv", "metrics.csv", "digits/curves.csv"):
        (run / name).write_text(name, encoding="utf-8")
    info = PngInfo()
    info.add_text("wae:key", "abc")
    for name in ("digits/curves", "digits/vae/samples"):
        Image.new("RGBA", (60, 40), (200, 10, 10, 255)).save(run / f"{name}.png", pnginfo=info)
    script = tmp_path / "docs" / "publish.py"
    script.write_bytes((ROOT / "docs" / "publish.py").read_bytes())
    for name in ("params", "data"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["publish.py", "family"])
    runpy.run_path(str(script), run_name="__main__")
    return page


def test_only_the_table_between_the_marks_changes(published: Path) -> None:
    lines = [line for line in published.read_text(encoding="utf-8").splitlines() if line]
    assert lines[0] == "# A page"
    assert lines[2:5] == ["| model | FD |", "|:--|--:|", "| vae | 1.5 |"]
    assert lines[5:8] == ["- FD: N = 360", "<!-- end of the table -->", "Why."]


def test_pictures_come_smaller_with_their_key_and_numbers(published: Path) -> None:
    folder = published.parent
    with Image.open(folder / "digits/vae/samples.png") as grid, Image.open(folder / "digits/curves.png") as curves:
        assert (grid.size, curves.size) == ((30, 20), (60, 40))
        assert {grid.info["wae:key"], curves.info["wae:key"]} == {"abc"}
        assert grid.convert("RGB").getpixel((3, 3)) == (200, 10, 10)
    with Image.open(folder / "digits/vae/samples.jpg") as photograph:
        assert photograph.format == "JPEG"
    assert (folder / "digits/curves.csv").read_text(encoding="utf-8") == "digits/curves.csv"
    assert {path.name for path in folder.glob("*.csv")} == {"table.csv", "metrics.csv"}


def test_pictures_of_real_faces_stay_here(published: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = published.parents[1] / "celeba-cpu" / "README.md"
    run = published.parents[2] / "results" / "celeba-cpu"
    grid = run / "celeba-15k" / "vae" / "nearest.png"
    for path in (page, grid):
        path.parent.mkdir(parents=True)
    page.write_text("![n](celeba-15k/vae/nearest.png)", encoding="utf-8")
    (run / "table.md").write_text(TABLE, encoding="utf-8")
    Image.new("RGB", (60, 40)).save(grid)
    monkeypatch.setattr(sys, "argv", ["publish.py", "celeba-cpu"])
    with pytest.raises(SystemExit, match="licence"):
        runpy.run_path(str(published.parents[1] / "publish.py"), run_name="__main__")
    assert list(page.parent.glob("**/*.png")) == []
