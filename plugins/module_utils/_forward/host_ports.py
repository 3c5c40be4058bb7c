# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Which ports of the host a forward gets, and who has them already. Nothing here touches a host."""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._errors import RefusedError
from ansible_collections.kvmops.network.plugins.module_utils._forward.ports import Ports, first_free, in_words

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._forward.forward import Forward
    from ansible_collections.kvmops.network.plugins.module_utils._forward.host import ForwardHost
    from ansible_collections.kvmops.network.plugins.module_utils._forward.ports import Listener
    from ansible_collections.kvmops.network.plugins.module_utils._forward.request import ForwardRequest

__all__ = ["choose_ports"]


def choose_ports(request: ForwardRequest, before: Forward | None, host: ForwardHost) -> Ports:
    """Return the ports that a task names, or free ones; those that a forward has stay. Raises RefusedError for taken ones."""
    if request.host_ports is not None:
        if before is None or not _had(before, request, request.host_ports):
            _check_listeners(request, before, request.host_ports, host)
        _check_forwards(request, request.host_ports, host)
        return request.host_ports
    if before is not None and _stays(before, request) and not _others(request, before.host_ports, host):
        return before.host_ports
    found = first_free(
        request.candidates,
        len(request.guest_ports),
        lambda ports: bool(_others(request, ports, host) or _listeners(request, before, ports, host)),
    )
    if found is None:
        raise RefusedError(
            f"host_port_range: of the ports {request.candidates} none is left for '{request.name}'"
            f"{' that follow each other' if len(request.guest_ports) > 1 else ''}; give another range, or remove a forward."
        )
    return found


def _stays(before: Forward, request: ForwardRequest) -> bool:
    """Say whether ports that were chosen once can stay."""
    ports, candidates = before.host_ports, request.candidates
    within = candidates.first <= ports.first and ports.last <= candidates.last
    return within and len(ports) == len(request.guest_ports) and _had(before, request, ports)


def _had(before: Forward, request: ForwardRequest, ports: Ports) -> bool:
    """Say whether the forward has ports already, so that whoever listens there is its own proxy, or was warned of by its task."""
    same = before.host_address == request.host_address and set(request.protocols) <= set(before.protocols)
    return same and before.version == request.version and before.host_ports == ports


def _others(request: ForwardRequest, ports: Ports, host: ForwardHost) -> list[Forward]:
    return [
        forward
        for name, forward in sorted(host.forwards.items())
        if name != request.name and forward.meets(request.protocols, request.host_address, ports, request.version)
    ]


def _listeners(request: ForwardRequest, before: Forward | None, ports: Ports, host: ForwardHost) -> list[str]:
    """Return the processes that have one of the ports, in words."""
    found = [
        each
        for each in host.listeners
        if each.has(request.protocols, request.host_address, ports, request.version) and not _is_own(each, before)
    ]
    return [
        f"{each.process or 'a process'} at {in_words([each.protocol], each.addresses[0], Ports(each.port, each.port))}"
        for each in found
    ]


def _is_own(listener: Listener, forward: Forward | None) -> bool:
    """Say whether a forward's own proxy listens there, which lets go of its ports when the forward changes."""
    if forward is None or forward.by_rules:
        return False
    ports = Ports(listener.port, listener.port)
    address = forward.host_address or ("0.0.0.0" if forward.version == 4 else "::")
    return listener.addresses == (address,) and forward.meets([listener.protocol], address, ports, forward.version)


def _check_forwards(request: ForwardRequest, ports: Ports, host: ForwardHost) -> None:
    others = _others(request, ports, host)
    if others:
        raise RefusedError(
            f"host_port: {ports} belongs to the forward '{others[0].name}' ({others[0]}); choose another port, leave host_port "
            "out to get a free one, or remove that forward."
        )


def _check_listeners(request: ForwardRequest, before: Forward | None, ports: Ports, host: ForwardHost) -> None:
    listeners = list(dict.fromkeys(_listeners(request, before, ports, host)))
    if listeners:
        raise RefusedError(
            f"host_port: {ports} is in use on this host ({', '.join(listeners[:3])}), which nobody would reach any more; choose "
            "another port, or give the host_address that is meant."
        )
