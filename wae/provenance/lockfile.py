"""DVC's lock files: what DVC has recorded, and where receipts contradict it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from wae.config.yaml import canonical
from wae.io import read_json, write_json, write_text
from wae.pipeline.profile import DATA_DVC
from wae.pipeline.stage import DATA, LOCK, Job
from wae.provenance.receipt import SETTLED, md5, read

OTHERS = [  # DVC's configuration files of a user and of a machine, on Linux
    Path(os.environ.get("DVC_GLOBAL_CONFIG_DIR") or Path.home() / ".config/dvc", "config"),
    Path(os.environ.get("DVC_SYSTEM_CONFIG_DIR") or "/etc/xdg/dvc", "config"),
]
NOTHING: dict[str, Any] = {"whole": True, "stages": {}, "contradicted": [], "unseen": []}


def file_of(job: Job) -> str:
    """The dvc.yaml that has a job's stage."""
    return DATA_DVC if job.stage.home == DATA else job.profile.dvc


def lock_of(file: str) -> Path:
    """The dvc.lock beside a dvc.yaml."""
    return Path(file).with_name("dvc.lock")


def cached(digest: str) -> Path:
    """The path of the content with this md5 in DVC's cache."""
    return _cache() / "files" / "md5" / digest[:2] / digest[2:]


@cache
def _cache() -> Path:
    """The folder of DVC's cache: .dvc/cache if it exists and no configuration names another; else ask DVC."""
    usual, files = Path(".dvc/cache"), [Path(".dvc/config"), Path(".dvc/config.local"), *OTHERS]
    texts = [path.read_text(encoding="utf-8") for path in files if path.is_file()]
    if usual.is_dir() and not any(re.search(r"^\s*dir\s*=", text, re.MULTILINE) for text in texts):
        return usual
    command = [sys.executable, "-m", "dvc", "cache", "dir"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    return usual if said.returncode else Path(os.path.relpath(said.stdout.strip()))


def locked(file: str) -> dict[str, dict[str, str]]:
    """Stage -> output -> md5, from the dvc.lock beside a dvc.yaml; empty if that file is not complete."""
    return dict(_content(lock_of(file))["stages"])


def whole(file: str) -> bool:
    """Whether the dvc.lock beside a dvc.yaml was written to its end."""
    return bool(_content(lock_of(file))["whole"])


def contradicted(file: str) -> list[str]:
    """The stages of a dvc.lock with an entry that contradicts the receipt recorded in it."""
    return list(_content(lock_of(file))["contradicted"])


def mend(file: str) -> None:
    """Remove from a dvc.lock each stage that its own receipt contradicts; delete an incomplete file. Prints this.

    An entry is false if DVC was told to commit stale outputs, or if it was killed while it recorded files that somebody
    edited. DVC reports the removed stages as changed until they are recorded again. Git's conflict markers stay.
    """
    path = lock_of(file)
    while not _sound(content := _content(path)) and _written_just_now(path):
        time.sleep(0.1)  # DVC writes the file in place and may be doing so now
    if not path.is_file():  # removed since
        return
    if not content["whole"] and b"\n<<<<<<< " in b"\n" + path.read_bytes():
        said = "has git's conflict markers: resolve them, or take either side; the next run records what it lacks"
    elif not content["whole"]:
        path.unlink(missing_ok=True)
        said = "was not written to its end, and is removed: what is up to date is recorded anew"
    elif names := content["contradicted"]:
        yaml, text = YAML(), StringIO()  # the same format as DVC writes
        yaml.default_flow_style = False
        tree = yaml.load(path.read_text(encoding="utf-8"))
        for name in names:
            del tree["stages"][name]
        yaml.dump(tree, text)
        write_text(path, text.getvalue())
        said = f"said of {', '.join(names)} what the receipts recorded there do not: taken out"
    else:
        return
    print(f"{path} {said}", file=sys.stderr)


def _written_just_now(path: Path) -> bool:
    try:
        return 0 <= time.time_ns() - path.stat().st_mtime_ns < SETTLED
    except FileNotFoundError:
        return False


def _sound(content: Mapping[str, Any]) -> bool:
    return bool(content["whole"] and not content["contradicted"])


def _content(path: Path) -> dict[str, Any]:
    """The result of `parsed`, kept in .wae/ with the file's md5: a lock file of 320 runs takes seconds to parse."""
    try:
        digest = md5(path)
    except (FileNotFoundError, IsADirectoryError):
        return NOTHING
    kept = Path(".wae/locked", f"{path.parent.name or 'root'}.json")
    with suppress(FileNotFoundError, ValueError):
        match known := read_json(kept):
            case {
                "md5": of, "whole": bool(), "stages": dict(stages), "contradicted": list(), "unseen": list(unseen)
            } if of == digest:  # fmt: skip
                # Parse again if an unseen receipt has arrived since, by `dvc pull` or `dvc checkout`.
                if all(map(_is_stage, stages.values())) and not any(cached(str(of)).is_file() for of in unseen):
                    return dict(known)
    found = {"md5": digest, **parsed(path)}
    with suppress(OSError):  # read-only, or the disk is full: the next run parses it again
        write_json(kept, found)
    return found


def _is_stage(kept: object) -> bool:
    """Whether the kept value of a stage has the form output -> md5."""
    return isinstance(kept, dict) and all(isinstance(digest, str) for digest in kept.values())


def parsed(path: Path) -> dict[str, Any]:
    """A dvc.lock: whether it is complete, its stages' outputs, the contradicted stages, and the receipts not here."""
    try:
        content = YAML(typ="safe").load(path.read_text(encoding="utf-8")) or {}
        stages = content.get("stages", {})
        return {
            "whole": True,
            "stages": {name: _outputs(entry) for name, entry in stages.items()},
            "contradicted": [name for name, entry in stages.items() if _contradicted(entry)],
            "unseen": [digest for path, digest in map(_receipt, stages.values()) if path and not path.is_file()],
        }
    except (YAMLError, UnicodeDecodeError, AttributeError, KeyError, TypeError):
        return NOTHING | {"whole": False}


def _outputs(entry: Mapping[str, Any]) -> dict[str, str]:
    return {out["path"]: out.get("md5", "") for out in entry.get("outs", [])}


def _contradicted(entry: Mapping[str, Any]) -> bool:
    """Whether the receipt of a stage names other outputs, or another command, other parameters or other files."""
    place, _ = _receipt(entry)
    receipt = read(str(place)) if place else None
    if receipt is None:
        return False
    files = {**receipt["inputs"], **receipt["code"], LOCK: receipt["lock"]}
    said = {dep["path"]: dep.get("md5") for dep in entry.get("deps", [])}
    for path in [path for path, digest in said.items() if str(digest).endswith(".dir") and path in files]:
        del said[path], files[path]  # DVC computes another digest of a folder
    params = {key: value for keys in entry.get("params", {}).values() for key, value in keys.items()}
    made = {path: digest for path, digest in _outputs(entry).items() if "receipts" not in Path(path).parts}
    found = (entry["cmd"], canonical(params), said, made)
    return found != (receipt["command"], receipt["params"], files, receipt["outputs"])


def _receipt(entry: Mapping[str, Any]) -> tuple[Path | None, str]:
    """The path of the receipt among a stage's outputs, here or in DVC's cache (it may be missing), and its md5."""
    for path, digest in _outputs(entry).items():
        if "receipts" in Path(path).parts:
            here = Path(path)
            return (here if here.is_file() and md5(here) == digest else cached(digest)), digest
    return None, ""
