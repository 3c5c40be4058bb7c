# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What is remembered of a bridge that was made here, so that it can be compared, mended and taken back exactly."""

from __future__ import annotations

import json
import typing as t
from dataclasses import asdict, dataclass, field

from ansible_collections.kvmops.network.plugins.module_utils._errors import RequirementError

__all__ = ["FOLDER", "Identity", "Origin", "Record", "path_of"]

FOLDER = "/var/lib/kvmops-network/bridges"
_FORMAT = 1


@dataclass(frozen=True)
class Origin:
    """The configuration that the uplink had: its text in the back end's own format, with what overrides parts of it merged in.

    `path` is where it came from, "" for what the back end had made up by itself; `name` is what the back end calls it.
    """

    name: str
    path: str
    text: str


@dataclass(frozen=True)
class Identity:
    """By what servers and routers know the host, "" for what was not in use.

    `dhcp4` and `dhcp6` are the client id and the DUID in hexadecimal digits, `iaid` belongs to both, `token` is the part of an
    IPv6 address that the host chose itself.
    """

    dhcp4: str = ""
    dhcp6: str = ""
    iaid: int | None = None
    token: str = ""


@dataclass(frozen=True)
class Record:
    """A bridge, its uplink, and how that was before: MAC address, MTU, route metrics by IP version, configuration, identity."""

    name: str
    uplink: str
    backend: str
    mac: str
    mtu: int
    origin: Origin
    identity: Identity = Identity()
    metrics: dict[str, int] = field(default_factory=dict)

    def to_text(self) -> str:
        """Return the text of the file that keeps it."""
        return json.dumps({"format": _FORMAT, **asdict(self)}, indent=2, sort_keys=True) + "\n"

    @classmethod
    def from_text(cls, text: str, *, path: str) -> Record:
        """Return what a file keeps. Raises RequirementError for a file that was not written here."""
        try:
            values: dict[str, t.Any] = json.loads(text)
            if values.pop("format") != _FORMAT:
                raise ValueError
            origin, identity = Origin(**values.pop("origin")), Identity(**values.pop("identity"))
            found = cls(origin=origin, identity=identity, **values)
            _check_types(found)
            return found
        except (AttributeError, KeyError, TypeError, ValueError):
            raise RequirementError(
                f"The file {path}, in which host_bridge remembers a bridge, cannot be read: it was changed, or written by "
                "another version. Put back what it was (from a backup), or take the bridge back by hand and remove the file."
            ) from None


def _check_types(found: Record) -> None:
    origin, identity = found.origin, found.identity
    texts = [found.name, found.uplink, found.backend, found.mac, origin.name, origin.path, origin.text]
    texts += [identity.dhcp4, identity.dhcp6, identity.token]
    numbers = (found.mtu, identity.iaid or 0, *found.metrics.values())
    if not all(isinstance(text, str) for text in texts) or not all(isinstance(number, int) for number in numbers):
        raise TypeError


def path_of(bridge: str) -> str:
    """Return the path of the file that remembers a bridge."""
    return f"{FOLDER}/{bridge}.json"
