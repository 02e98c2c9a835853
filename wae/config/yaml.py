"""YAML 1.2 as DVC reads it, with the line of every key."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

Keys = tuple[str | int, ...]


class Document:
    """A YAML file: its plain content and the line on which each key stands.

    Raises:
        ValueError: the file is not YAML, holds a key twice, or is no mapping; the sentence names the line.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._tree = _tree(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ValueError(f"{path}: no such file (commands run from the project's root)") from None
        except MarkedYAMLError as error:
            line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
            raise ValueError(f"{path}{line}: {(error.problem or 'not valid YAML').strip()}") from None
        except UnicodeDecodeError as error:
            raise ValueError(f"{path}: is no text: byte {error.start} is not UTF-8") from None
        except (OSError, YAMLError, ValueError) as error:  # ValueError: a number or a date that Python has not
            said = " ".join(str(getattr(error, "strerror", None) or error).split())
            raise ValueError(f"{path}: cannot be read: {said}") from None
        if not isinstance(self._tree, CommentedMap):
            raise ValueError(f"{path}: found {type(self._tree).__name__}, expected a mapping of keys")
        self.content: dict[str, Any] = plain(self._tree)

    def line(self, keys: Keys) -> int:
        """The line of `keys`, counted from 1; if they are not all in the file, the line of the last key that is."""
        node, line = self._tree, 1
        for key in keys:
            try:
                if isinstance(node, CommentedMap):
                    line = node.lc.key(key)[0] + 1
                elif isinstance(node, CommentedSeq):
                    line = node.lc.item(key)[0] + 1
                node = node[key]
            except (KeyError, IndexError, TypeError):  # the key is missing, or comes from a merge
                break
        return line

    def inherited(self, keys: Keys) -> bool:
        """Whether `keys` come from a merge (`<<: *anchor`). A mistake there is a mistake of the anchor."""
        node = self._tree
        for key in keys:
            if isinstance(node, CommentedMap) and key in node and key not in (node.lc.data or {}):
                return True
            try:
                node = node[key]
            except (KeyError, IndexError, TypeError):
                break
        return False

    def shared(self) -> Iterator[tuple[Keys, Keys]]:
        """Mappings that stand in two places by an alias or a merge: the keys of the later place and of the first.

        A merge (`<<: *anchor`) of a mapping without inner mappings shares none: its values are copied.
        """
        first: dict[int, Keys] = {}
        waiting: list[tuple[Keys, Any]] = [((), self._tree)]
        while waiting:
            keys, node = waiting.pop()
            if not isinstance(node, CommentedMap):
                continue
            if id(node) in first:
                yield keys, first[id(node)]
            else:
                first[id(node)] = keys
                waiting += reversed([((*keys, key), value) for key, value in node.items()])

    def rewritable(self) -> bool:
        """Whether the file is still YAML with the same content after ruamel, DVC's library, wrote it."""
        text = StringIO()
        YAML().dump(self._tree, text)
        try:
            return bool(plain(YAML(typ="rt").load(text.getvalue())) == self.content)
        except YAMLError:
            return False


@lru_cache(maxsize=64)
def _tree(text: str) -> Any:
    """The parsed text. Nobody changes it, so files that are read again are parsed once."""
    return YAML(typ="rt").load(text)


def plain(node: Any) -> Any:
    """Nested dicts, lists, ints, floats, strings and booleans, with anchors and merges resolved."""
    if isinstance(node, dict):
        return {str(key): plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [plain(value) for value in node]
    for base in (bool, int, float, str):
        if isinstance(node, base):
            return base(node)
    return node


def canonical(node: Any) -> Any:
    """`node` with 10.0 replaced by 10, because DVC treats them as equal."""
    if isinstance(node, dict):
        return {key: canonical(value) for key, value in node.items()}
    if isinstance(node, list):
        return [canonical(value) for value in node]
    return int(node) if isinstance(node, float) and node.is_integer() else node
