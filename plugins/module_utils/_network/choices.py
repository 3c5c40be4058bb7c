# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Subnets for all networks of a task that wish for a free one of a pool."""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._network.definition import subnet_of
from ansible_collections.kvmops.network.plugins.module_utils._network.pools import choose_subnet, recorded_choices
from ansible_collections.kvmops.network.plugins.module_utils._network.request import label_of
from ansible_collections.kvmops.network.plugins.module_utils._network.subnets import Occupancy, Occupied
from ansible_collections.kvmops.network.plugins.module_utils._network.surroundings import list_occupied

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from ansible_collections.kvmops.network.plugins.module_utils._network.definition import Subnet
    from ansible_collections.kvmops.network.plugins.module_utils._network.request import NetworkRequest
    from ansible_collections.kvmops.network.plugins.module_utils._network.survey import Survey
    from ansible_collections.kvmops.network.plugins.module_utils._problems import Problems

__all__ = ["choose_subnets"]


def choose_subnets(survey: Survey, requests: Sequence[NetworkRequest], problems: Problems) -> list[NetworkRequest]:
    """Return the requests with a subnet for each wish: the recorded one, else a free one.

    What another network of the task names itself is not free, nor what a network has that the task does not remove.
    """
    if not any(request.wishes for request in requests):
        return list(requests)
    recorded = {
        request.name: recorded_choices(
            request.wishes,
            survey.state(request.name).definition,
            taken={entry["address"] for entry in (request.given or {}).get("ips", [])},
        )
        for request in requests
        if request.wishes
    }
    removed = {request.name for request in requests if request.state == "absent"}
    held = Occupancy(
        list_occupied([state for state in survey.states() if state.name not in removed], survey.host, survey.bridges)
    )
    for request in requests:
        asked = [choice.subnet for choice in recorded.get(request.name, {}).values()]
        for subnet in [*request.named_subnets(), *asked, *_kept_routes(survey, request)]:
            held.add(Occupied(subnet, f"what the network '{request.name}' asks for"))
    settled = []
    for request in requests:
        if not request.wishes:
            settled.append(request)
            continue
        choices = recorded[request.name]
        with problems.of(label_of(request.name)):
            for number in sorted(request.wishes.keys() - choices.keys()):
                choices[number] = choose_subnet(request.wishes[number], held, own=request.name)
                held.add(Occupied(choices[number].subnet, f"what the network '{request.name}' gets"))
            settled.append(request.with_choices(choices))
    return settled


def _kept_routes(survey: Survey, request: NetworkRequest) -> list[Subnet]:
    """Return the subnets behind the network itself that stay because the task says nothing of them."""
    definition = survey.state(request.name).definition or {}
    if not request.wishes or request.replace or "routes" in (request.given or {}):
        return []
    return [subnet_of(route) for route in definition.get("routes", [])]
