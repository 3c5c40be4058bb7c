# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What a back end of a host's network configuration has to know. Each has a pure file here and an edge that reads the host."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.record import Record
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.request import Request

__all__ = [
    "BackEnd",
    "BeforeOthers",
    "Command",
    "Expected",
    "Files",
    "Move",
    "comment_for",
    "commented",
    "with_colons",
    "written_mtu",
]

_USUAL_MTU = 1500

Command = tuple[str, ...]
Files = t.Mapping[str, t.Optional[bytes]]  # the content of files by path, None where there is none


@dataclass(frozen=True)
class Expected:
    """What the configuration of the bridge says of its addresses: static ones with their prefix, and who else gives some.

    `dhcp` has the IP versions for which a DHCP server is asked, `gateways` the static default gateways.
    """

    addresses: tuple[str, ...] = ()
    dhcp: tuple[int, ...] = ()
    gateways: tuple[str, ...] = ()


@dataclass(frozen=True)
class Move:
    """A change of the links of a host, after the files of the back end have been written or removed.

    Where `to_bridge` is false, the uplink goes back to its own configuration. `fresh` says that the bridge or the uplink gets
    its addresses by this move; otherwise they are there, and something of the bridge is put right under way.
    """

    record: Record
    to_bridge: bool
    fresh: bool


class BackEnd(t.Protocol):
    """A manager of network configuration, NetworkManager for instance. Nothing here looks at the host."""

    @property
    def name(self) -> str:
        """What the option calls it."""

    @property
    def title(self) -> str:
        """What people call it."""

    @property
    def tools(self) -> tuple[str, ...]:
        """The programs that its commands need."""

    @property
    def takes_leases_over(self) -> bool:
        """Whether it goes on with addresses that a server gave, and with their routes, when they were moved for it."""

    @property
    def sets_name_servers(self) -> bool:
        """Whether it sees to the host's name servers, so that it can be told of others."""

    @property
    def at_boot(self) -> tuple[Command, ...]:
        """The commands after which it knows its files, where they change while the host boots, before it has a network."""

    @property
    def shared_patterns(self) -> tuple[str, ...]:
        """Patterns of the paths of files that are others' as well, in which it takes out the uplink's configuration."""

    def variant(self, record: Record) -> BackEnd:
        """Return what it is on the host of this bridge, for a back end that works in several ways."""

    def files(self, record: Record, request: Request) -> dict[str, str]:
        """Return the text of each file that makes the bridge, by path. Raises InputError for what it cannot express."""

    def owned_paths(self, record: Record) -> list[str]:
        """Return the paths of all files that it may have written for a bridge."""

    def early_paths(self, move: Move, changed: t.Sequence[str]) -> list[str]:
        """Return the paths of those files, of all that change, that it has to follow before links and addresses are moved."""

    def taken_out(self, record: Record, files: Files) -> dict[str, str]:
        """Return the text of shared files without the uplink's configuration. Raises RefusedError where it cannot go."""

    def put_back(self, record: Record, files: Files) -> dict[str, str]:
        """Return the text of the files that the uplink's configuration is in when there is no bridge, where it is another."""

    def as_it_is_now(self, record: Record, files: Files) -> Record:
        """Return the record with the uplink's configuration as its files have it, which somebody may have edited meanwhile."""

    def expected(self, record: Record, request: Request) -> Expected:
        """Return what the bridge's configuration says of its addresses."""

    def prepare(self, move: Move) -> list[Command]:
        """Return the commands that run before links and addresses are moved."""

    def activate(self, move: Move) -> list[Command]:
        """Return the commands that make the back end run and follow its files, after the move.

        None drops a foreign port. Each may run again, whatever state the host is in.
        """


class BeforeOthers:
    """A back end whose files come before those of the uplink, which stay as they are."""

    sets_name_servers = True
    at_boot: tuple[Command, ...] = ()
    shared_patterns: tuple[str, ...] = ()

    def variant(self, _record: Record) -> t.Any:
        """Return itself: it is the same on every host."""
        return self

    def taken_out(self, _record: Record, _files: Files) -> dict[str, str]:
        """Return nothing: the uplink's configuration stays where it is."""
        return {}

    def put_back(self, record: Record, files: Files) -> dict[str, str]:
        """Return the uplink's file where somebody has removed it meanwhile."""
        origin = record.origin
        return {origin.path: origin.text} if origin.path.startswith("/etc/") and files.get(origin.path) is None else {}

    def as_it_is_now(self, record: Record, files: Files) -> Record:
        """Return the record with the uplink's configuration as its file has it."""
        content = files.get(record.origin.path)
        text = None if content is None else content.decode(errors="surrogateescape")
        # what overrides parts of the file comes after it in what is remembered
        if text is None or record.origin.text == text or record.origin.text.startswith(f"{text}\n"):
            return record
        return replace(record, origin=replace(record.origin, text=text))


def comment_for(record: Record, waiting: str) -> str:
    """Return what stands at the head of a file that is written; `waiting` is the configuration that it comes before."""
    return (
        f"Written by the Ansible module kvmops.network.host_bridge: {record.uplink} as the port of {record.name}.\n"
        f"Changes are found and undone by its next run. Without this file {record.uplink} has the configuration of\n{waiting}."
    )


def commented(text: str) -> str:
    """Return the lines of a text as comments, as all back ends' files have them."""
    return "".join(f"# {line}\n" if line else "#\n" for line in text.splitlines())


def written_mtu(record: Record, request: Request) -> int | None:
    """Return the MTU that is written down for bridge and port, None for the usual one of an uplink, which is not."""
    mtu = request.mtu or record.mtu
    return mtu if mtu != _USUAL_MTU or request.mtu else None


def with_colons(digits: str) -> str:
    """Return hexadecimal digits as bytes between colons."""
    return ":".join(digits[at : at + 2] for at in range(0, len(digits), 2))
