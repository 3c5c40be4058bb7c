# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What there is when a task about a guest begins, each part read once, and only when it is asked for."""

from __future__ import annotations

import functools
import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._edge.domains import Domains
from ansible_collections.kvmops.network.plugins.module_utils._edge.images import has_file
from ansible_collections.kvmops.network.plugins.module_utils._errors import RefusedError
from ansible_collections.kvmops.network.plugins.module_utils._guest.definition import files_of, read_definition
from ansible_collections.kvmops.network.plugins.module_utils._nic.guest import read_guest
from ansible_collections.kvmops.network.plugins.module_utils._nic.survey import Survey

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import Connection
    from ansible_collections.kvmops.network.plugins.module_utils._edge.domains import Life
    from ansible_collections.kvmops.network.plugins.module_utils._edge.guests import GuestRecord
    from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Host
    from ansible_collections.kvmops.network.plugins.module_utils._guest.definition import GuestDefinition
    from ansible_collections.kvmops.network.plugins.module_utils._nic.guest import GuestState

    Run = Callable[[list[str]], tuple[int, str, str]]

__all__ = ["GuestSurvey"]


class GuestSurvey(Survey):
    """A host with one guest that a task is about, which may have yet to be made."""

    def __init__(
        self, connection: Connection, see_host: Callable[[], Host | None], run: Run, name: str, *, uri: str, local: bool
    ) -> None:
        """Begin without having read anything. `run` runs a command."""
        super().__init__(connection, see_host, local=local)
        self.connection = connection
        self.domains = Domains(connection)
        self.run = run
        self.name = name
        self.uri = uri

    @functools.cached_property
    def life(self) -> Life | None:
        """How the guest lives, None if it is not there."""
        return self.domains.life_of(self.name)

    @functools.cached_property
    def record(self) -> GuestRecord | None:
        """The guest as libvirt shows it."""
        return self.guests.read(self.name)

    @property
    def stored(self) -> GuestDefinition | None:
        """What is stored of the guest."""
        text = self.record.stored_xml if self.record is not None else None
        return read_definition(text, self.name) if text is not None else None

    @property
    def live(self) -> GuestDefinition | None:
        """How the guest runs."""
        text = self.record.live_xml if self.record is not None else None
        return read_definition(text, self.name) if text is not None else None

    def foresee_guest(self, record: GuestRecord) -> GuestState:
        """Let the guest be there as it will be."""
        self._guests[self.name] = read_guest(record)
        return self._guests[self.name]

    def has_file(self, path: str) -> bool:
        """Say whether there is a file of the name."""
        return has_file(path)

    def check_unused(self, option: str, path: str) -> None:
        """Refuse a file that another guest has as a drive, or that its drive builds on."""
        for other in self.guests.read_all():
            if other.name != self.name and path in files_of(other.stored_xml or other.live_xml or ""):
                raise RefusedError(
                    f"{option}: {path} is a disk of the guest '{other.name}', or its disk builds on it; leave it to that one."
                )
