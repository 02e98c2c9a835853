"""A mistake in a params file is one sentence: where, what was found, what is allowed, what was probably meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.project import ROOT, copy

from wae.config.check import Mistakes, load
from wae.config.jsonschema import SCHEMA, schema
from wae.pipeline.profile import Profile

DATA = Path("data/params.yaml")

CRITIC = """        latent_critic:
          kind: adam
          lr: 0.0005
          betas: [0.5, 0.999]
          schedule: {kind: steps, at: [0.3, 0.5, 1.0], factors: [0.5, 0.1, 0.01]}
"""
# name -> (text of params/smoke/params.yaml, what it becomes, words of the sentence)
MISTAKES = {
    "unknown key": ("      noise: 0.01", "      noice: 0.01", ["noice is an unknown key", "did you mean 'noise'?"]),
    "missing key": ("      noise: 0.01\n", "", ["models.digits.wae-mmd.noise is missing"]),
    "wrong type": ("      batch: 50", "      batch: many", ["wae-mmd.batch is 'many'", "valid integer"]),
    "negative": ("      weight: 10", "      weight: -1", ["wae-mmd.weight is -1", "greater than or equal to 0"]),
    "infinite": ("      weight: 10", "      weight: .inf", ["wae-mmd.weight is inf", "finite"]),
    "not a number": ("          lr: 0.001", "          lr: .nan", ["optimisers.autoencoder.lr is nan", "finite"]),
    "unknown kind": ("kind: mmd", "kind: mdm", ["penalty.kind is 'mdm'", "adversarial, bures, kl, mmd", "'mmd'?"]),
    "unknown option": ("kernel: imq", "kernel: imqq", ["penalty.kernel is 'imqq'", "did you mean 'imq'?"]),
    "unknown model": ("[wae-mmd, wae-gan]", "[wae-mdm, wae-gan]", ["grid.digits.0 is 'wae-mdm'", "'wae-mmd'?"]),
    "unknown data set": ("grid:\n  digits:", "grid:\n  digit:", ["grid.digit is no data set", "'digits'?"]),
    "no kernel": ("scales: [0.1, 0.2, 0.5, 1, 2, 5, 10]", "scales: []", ["penalty.scales is []", "at least 1"]),
    "seed twice": ("seeds: [1]", "seeds: [1, 1]", ["seeds holds 1 2 times"]),
    "no seed": ("seeds: [1]", "seeds: []", ["seeds is []", "at least 1"]),
    "key twice": ("seeds: [1]", "seeds: [1]\nseeds: [2]", ["duplicate key"]),
    "not yaml": ("seeds: [1]", "seeds: [1", ["params.yaml:"]),
    "unknown player": ("        latent_critic:", "        latent_critc:", ["latent_critc is no player"]),
    "missing player": (
        CRITIC, "", ["has no entry for the player 'latent_critic'"]
    ),
    "more samples than test images": ("    samples: 100", "    samples: 400", ["samples is 400", "at most 360"]),
    "more pictures than samples": ("{samples: 16", "{samples: 101", ["pictures.samples is 101", "at most 100"]),
    "more rows than pairs": ("rows: 2", "rows: 181", ["pictures.rows is 181", "at most 180"]),
    "batch larger than the data": ("      batch: 50", "      batch: 1438", ["wae-mmd.batch is 1438", "at most 1437"]),
    "more to pretrain on than there is": ("sample: 100", "sample: 1500", ["pretraining.sample is 1500", "1437"]),
    "unlabelled": ("    features: [classifier]", "    features: [clasifier]", ["features.0 is 'clasifier'"]),
}  # fmt: skip


def smoke(tmp_path: Path, *edits: tuple[str, str]) -> Path:
    text = (ROOT / "params/smoke/params.yaml").read_text(encoding="utf-8")
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / "params.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_sentence(mistake: str, tmp_path: Path) -> None:
    old, new, words = MISTAKES[mistake]
    path = smoke(tmp_path, (old, new))
    with pytest.raises(Mistakes) as caught:
        load(path, DATA)
    sentences = [sentence for sentence in caught.value.sentences if words[0] in sentence]
    assert len(sentences) == 1, caught.value
    assert sentences[0].startswith(f"{path}:")
    for word in words:
        assert word in sentences[0]


def test_the_sentence_names_the_line(tmp_path: Path) -> None:
    path = smoke(tmp_path, ("kernel: imq", "kernel: imqq"))
    line = 1 + path.read_text(encoding="utf-8").splitlines().index(
        next(text for text in path.read_text(encoding="utf-8").splitlines() if "imqq" in text)
    )
    with pytest.raises(Mistakes, match=f":{line}: "):
        load(path, DATA)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """Those of values by themselves, and those of values that do not fit each other."""
    names = ("unknown key", "negative", "unknown kind", "unknown model", "seed twice", "missing player")
    edits = [MISTAKES[name][:2] for name in names]
    with pytest.raises(Mistakes) as caught:
        load(smoke(tmp_path, *edits), DATA)
    for words in ("noice", "weight is -1", "'mdm'", "'wae-mdm'", "seeds holds 1 2 times", "player 'latent_critic'"):
        assert words in str(caught.value)


@pytest.mark.parametrize("mistake", ["unknown option", "unknown key", "negative"])
def test_a_mistake_that_is_merged_into_other_models_is_told_once(mistake: str, tmp_path: Path) -> None:
    old, new, _ = MISTAKES[mistake]
    merged = [("    wae-mmd:\n", "    wae-mmd: &digits\n"), ("    wae-gan:", "    copy: {<<: *digits}\n    wae-gan:")]
    with pytest.raises(Mistakes) as caught:
        load(smoke(tmp_path, (old, new), *merged), DATA)
    assert len(caught.value.sentences) == 1, caught.value


@pytest.mark.parametrize("name", Profile.names())
def test_every_profile_is_right(name: str) -> None:
    assert Profile.read(name).params["grid"]


def test_the_json_schema_is_what_the_models_generate(pytestconfig: pytest.Config) -> None:
    if pytestconfig.getoption("--fix"):
        SCHEMA.write_text(schema(), encoding="utf-8")
    assert SCHEMA.read_text(encoding="utf-8") == schema(), "run `wae schema`, or pytest --fix"


def test_every_key_of_the_schema_is_described() -> None:
    from wae.config.check import json_schema
    from wae.config.params import PARAMS

    bare = [
        f"{name}.{key}"
        for name, model in json_schema(PARAMS)["$defs"].items()
        for key, field in model.get("properties", {}).items()
        if "description" not in field
        and not any("$ref" in of for of in (field, *field.get("anyOf", ())))
        and key != "kind"
    ]
    assert bare == []


def test_wae_and_snakemake_stop_before_any_job(tmp_path: Path) -> None:
    project = copy(tmp_path)
    project.edit("params/smoke/params.yaml", "      noise: 0.01", "      noice: 0.01")
    project.edit("params/smoke/params.yaml", "kind: mmd", "kind: mdm")
    for command in (
        ("wae", "collect", "--profile", "smoke"),
        ("snakemake", "--cores", "1", "results/smoke/table.csv"),
    ):
        done = project.run(*command, check=False)
        assert done.returncode == 2, command
        assert "did you mean 'noise'?" in done.stderr
        assert "did you mean 'mmd'?" in done.stderr
        assert "Traceback" not in done.stderr
    assert not list((project.folder / "results").glob("*/*"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("train", "digits", "wae-mdm", "1", "--profile", "smoke"), "model is 'wae-mdm'; allowed: wae-mmd, wae-gan"),
        (("train", "digit", "wae-mmd", "1", "--profile", "smoke"), "did you mean 'digits'?"),
        (("train", "digits", "wae-mmd", "7", "--profile", "smoke"), "seed is '7'; allowed: 1"),
        (("collect", "--profile", "smoky"), "did you mean 'smoke'?"),
        (("prepare", "minst"), "did you mean 'mnist'?"),
    ],
)
def test_the_command_line_names_what_is_near(
    arguments: tuple[str, ...], words: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    done = copy(tmp_path_factory.mktemp("cli")).run("wae", *arguments, check=False)
    assert done.returncode == 2
    assert words in done.stderr
