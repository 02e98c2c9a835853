"""The schema of constructors' options, read from source code without importing it.

For example, `PENALTIES = {"mmd": Mmd, ...}` stands at the end of a module that imports torch. params.yaml may set the
keyword-only arguments of each class, or the fields of a dataclass. They are read from the syntax tree, so the workflow
starts without torch, and options are defined only once: a new penalty is one class and one line in the table.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache, reduce
from operator import or_
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, create_model

from wae.config import types

PACKAGE = Path(__file__).parent.parent
VOCABULARY: dict[str, Any] = {
    **{name: value for name, value in vars(types).items() if name[0].isupper()},
    **{"int": int, "float": float, "str": str, "bool": bool, "tuple": tuple, "Literal": Literal, "None": None},
}
ARGUMENT = re.compile(r"^\s+(\w+): (.+?)(?=\n\s+\w+: |\n\s*\n|\Z)", re.MULTILINE | re.DOTALL)


class Options(BaseModel):
    """Base of every entry: an unknown key is an error, and no value is converted to another type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


@cache
def syntax_tree(module: str) -> ast.Module:
    """The parsed source of `wae.<module>`."""
    path = PACKAGE.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


@cache
def table(module: str, name: str) -> dict[str, ast.ClassDef | ast.FunctionDef]:
    """The dict literal `name` of `wae.<module>`: key -> the definition of its class or function."""
    tree = syntax_tree(module)
    definitions = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    entries = next(value for target, value in _assignments(tree.body) if target == name)
    if not isinstance(entries, ast.Dict):
        raise TypeError(f"wae.{module}.{name} must be a dict literal: it is read without being run")
    return {
        ast.literal_eval(key): definitions[value.id]
        for key, value in zip(entries.keys, entries.values, strict=True)
        if key is not None and isinstance(value, ast.Name)
    }


@cache
def options(module: str, name: str) -> dict[str, type[Options]]:
    """Key of a table -> a pydantic model of the options of its entry, plus `kind`."""
    return {key: _model(key, definition) for key, definition in table(module, name).items()}


def choice(module: str, name: str, **more: Any) -> Any:
    """A union of the entries of a table of constructors. `kind` selects the entry; `more` adds fields to each."""
    models = [
        create_model(model.__name__, __base__=model, __doc__=model.__doc__, **more) if more else model
        for model in options(module, name).values()
    ]
    return Annotated[reduce(or_, models), Field(discriminator="kind")] if len(models) > 1 else models[0]


def constant(module: str, name: str, key: str, attribute: str) -> Any:
    """The literal class attribute `attribute` of a table's entry, or None where the class has none."""
    body = table(module, name)[key].body
    return next((ast.literal_eval(value) for target, value in _assignments(body) if target == attribute), None)


def _assignments(body: list[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    for node in body:
        match node:
            case ast.Assign(targets=[ast.Name(id=target)], value=value):
                yield target, value
            case ast.AnnAssign(target=ast.Name(id=target), value=ast.expr() as value):
                yield target, value


def _model(key: str, definition: ast.ClassDef | ast.FunctionDef) -> type[Options]:
    described = dict(ARGUMENT.findall(ast.get_docstring(definition, clean=False) or ""))
    fields: dict[str, Any] = {"kind": (Literal[key], ...)}
    for argument, annotation, default in _arguments(definition):
        accepted = _evaluate(annotation)
        fields[argument] = (
            accepted,
            Field(
                default=... if default is None else ast.literal_eval(default),
                description=" ".join(described.get(argument, "").split()) or None,
                # YAML has lists and no tuples, so tuples alone are not read in strict mode.
                strict=False if _holds_tuple(accepted) else None,
                # A tuple, such as kernels, must not be empty: training on an empty sum would give no error.
                min_length=1 if get_origin(accepted) is tuple else None,
            ),
        )
    summary = (ast.get_docstring(definition) or "").split("\n")[0]
    return create_model(f"{definition.name}Options", __base__=Options, __doc__=summary, **fields)


def _arguments(
    definition: ast.ClassDef | ast.FunctionDef,
) -> Iterator[tuple[str, ast.expr | None, ast.expr | None]]:
    """Name, annotation and default of each option: keyword-only arguments, or the fields of a dataclass."""
    if function := _constructor(definition):
        for argument, default in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True):
            yield argument.arg, argument.annotation, default
    elif any("dataclass" in ast.unparse(decorator) for decorator in definition.decorator_list):
        for node in definition.body:
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                yield node.target.id, node.annotation, node.value


def _constructor(definition: ast.ClassDef | ast.FunctionDef) -> ast.FunctionDef | None:
    if isinstance(definition, ast.FunctionDef):
        return definition
    return next((n for n in definition.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"), None)


def _evaluate(annotation: ast.expr | None) -> Any:
    if annotation is None:
        raise TypeError("an option needs an annotation")
    found = eval(compile(ast.Expression(annotation), "<annotation>", "eval"), {"__builtins__": {}}, VOCABULARY)
    nested = [part for part in getattr(found, "__metadata__", ()) if isinstance(part, types.Table)]
    return choice(nested[0].module, nested[0].name) if nested else found


def _holds_tuple(annotation: Any) -> bool:
    return get_origin(annotation) is tuple or any(get_origin(part) is tuple for part in get_args(annotation))
