# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.


"""systemd-networkd: the interface, what is configured on it, and an addition to its parent's file that names it.

Reference: systemd.netdev(5), systemd.network(5).
"""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._bridge.ini import Section, render
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.backend import comment_for, general_limits
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.interface import PASSTHRU

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._macvtap.backend import Kept
    from ansible_collections.kvmops.network.plugins.module_utils._macvtap.interface import Interface

__all__ = ["Networkd", "hands_off"]

_FOLDER = "/etc/systemd/network"
# what is configured does not come and go with the parent's cable
_WITHOUT_CABLE = (("ConfigureWithoutCarrier", "yes"), ("IgnoreCarrierLoss", "yes"))
# with its files; those of the parent's folder are a pattern
_FORGET = """\
rm -f {paths}
systemctl is-active --quiet systemd-networkd.service || exit 0
networkctl reload
"""


class Networkd:
    """The back end systemd-networkd."""

    name = "networkd"
    makes_it_itself = True

    def unable(self, kept: Kept) -> list[str]:
        """Return what of the interface it cannot express."""
        found = general_limits(kept)
        if kept.interface.mode == PASSTHRU:
            found.append("mode: passthru (it would give the parent another MAC address)")
        return found

    def files(self, kept: Kept) -> dict[str, str]:
        """Return the text of each file that makes the interface."""
        interface = kept.interface
        comment = comment_for(interface.name)
        stem = f"{_FOLDER}/0-kvmops-{interface.name}"
        key = interface.kind.upper()
        parent = Section("Network", ((key, interface.name),))
        return {
            f"{stem}.netdev": render(_device(interface), comment=comment),
            f"{stem}.network": render(_network(interface), comment=comment),
            f"{_FOLDER}/{kept.network_file}.d/kvmops-{interface.name}.conf": render([parent], comment=comment),
        }

    def owned_paths(self, name: str) -> list[str]:
        """Return the paths of the interface and of what is configured on it, and the pattern of additions to a parent's file."""
        stem = f"{_FOLDER}/0-kvmops-{name}"
        return [f"{stem}.netdev", f"{stem}.network", f"{_FOLDER}/*.network.d/kvmops-{name}.conf"]

    def release(self, name: str) -> list[tuple[str, ...]]:
        """Return the command by which it forgets the interface.

        Otherwise it calls the parent failed when another one of that name comes.
        """
        paths = " ".join(self.owned_paths(name))
        return [("sh", "-c", _FORGET.format(paths=paths), f"networkd forgets {name}")]

    def follow(self, _name: str, *, addressed: bool) -> list[tuple[str, ...]]:
        """Return nothing: it is told to read its files."""
        del addressed
        return []


def hands_off(name: str) -> dict[str, str]:
    """Return the file by which networkd leaves an interface alone, whatever other files say of all interfaces."""
    sections = [Section("Match", (("Name", name),)), Section("Link", (("Unmanaged", "yes"),))]
    return {f"{_FOLDER}/0-kvmops-{name}.network": render(sections, comment=comment_for(name))}


def _device(interface: Interface) -> list[Section]:
    mtu = (("MTUBytes", str(interface.mtu)),) if interface.mtu else ()
    sources = tuple(("SourceMACAddress", mac) for mac in interface.source_macs)
    return [
        Section("NetDev", (("Name", interface.name), ("Kind", interface.kind), ("MACAddress", interface.mac), *mtu)),
        Section(interface.kind.upper(), (("Mode", interface.mode), *sources)),
    ]


def _network(interface: Interface) -> list[Section]:
    link_local = "ipv6" if any(":" in address for address in interface.addresses) else "no"
    addresses = tuple(("Address", address) for address in interface.addresses)
    routes = [
        Section(
            "Route",
            (
                ("Destination", route.destination),
                *((("Gateway", route.gateway),) if route.gateway else ()),
                ("Metric", str(route.metric)),
            ),
        )
        for route in interface.routes
    ]
    return [
        Section("Match", (("Name", interface.name),)),
        Section("Link", (("RequiredForOnline", "no"), *((("AllMulticast", "yes"),) if interface.all_multicast else ()))),
        Section("Network", (("LinkLocalAddressing", link_local), ("IPv6AcceptRA", "no"), *_WITHOUT_CABLE, *addresses)),
        *routes,
    ]
