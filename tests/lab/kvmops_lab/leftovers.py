# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""Taking everything down, also what a killed command left behind: found by its name, and nothing else is touched."""

from __future__ import annotations

from . import lan, layer, lifecycle, namespace
from .cgroup import ControlGroup
from .host import Host
from .paths import Paths
from .trees import remove_tree


def remove_everything(paths: Paths) -> list[str]:
    """The names of the hosts that were removed. Images stay in the cache."""
    names = host_names(paths)
    for name in names:
        lifecycle.remove(Host(paths, name))
    lan.remove(paths)
    ControlGroup.of(paths.prefix).kill()
    # not all that begins with the prefix: another lab's directory may go on after it
    for name in namespace.named(paths.host_namespace("")):
        namespace.delete(name)
    remove_tree(paths.state)
    for folder in (paths.ssh_control, paths.logs):
        remove_tree(folder)
    for answer in paths.run.glob("*.yml"):
        answer.unlink()
    (paths.cache_users / paths.prefix).unlink(missing_ok=True)
    layer.remove_abandoned(paths)
    return names


def host_names(paths: Paths) -> list[str]:
    """Hosts of which there is a disk, a namespace or a control group, whole or not."""
    start = paths.host_namespace("")
    by_disk = {path.name for path in paths.hosts.iterdir()} if paths.hosts.is_dir() else set()
    by_namespace = {name.removeprefix(start) for name in namespace.named(start)}
    group = ControlGroup.of(paths.prefix).path
    by_group = {path.name.removeprefix("host-") for path in group.glob("host-*")}
    return sorted(by_disk | by_namespace | by_group)
