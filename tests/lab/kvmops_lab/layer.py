# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""Layers of host images: directories in the cache, made once, named by what went into them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Set
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .cgroup import ControlGroup
from .errors import LabError
from .locks import free_lock, lock
from .paths import Paths
from .trees import remove_tree

_UNFINISHED = "unfinished-"
_REPLACED = "replaced-"


@dataclass(frozen=True)
class Layer:
    """`key` is a hash of all that went in, so that a changed input gives another layer and never a stale one."""

    kind: str
    release: str
    key: str

    @property
    def family(self) -> str:
        return f"{self.kind}-{self.release}"

    def directory(self, paths: Paths) -> Path:
        return paths.layers / f"{self.family}-{self.key}"


def key_of(*, texts: Iterable[str], files: Iterable[Path] = (), relative_to: Path = Path("/")) -> str:
    """A short hash of texts, and of the names, modes and contents of files."""
    digest = hashlib.sha256()
    for text in texts:
        digest.update(f"{len(text)}:{text}".encode())
    for path in sorted(files):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(relative_to)}:{path.stat().st_mode & 0o111}:{len(content)}:".encode())
        digest.update(content)
    return digest.hexdigest()[:12]


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]


def ensure(
    layer: Layer, paths: Paths, *, build: Callable[[Path], None], in_use: Callable[[], Set[Path]], rebuild: bool = False
) -> Path:
    """The layer's directory. `build` fills a directory that gets its name only when it is complete."""
    wanted = layer.directory(paths)
    if wanted.is_dir() and not rebuild:
        return wanted
    with lock(paths.cache_locks, f"layer-{layer.family}"):
        if wanted.is_dir() and not rebuild:
            return wanted
        if wanted in in_use():
            raise LabError(f"The image {wanted.name} is in use by hosts: remove them (`lab down`) before rebuilding it.")
        _remove_leftovers(layer, paths)
        unfinished = paths.layers / f"{_UNFINISHED}{wanted.name}"
        unfinished.mkdir(parents=True)
        build(unfinished)
        _replace(wanted, unfinished)
        _remove_older(layer, paths, in_use=in_use())
    return wanted


def build_group(kind: str, release: str) -> ControlGroup:
    """Where the programs that build a layer run. Whoever holds the layer's lock may end what it finds there."""
    return ControlGroup.of("kvmops-lab-images", f"{kind}-{release}")


def remove_abandoned(paths: Paths) -> None:
    """What killed builds left behind; builds that are under way are left alone."""
    for folder in paths.layers.glob(f"{_UNFINISHED}*"):
        kind, release = folder.name.removeprefix(_UNFINISHED).split("-")[:2]
        with free_lock(paths.cache_locks, f"layer-{kind}-{release}") as is_free:
            if is_free:
                _remove_leftovers(Layer(kind, release, ""), paths)


def _remove_leftovers(layer: Layer, paths: Paths) -> None:
    build_group(layer.kind, layer.release).kill()
    for leftover in (*paths.layers.glob(f"{_UNFINISHED}{layer.family}-*"), *paths.layers.glob(f"{_REPLACED}{layer.family}-*")):
        remove_tree(leftover)


def _replace(wanted: Path, unfinished: Path) -> None:
    replaced = wanted.with_name(f"{_REPLACED}{wanted.name}")
    os.utime(unfinished)  # the age of a layer is that of its name
    with suppress(FileNotFoundError):
        wanted.rename(replaced)
    unfinished.rename(wanted)
    remove_tree(replaced)


def _remove_older(layer: Layer, paths: Paths, *, in_use: Set[Path]) -> None:
    """Except for one: somebody may be about to use it, or go back to it."""
    older = set(paths.layers.glob(f"{layer.family}-*")) - {layer.directory(paths)}
    for folder in sorted(older, key=lambda path: path.stat().st_mtime)[:-1]:
        if folder not in in_use:
            remove_tree(folder)
