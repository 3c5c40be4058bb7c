# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""How links, addresses and routes lie, with the bridge or without it, and the lines of `ip -batch` that make them so.

Each line may run again, and where it finds what it asks for it changes nothing: a port is not bounced, no address goes.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.links import Address, Device, Links, Route

__all__ = ["Layout", "as_it_is", "batch"]


@dataclass(frozen=True)
class Layout:
    """A bridge over an uplink, or the uplink alone where `bridged` is false. Times are hundredths of seconds.

    `mac` is "" where there is no such bridge. The addresses and routes are those of whichever of the two carries them.
    """

    uplink: str
    bridge: str
    bridged: bool
    uplink_mtu: int
    mac: str = ""
    mtu: int = 0
    stp: bool = False
    forward_delay: int = 0
    addresses: tuple[Address, ...] = ()
    routes: tuple[Route, ...] = ()

    @property
    def carrier(self) -> str:
        """The link that has the addresses."""
        return self.bridge if self.bridged else self.uplink

    @property
    def other(self) -> str:
        """The link that shall have none of them."""
        return self.uplink if self.bridged else self.bridge


def as_it_is(links: Links, *, uplink: str, bridge: str) -> Layout:
    """Return how it lies now, with the addresses that a server gave for a time and their routes as well."""
    port = links.devices[uplink]
    found = links.devices.get(bridge)
    fell_out = found is not None and bool(found.given(4) + found.given(6)) and not port.given(4) + port.given(6)
    bridged = found is not None and (port.master == bridge or fell_out)
    carrier: Device = found if found is not None and bridged else port
    layout = Layout(
        uplink=uplink,
        bridge=bridge,
        bridged=bridged,
        uplink_mtu=port.mtu,
        addresses=tuple(address for address in carrier.addresses if not address.is_link_local),
        routes=tuple(links.routes_apart(carrier.name)),
    )
    if found is None:
        return layout
    return replace(layout, mac=found.mac, mtu=found.mtu, stp=found.stp, forward_delay=found.forward_delay)


def batch(layout: Layout) -> list[str]:
    """Return the lines for `ip -force -batch` that bring the links there, addresses before routes.

    The bridge has to be there already where the layout has one. It is not deleted where the layout has none: it may have ports
    of guests.
    """
    lines = _bridge_lines(layout) if layout.bridged else [f"link set dev {layout.uplink} nomaster"]
    lines.append(f"link set dev {layout.uplink} mtu {layout.uplink_mtu} up")
    if layout.addresses:
        # before, not after: networkd takes the end of a subnet's route on one link for that of the same route on the other
        lines.append(f"address flush dev {layout.other} scope global")
    lines += [f"address replace {_address_words(address)} dev {layout.carrier}" for address in layout.addresses]
    for route in _in_order(layout.routes):
        # not `replace`, which would take away the same route over a third link
        lines.append(f"route del {_route_words(route)} dev {layout.other}")
        lines.append(f"route append {_route_words(route)} dev {layout.carrier}")
    return lines


def _bridge_lines(layout: Layout) -> list[str]:
    bridge = layout.bridge
    stp, delay = f"stp_state {int(layout.stp)}", f"forward_delay {layout.forward_delay}"
    # the kernel refuses a short delay while STP is on
    settings = (delay, stp) if layout.stp else (stp, delay)
    return [
        *(f"link set dev {bridge} type bridge {setting}" for setting in settings),
        f"link set dev {bridge} address {layout.mac}",
        f"link set dev {layout.uplink} master {bridge}",
        f"link set dev {bridge} mtu {layout.mtu} up",
    ]


def _address_words(address: Address) -> str:
    words = f"{address.interface.ip} peer {address.peer}/{address.interface.network.prefixlen}" if address.peer else address.text
    if address.interface.version == 4 and not address.peer and address.interface.network.prefixlen < 31:
        words += " brd +"
    if address.scope != "global":
        words += f" scope {address.scope}"
    if address.metric is not None:
        words += f" metric {address.metric}"
    if not address.prefix_route:
        words += " noprefixroute"
    if address.interface.version == 6:
        words += " nodad"  # the host had it a moment ago: nobody else can have it
    if address.dynamic and address.valid_for is not None:
        words += f" valid_lft {address.valid_for} preferred_lft {address.preferred_for}"
    return words


def _route_words(route: Route) -> str:
    destination = {"default": {4: "0.0.0.0/0", 6: "::/0"}[route.version]}.get(route.destination, route.destination)
    return " ".join((destination, *route.words[1:]))


def _in_order(routes: tuple[Route, ...]) -> list[Route]:
    """Routes without a gateway first: others may lead through them."""
    return sorted(routes, key=lambda route: bool(route.gateway))
