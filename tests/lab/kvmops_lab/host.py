# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""Hosts: what is known about each. What is done with them is in lifecycle.py."""

from __future__ import annotations

import ipaddress
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from . import lan, namespace
from .cgroup import ControlGroup
from .container import Container
from .errors import LabError
from .paths import Paths

_NAME = re.compile(r"^[a-z][a-z0-9-]{0,30}$")
_RECORD = "host.json"
_BUILDER = "build-"


@dataclass(frozen=True)
class Record:
    """What a host was made of; written when its disk is ready, so that a host without one is a leftover."""

    release: str
    image: str
    layers: tuple[str, ...]
    guest_files: str


@dataclass(frozen=True)
class Host:
    paths: Paths
    name: str

    @property
    def folder(self) -> Path:
        return self.paths.hosts / self.name

    @property
    def namespace(self) -> str:
        return self.paths.host_namespace(self.name)

    @property
    def container(self) -> Container:
        return Container(
            name=self.name,
            machine=f"{self.paths.prefix}-{self.name}",
            folder=self.folder,
            group=ControlGroup.of(self.paths.prefix, f"host-{self.name}"),
            network_namespace=self.namespace,
            log=self.paths.logs / f"host-{self.name}.log",
        )

    def record(self) -> Record | None:
        try:
            values = json.loads((self.folder / _RECORD).read_text())
        except FileNotFoundError:
            return None
        return Record(**{**values, "layers": tuple(values["layers"])})

    def known_record(self) -> Record:
        record = self.record()
        if record is None:
            known = ", ".join(host.name for host in all_hosts(self.paths)) or "none"
            raise LabError(f"There is no host {self.name} in the lab. Hosts: {known}.")
        return record

    def write_record(self, record: Record) -> None:
        unfinished = self.folder / f"{_RECORD}.new"
        unfinished.write_text(json.dumps(asdict(record), indent=2) + "\n")
        unfinished.rename(self.folder / _RECORD)

    def is_running(self) -> bool:
        return self.container.init() is not None

    def address(self) -> str | None:
        """Its address in the LAN, wherever it is: on eth0, or on a bridge that took eth0 over."""
        if not namespace.exists(self.namespace):
            return None
        network = ipaddress.ip_network(f"{lan.ADDRESS}/{lan.PREFIX_LENGTH}", strict=False)
        for link in namespace.ip_json(self.namespace, "-4", "address", "show", "scope", "global"):
            for entry in link["addr_info"]:
                if ipaddress.ip_address(entry["local"]) in network:
                    return str(entry["local"])
        return None


def all_hosts(paths: Paths) -> list[Host]:
    """Those with a record, trixie-2 before trixie-10; not those on which an image is being made."""
    hosts = [host for host in _recorded(paths) if not host.name.startswith(_BUILDER)]
    return sorted(hosts, key=lambda host: [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", host.name)])


def builder(paths: Paths, release: str) -> Host:
    """The host on which the image of a release is made."""
    return Host(paths, f"{_BUILDER}{release}")


def layers_in_use(paths: Paths) -> set[Path]:
    """By the hosts of all labs on this machine: they share the cache."""
    labs = [Paths(state=link.resolve(), prefix=link.name) for link in paths.cache_users.glob("*")]
    records = [record for lab in labs for host in _recorded(lab) if (record := host.record())]
    return {Path(name) for record in records for name in (*record.layers, record.guest_files)}


def _recorded(paths: Paths) -> list[Host]:
    return [Host(paths, path.parent.name) for path in paths.hosts.glob(f"*/{_RECORD}")]


def register_lab(paths: Paths) -> None:
    paths.cache_users.mkdir(parents=True, exist_ok=True)
    link = paths.cache_users / paths.prefix
    if not link.is_symlink() or link.readlink() != paths.state:
        link.unlink(missing_ok=True)
        link.symlink_to(paths.state)


def check_name(name: str) -> None:
    if not _NAME.match(name) or name.startswith(_BUILDER):
        raise LabError(
            f"{name!r} is no name for a host: use up to 31 small letters, digits and hyphens, a letter first, not {_BUILDER}…"
        )
