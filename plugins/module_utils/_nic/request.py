# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What a task asks for of one NIC, checked as far as the task alone tells. Nothing here touches a host."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._nic.definition import definition_from_options
from ansible_collections.kvmops.network.plugins.module_utils._nic.options import DEFINITION_OPTIONS
from ansible_collections.kvmops.network.plugins.module_utils._nic.reservation import Reservation

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    Definition = dict[str, t.Any]

__all__ = ["NicRequest"]


@dataclass(frozen=True)
class NicRequest:
    """One NIC as a task asks for it.

    `given` is what the task says of the definition. `reservation` None: as it is.
    """

    domain: str
    state: t.Literal["present", "absent"]
    given: Definition
    replace: bool = False
    replug: bool = False
    reservation: Reservation | None = None
    wait_for_address: bool = False

    @classmethod
    def from_options(cls, options: Mapping[str, t.Any]) -> NicRequest:
        """Return the request of a task. Raises InputError if its options cannot be."""
        if not options["domain"].strip() or "\0" in options["domain"]:
            raise InputError(f"domain: '{options['domain']}' is no name of a guest; give one.")
        request = cls(
            domain=options["domain"],
            state=options["state"],
            given=definition_from_options({name: options[name] for name in DEFINITION_OPTIONS}),
            replace=options["definition"] == "replace",
            replug=options["replug"] == "always",
            reservation=Reservation.from_options(options["reservation"]),
            wait_for_address=options["wait_for_address"],
        )
        if request.state == "absent":
            if request.reservation is not None and request.reservation.addresses:
                raise InputError("reservation: a NIC that shall be absent has none; leave it out.")
            if request.wait_for_address:
                raise InputError("wait_for_address: a NIC that shall be absent gets no address; leave it out.")
        return request

    @property
    def label(self) -> str:
        """How messages call the NIC where there is more than one."""
        name = self.given.get("alias") or self.given.get("mac")
        return f"The NIC '{name}' of the guest '{self.domain}'" if name else f"A NIC of the guest '{self.domain}'"
