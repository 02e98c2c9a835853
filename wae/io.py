"""Files: written under a temporary name, then renamed. The same content always gives the same bytes."""

from __future__ import annotations

import hashlib
import io
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import torch

# numpy and safetensors are imported where they are used: threads are limited before numpy is imported.

ROOT = Path(__file__).resolve().parent.parent  # of the project


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`. It is renamed to `path` only if the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield beside
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path`. If this fails, the old file stays."""
    with replacing(path) as beside:
        beside.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Write `content` as UTF-8. Newlines are not converted."""
    write_bytes(path, content.encode())


def write_json(path: Path, content: Any) -> None:
    """Write JSON, indented, in the order given; a number that is not finite is an error."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """The content of a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def write_array(path: Path, array: np.ndarray) -> None:
    """Write one .npy file."""
    import numpy as np

    with replacing(path) as beside, beside.open("wb") as file:
        np.save(file, array)


def read_array(path: Path) -> np.ndarray:
    """One .npy file, memory-mapped and read-only."""
    import numpy as np

    array: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    return array


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write named arrays to one .npz file. Its headers do not depend on the release of Python or NumPy."""
    import numpy as np

    with replacing(path) as beside, zipfile.ZipFile(beside, "w") as archive:
        for name, array in arrays.items():
            entry = io.BytesIO()
            np.lib.format.write_array(entry, np.asanyarray(array), allow_pickle=False)
            # np.savez begins an entry before it knows the size, and so writes headers for more than 4 GiB. Not here.
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), entry.getvalue(), zipfile.ZIP_DEFLATED)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """All arrays of an .npz file by name."""
    import numpy as np

    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def write_weights(path: Path, state: Mapping[str, torch.Tensor]) -> None:
    """Write a state dictionary as safetensors."""
    from safetensors.torch import save

    write_bytes(path, save({name: tensor.detach().cpu().contiguous() for name, tensor in sorted(state.items())}))


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """A state dictionary from a safetensors file, on the CPU."""
    from safetensors.torch import load

    return load(path.read_bytes())


def write_with(path: Path, save: Callable[[IO[bytes]], None]) -> None:
    """Write what `save` puts into a binary stream, e.g. a figure."""
    stream = io.BytesIO()
    save(stream)
    write_bytes(path, stream.getvalue())


def tag_png(path: Path, keyword: str, text: str) -> None:
    """Put a text into a PNG's metadata, right after its header."""
    content = path.read_bytes()
    header = 8 + 25  # the signature and the whole IHDR chunk
    chunk = b"tEXt" + keyword.encode("latin-1") + b"\0" + text.encode("latin-1")
    framed = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    write_bytes(path, content[:header] + framed + content[header:])


def sha256(path: Path) -> str:
    """The sha256 of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
