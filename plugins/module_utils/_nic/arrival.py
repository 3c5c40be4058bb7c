# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""After the changes: waiting until guests have their addresses, where the task asks for it."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import is_local
from ansible_collections.kvmops.network.plugins.module_utils._edge.neighbours import ask_for, forget_neighbour, read_neighbours
from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._nic.waiting import Eyes, Sight, wait_for_addresses

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from ansible.module_utils.basic import AnsibleModule

    from ansible_collections.kvmops.network.plugins.module_utils._edge.guests import Guests
    from ansible_collections.kvmops.network.plugins.module_utils._nic.carry_out import NicOutcome
    from ansible_collections.kvmops.network.plugins.module_utils._nic.guest import GuestState
    from ansible_collections.kvmops.network.plugins.module_utils._nic.plan import NicPlan
    from ansible_collections.kvmops.network.plugins.module_utils._nic.request import NicRequest

__all__ = ["await_addresses", "check_waiting", "open_eyes"]


def open_eyes(module: AnsibleModule, guests: Guests) -> Eyes:
    """Return where a module can see addresses."""
    if not is_local(module.params["uri"]):
        return Eyes(guests)

    def run(command: list[str]) -> tuple[int, str, str]:
        code, output, errors = module.run_command(command, handle_exceptions=False)
        return code, output, errors

    return Eyes(
        guests,
        neighbours=lambda: read_neighbours(run),
        ask=ask_for,
        forget=lambda neighbour: forget_neighbour(run, neighbour),
    )


def check_waiting(request: NicRequest, guest: GuestState, plan: NicPlan) -> None:
    """Refuse to wait for what cannot come."""
    if not request.wait_for_address or plan.after is None:
        return
    if not guest.running:
        raise InputError(f"wait_for_address: the guest '{guest.name}' is off and gets no address; start it, or leave this out.")
    live = plan.after.live
    if live is not None and live.definition.get("link") == "down":
        raise InputError("wait_for_address: the link of the NIC is down, so that it gets no address; leave one of the two out.")


def await_addresses(
    eyes: Eyes, requests: Sequence[NicRequest], outcomes: Sequence[NicOutcome], *, timeout: int
) -> list[NicOutcome]:
    """Return the outcomes with the addresses that were waited for, and with an error where they did not come."""
    waited = []
    for index, outcome in enumerate(outcomes):
        request = requests[index] if index < len(requests) else None
        if request is not None and request.wait_for_address and not outcome.error and outcome.state is not None:
            waited.append(_await_one(eyes, request, outcome, timeout=timeout))
        else:
            waited.append(outcome)
    return waited


def _await_one(eyes: Eyes, request: NicRequest, outcome: NicOutcome, *, timeout: int) -> NicOutcome:
    live = outcome.state.live if outcome.state is not None else None
    mac, bridge = (live.mac, live.bridge) if live is not None else (outcome.plan.mac, None)
    wanted = request.reservation.addresses if request.reservation is not None else []
    sight, came = wait_for_addresses(eyes, request.domain, {mac: bridge}, wanted=wanted, timeout=timeout)
    found = tuple(each for each in sight.addresses if each.address in sight.confirmed)
    error = "" if came else _explain(request.domain, mac, wanted, sight, timeout)
    return replace(outcome, addresses=found, error=error)


def _explain(domain: str, mac: str, wanted: Sequence[str], sight: Sight, timeout: int) -> str:
    missing = ", ".join(wanted) or "an address"
    seen = [
        f"{each.address} ({each.origin}{'' if each.address in sight.confirmed else ', but nobody answers there'})"
        for each in sight.addresses
    ]
    what = f"Seen was {'; '.join(seen)}." if seen else "Nothing was seen: no lease, no agent, nobody who answers."
    cure = (
        "Is the old lease still valid, and was it renewed in the guest?"
        if sight.confirmed
        else "Has the guest booted, does it ask for an address on this NIC, and does a DHCP server answer there?"
    )
    return f"The guest '{domain}' has not got {missing} on its NIC {mac} within {timeout} seconds. {what} {cure}"
