"""Draw docs/wings.svg: the wings of wae/ and their imports, read from the sources. `python docs/wings.py`.

A wing is a folder of wae/, or a module that stands in wae/ itself. Each stands one level above the highest wing that it
imports. If A imports B and B imports C, no arrow from A to C is drawn. A test fails if the picture is out of date.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "wings.svg"
GROUND = ("errors", "io", "runtime", "progress")
COLUMNS = (  # left to right, so that no arrow runs behind a box: wings of a column stand above each other
    ("transport",), ("check", "models"), ("cli", "score", "divergences", "config"), ("provenance", "pipeline"),
    ("stages", "metrics", "data"), ("training", "figures", "table"),
)  # fmt: skip
WIDTH, HEIGHT, GAP_X, GAP_Y, MARGIN = 150, 62, 40, 50, 20
Graph = Mapping[str, set[str]]


# ---- imports, read from the sources -----------------------------------------


def imports(package: Path = ROOT / "wae") -> dict[str, set[str]]:
    """Module -> the modules of the package that it imports, also inside its functions; names without `wae.`."""
    files = {".".join(path.relative_to(package).with_suffix("").parts): path for path in package.rglob("*.py")}
    modules = {name.removesuffix(".__init__"): path for name, path in files.items()}
    return {
        name: {
            found if found in modules else found.rpartition(".")[0]
            for found in _imported(path, path.relative_to(package).parts)
        }
        - {name}
        for name, path in modules.items()
    }


def _imported(path: Path, parts: tuple[str, ...]) -> Iterator[str]:
    """The names that a file imports. Of `import_module(f"wae.stages.{name}")` only the package is known."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.ImportFrom(module=module, names=names, level=level):
                package = ["wae", *parts[: len(parts) - level]] if level else []
                found = [".".join([*package, *([module] if module else []), name.name]) for name in names]
            case ast.Import(names=names):
                found = [name.name for name in names]
            case ast.Call(func=ast.Attribute(attr="import_module") | ast.Name(id="import_module"), args=[name, *_]):
                first = name.values[0] if isinstance(name, ast.JoinedStr) else name
                found = [str(first.value).rstrip(".")] if isinstance(first, ast.Constant) else []
            case _:
                continue
        yield from (name.removeprefix("wae.") for name in found if name.startswith("wae."))


def wings(graph: Graph) -> dict[str, set[str]]:
    """Wing -> the wings that it imports, the ground aside."""
    found: dict[str, set[str]] = {}
    for module, others in graph.items():
        wing = module.split(".")[0]
        found.setdefault(wing, set()).update(other.split(".")[0] for other in others)
    return {wing: of - {wing, "", *GROUND} for wing, of in found.items() if wing not in ("__init__", *GROUND)}


# ---- the picture ------------------------------------------------------------


def levels(graph: Graph) -> dict[str, int]:
    """Wing -> its level; a wing of level 1 imports only the ground."""

    @cache
    def level(wing: str) -> int:
        return 1 + max((level(other) for other in graph[wing]), default=0)

    return {wing: level(wing) for wing in graph}


def direct(graph: Graph) -> list[tuple[str, str]]:
    """The arrows that are drawn: not A to C if A imports B and B imports C."""

    @cache
    def below(wing: str) -> frozenset[str]:
        return frozenset(graph[wing]).union(*map(below, graph[wing]))

    return [
        (wing, other)
        for wing, others in sorted(graph.items())
        for other in sorted(others)
        if not any(other in below(between) for between in others - {other})
    ]


def words(wing: str) -> tuple[str, str]:
    """A wing's name as a path, and the number of its modules."""
    folder = ROOT / "wae" / wing
    if not folder.is_dir():
        return f"{wing}.py", "a module"
    return f"{wing}/", f"{sum(path.stem != '__init__' for path in folder.rglob('*.py'))} modules"


def draw() -> str:
    """The picture, as SVG."""
    graph = wings(imports())
    level = levels(graph)
    top = max(level.values())
    column = {wing: index for index, of in enumerate(COLUMNS) for wing in of}
    place = {
        wing: (MARGIN + column[wing] * (WIDTH + GAP_X), MARGIN + (top - level[wing]) * (HEIGHT + GAP_Y))
        for wing in graph
    }
    if len(set(place.values())) < len(place):
        raise ValueError("two wings of one column and one level would hide each other: change COLUMNS")
    width = 2 * MARGIN + len(COLUMNS) * (WIDTH + GAP_X) - GAP_X
    ground = MARGIN + top * (HEIGHT + GAP_Y)
    parts = [_arrow(place[wing], place[other]) for wing, other in direct(graph)]
    parts += [_box(*place[wing], WIDTH, *words(wing)) for wing in sorted(graph)]
    parts.append(_box(MARGIN, ground, width - 2 * MARGIN, "the ground", "  ".join(f"{name}.py" for name in GROUND)))
    return SVG.format(width=width, height=ground + HEIGHT + MARGIN, parts="\n".join(parts))


def _box(x: int, y: int, width: int, name: str, below: str) -> str:
    middle = x + width // 2
    return (
        f'<rect x="{x}" y="{y}" width="{width}" height="{HEIGHT}" rx="6"/>'
        f'<text x="{middle}" y="{y + 27}" class="name">{escape(name)}</text>'
        f'<text x="{middle}" y="{y + 46}">{escape(below)}</text>'
    )


def _arrow(start: tuple[int, int], end: tuple[int, int]) -> str:
    """From the lower edge of one box to the upper edge of another, a little nearer to where it goes."""
    lean = max(-50, min(50, (end[0] - start[0]) // 6))
    x0, y0 = start[0] + WIDTH // 2 + lean, start[1] + HEIGHT
    x1, y1 = end[0] + WIDTH // 2 - lean, end[1] - 3
    bend = GAP_Y * 0.8
    return f'<path d="M{x0} {y0} C{x0} {y0 + bend:.0f} {x1} {y1 - bend:.0f} {x1} {y1}" marker-end="url(#head)"/>'


SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"
  aria-label="The wings of wae/: an arrow runs from a wing to one that it imports, always downwards">
<style>
  rect {{ fill: #eef3f8; stroke: #35506b }} path {{ fill: none; stroke: #7a8896; stroke-width: 1.4 }}
  text {{ font: 12px sans-serif; text-anchor: middle; fill: #35506b }}
  .name {{ font: bold 15px sans-serif; fill: #12263a }}
</style>
<defs><marker id="head" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="7" markerHeight="7" orient="auto">
<path d="M0 0 L8 4 L0 8 z" style="fill: #7a8896; stroke: none"/></marker></defs>
<rect width="{width}" height="{height}" style="fill: white; stroke: none"/>
{parts}
</svg>
"""


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
