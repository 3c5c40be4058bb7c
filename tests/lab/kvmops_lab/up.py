# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""`lab up`: the hosts that are wanted, whatever there is of them already."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import image, lan, lifecycle, requirements
from .bare import KIND as BARE
from .errors import LabError
from .host import Host, Record, check_name
from .paths import Paths

_AT_ONCE = 4


def bring_up(paths: Paths, *, names: Sequence[str], release: str, kind: str) -> list[Host]:
    """A running host stays as it is, a stopped one is started, one that was left half-made is made anew."""
    for name in names:
        check_name(name)
    hosts = [Host(paths, name) for name in names]
    for host in hosts:
        _check_same_kind(host, release=release, kind=kind)
    requirements.require_machine()
    requirements.raise_inotify_limit()
    _warn_of_old_images(paths, hosts)
    new = [host for host in hosts if host.record() is None]
    lan.ensure(paths)
    if new:
        layers = tuple(str(layer) for layer in image.ensure(paths, release=release, image=kind))
        record = Record(release=release, image=kind, layers=layers, guest_files=str(image.ensure_guest_files(paths)))
        for host in new:
            lifecycle.create(host, record)
    in_parallel(lifecycle.start, hosts)
    return hosts


def default_names(*, release: str, kind: str, count: int) -> list[str]:
    stem = release if kind != BARE else f"{release}-{BARE}"
    return [f"{stem}-{number}" for number in range(1, count + 1)]


def in_parallel(action: Callable[[Host], None], hosts: Sequence[Host]) -> None:
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as workers:
        for result in [workers.submit(action, host) for host in hosts]:
            result.result()


def _warn_of_old_images(paths: Paths, hosts: Sequence[Host]) -> None:
    for host in hosts:
        record = host.record()
        if record is None:
            continue
        newest = image.newest(paths, release=record.release, image=record.image)
        if [Path(layer) for layer in record.layers] != newest:
            print(f"lab: {host.name} stays on an older image. For one of the newest: lab down {host.name}", file=sys.stderr)


def _check_same_kind(host: Host, *, release: str, kind: str) -> None:
    record = host.record()
    if record is not None and (record.release, record.image) != (release, kind):
        raise LabError(
            f"The host {host.name} exists with release {record.release} and image {record.image}, "
            f"not {release} and {kind}. Remove it first (lab down {host.name}) or choose another name."
        )
