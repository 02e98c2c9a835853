"""What an edit of a module makes stale: the stages that run it, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from wae.pipeline import code
from wae.pipeline.code import closure
from wae.pipeline.dag import STAGES, jobs
from wae.pipeline.profile import Profile

EVALUATED = {"floor", "corruption", "evaluate"}
PICTURES = {"samples", "codes", "compare", "corruption"}
# module of wae/ -> the stages of the family profile whose jobs run it, all of them
STALE = {
    "models/penalties.py": {"train", "evaluate"},
    "models/objectives.py": {"train", "evaluate"},
    "training/optim.py": {"train"},
    "training/checkpoint.py": {"train"},
    "divergences/kernel.py": {"train", *EVALUATED},
    "metrics/distances/kid.py": {"classifier", *EVALUATED},
    "metrics/codes/latent.py": EVALUATED,
    "figures/plots.py": PICTURES,
    "table/verdicts.py": {"collect", "table", *PICTURES},
    "data/faces.py": {"prepare"},
}


@pytest.mark.parametrize("module", STALE)
def test_which_jobs_of_the_family_an_edit_makes_stale(module: str) -> None:
    family = jobs(Profile.read("family"))
    stale = {job.address for job in family if f"wae/{module}" in job.code}
    assert stale == {job.address for job in family if job.stage.name in STALE[module]}


def test_a_figure_of_transport_depends_on_no_whole_model() -> None:
    """Figures import networks and objectives from the package that hands `build` on."""
    of = {name: set(STAGES["transport"].code({"figure": name})) for name in ("clipping", "supports", "duality")}
    assert all("wae/models/nets.py" in files and "wae/models/compose.py" not in files for files in of.values())
    assert "wae/models/penalties.py" not in of["supports"] | of["duality"]


def test_a_name_that_is_handed_on_late_brings_its_module(tmp_path: Path) -> None:
    """`from wae.models import build` runs compose.py, which the package's `__init__` does not import by itself."""
    assert "wae/models/compose.py" not in closure("wae.models")
    late = tmp_path / "late.py"
    late.write_text("from wae.models import build\n", encoding="utf-8")
    assert {"wae.models", "wae.models.compose"} < code._imports(late)


def test_a_relative_import_is_an_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code, "ROOT", tmp_path)
    late = tmp_path / "wae" / "models" / "late.py"
    late.parent.mkdir(parents=True)
    late.write_text("from ..training import optim\nfrom . import nets\n", encoding="utf-8")
    assert {"wae.training.optim", "wae.models.nets"} < code._imports(late)


def test_what_the_package_of_models_hands_on() -> None:
    import wae.models
    from wae.models import build
    from wae.models.compose import build as composed

    assert build is composed
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = wae.models.nothing
