"""Bring a run's table, numbers and pictures into its page: `python docs/publish.py PROFILE [--results FOLDER]`.

The page docs/PROFILE/README.md says what is brought: between its two marks stands results/PROFILE/table.md, and each
picture that it links is the run's picture of that path, a model's at half its size, in fewer colours or as a JPEG. A
table that lies beside a picture, under its name with .csv, comes with it, and so do table.csv and metrics.csv. A
picture of images that a licence keeps on this machine is refused.
"""

from __future__ import annotations

import argparse
import re
import shutil
from pathlib import Path

from PIL import Image, ImageChops
from PIL.PngImagePlugin import PngInfo

from wae.pipeline.dag import jobs
from wae.pipeline.profile import Profile

MARKS = "<!-- the run's own table -->", "<!-- end of the table -->"
COLOURS, GREYS = 128, 16  # of a picture in colours, and of one in greys
KEY = "wae:key"  # of the receipt that a picture belongs to


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("profile")
    parser.add_argument("--results", type=Path, help="the run's folder, without it results/PROFILE")
    options = parser.parse_args()
    page = Path(__file__).parent / options.profile / "README.md"
    results = options.results or Path("results", options.profile)
    kept = {Path(path) for path in kept_here(options.profile)}
    text = with_table(page.read_text(encoding="utf-8"), (results / "table.md").read_text(encoding="utf-8"))
    page.write_text(text, encoding="utf-8")
    for link in sorted(set(re.findall(r"\]\(([\w./-]+\.(?:png|jpg))\)", text))):
        if Path("results", options.profile, link).with_suffix(".png") in kept:
            raise SystemExit(f"{page} links {link}, which shows images that their licence keeps here")
        bring(results, Path(link), page.parent)
    for name in ("table.csv", "metrics.csv"):
        if (results / name).exists():
            shutil.copy(results / name, page.parent)


def with_table(page: str, table: str) -> str:
    """The page with the body of the run's table between its marks; a page without marks as it is."""
    first, last = MARKS
    if first not in page:
        return page
    body = table.split("\n## ", 1)[1].split("\n", 1)[1]
    parts = body.strip().split("\n\n")
    numbers = "\n\n".join(part for part in parts if "![" not in part)
    return f"{page.split(first)[0]}{first}\n\n{numbers}\n\n{last}{page.split(last)[1]}"


def kept_here(name: str) -> list[str]:
    """The outputs of a profile that hold images whose licence allows no copies."""
    profile = Profile.read(name)
    return [
        out.path
        for job in jobs(profile)
        for out in job.stage.written(profile, job.scope)
        if out.real and not profile.may_leave(job.scope)
    ]


def bring(results: Path, link: Path, to: Path) -> None:
    """Copy one linked picture, and the numbers beside it; a PNG keeps the key of its receipt."""
    source, target = results / link.with_suffix(".png"), to / link
    target.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(source) as picture:
        key, small = picture.info.get(KEY), picture.convert("RGB")
    if len(link.parts) == 3:  # <data set>/<model>/<grid>
        small = small.resize((small.width // 2, small.height // 2), Image.Resampling.LANCZOS)
    if target.suffix == ".jpg":
        small.save(target, quality=90)
    else:
        info = PngInfo()
        if key:
            info.add_text(KEY, key)
        grey = ImageChops.difference(small, small.convert("L").convert("RGB")).getbbox() is None
        small.quantize(GREYS if grey else COLOURS, dither=Image.Dither.NONE).save(target, optimize=True, pnginfo=info)
    if source.with_suffix(".csv").exists():
        shutil.copy(source.with_suffix(".csv"), target.parent)


if __name__ == "__main__":
    main()
