"""Which source files a stage runs: the import closure of its module, read from the code itself."""

from __future__ import annotations

import ast
import hashlib
import os
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TypeGuard

from wae.errors import UserError
from wae.io import ROOT


@cache
def closure(*modules: str) -> tuple[str, ...]:
    """Every file of this package that the import of `modules` can run, as paths relative to the project's root.

    Raises:
        ModuleNotFoundError: one of `modules` is not in this package.
    """
    for module in modules:
        if _file(module) is None:
            raise ModuleNotFoundError(f"{module} is no module of this package")
    seen: set[Path] = set()
    waiting = [_file(name) for module in modules for name in _with_parents(module)]
    while waiting:
        path = waiting.pop()
        if path is not None and path not in seen:
            seen.add(path)
            waiting += [_file(name) for name in _imports(path)]
    return tuple(sorted(path.relative_to(ROOT).as_posix() for path in seen))


@cache
def _imports(path: Path) -> frozenset[str]:
    """Names of `wae` in the imports of a file, also inside functions. A name may not be a module."""
    found: set[str] = set()
    for node in _at_run_time(tree(path)):
        match node:
            case ast.Import(names=names):
                found |= {name.name for name in names}
            case ast.ImportFrom(names=names):
                module = _absolute(node, path)
                handed_on = _handed_on(module)
                found |= {module, *(handed_on.get(name.name, f"{module}.{name.name}") for name in names)}
    return frozenset(parent for name in found if name.split(".")[0] == "wae" for parent in _with_parents(name))


def _absolute(node: ast.ImportFrom, path: Path) -> str:
    """The module that an import names, also where it is relative."""
    if not node.level:
        return str(node.module)
    package = path.relative_to(ROOT).with_suffix("").parts[: -node.level]
    return ".".join([*package, *([node.module] if node.module else [])])


@cache
def _handed_on(package: str) -> dict[str, str]:
    """Name -> module, for names that a package imports on demand: its `__init__` has them under TYPE_CHECKING."""
    path = _file(package)
    if path is None or path.name != "__init__.py" or package.split(".")[0] != "wae":
        return {}
    guarded = (node.body for node in ast.walk(tree(path)) if _for_types(node))
    imports = (node for body in guarded for node in body if isinstance(node, ast.ImportFrom))
    return {name.name: str(node.module) for node in imports for name in node.names}


def tree(path: Path) -> ast.Module:
    """The syntax tree of a source file.

    Raises:
        UserError: the file is not valid Python; the message names the line.
    """
    try:
        return ast.parse(path.read_bytes())
    except (SyntaxError, ValueError) as error:  # ValueError: null bytes, in some releases of Python
        name = path.relative_to(ROOT) if path.is_absolute() else path
        at, said = (error.lineno, error.msg) if isinstance(error, SyntaxError) else (1, str(error))
        raise UserError(f"{name}:{at}: this is no Python: {said}") from None


@cache
def syntax(path: str) -> str | None:
    """The sha256 of a source file's syntax tree: docstrings count, comments and layout do not. None if not Python.

    A file that is not valid Python stops a run before it begins. So a file with None was edited later.
    """
    try:
        return hashlib.sha256(ast.dump(tree(Path(path))).encode()).hexdigest()
    except UserError:
        return None


def _with_parents(module: str) -> list[str]:
    """A module and the packages whose `__init__` runs before it."""
    parts = module.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts) + 1)]


def _at_run_time(tree: ast.AST) -> Iterable[ast.AST]:
    """Every node of the tree, except those under `if TYPE_CHECKING:`."""
    for node in ast.iter_child_nodes(tree):
        if not _for_types(node):
            yield node
            yield from _at_run_time(node)


def _for_types(node: ast.AST) -> TypeGuard[ast.If]:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


@cache
def _file(module: str) -> Path | None:
    path = ROOT.joinpath(*module.split("."))
    package = path / "__init__.py"
    return package if package.is_file() else path.with_suffix(".py") if path.with_suffix(".py").is_file() else None


def put_on_path() -> None:
    """Add this interpreter's folder to PATH: commands find its `wae` even if the environment is not activated."""
    here = str(Path(sys.executable).parent)
    if here not in os.environ["PATH"].split(os.pathsep):
        os.environ["PATH"] = here + os.pathsep + os.environ["PATH"]
