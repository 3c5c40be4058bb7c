# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.


"""NetworkManager: a profile. An interface that is there already is left as it is, and made by it at the next boot.

Reference: nm-settings-keyfile(5).
"""

from __future__ import annotations

import ipaddress
import typing as t
import uuid

from ansible_collections.kvmops.network.plugins.module_utils._bridge.ini import Section, render
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.backend import comment_for, commented, general_limits

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._macvtap.backend import Kept
    from ansible_collections.kvmops.network.plugins.module_utils._macvtap.interface import Interface

__all__ = ["NetworkManager"]

_NAMESPACE = uuid.UUID("5d1bb5a0-6f0c-5b42-9a4e-2b1c6f3d7e91")
_MODES = {"vepa": 1, "bridge": 2, "private": 3, "passthru": 4, "source": 5}  # its own numbers
# it changes addresses in place where nothing else of the profile has changed since it was brought up
_REAPPLY = """\
case "$(nmcli -g GENERAL.STATE device show "$1")" in *externally*|*unmanaged*|'') exit 0 ;; esac
nmcli device reapply "$1" || nmcli connection up uuid "$2"
"""
# a profile that is not known, or whose file is gone already, is no failure
_FORGET = """\
systemctl is-active --quiet NetworkManager.service || exit 0
nmcli -g UUID connection show | grep -qx "$1" || exit 0
nmcli connection delete uuid "$1"
"""


class NetworkManager:
    """The back end NetworkManager."""

    name = "networkmanager"
    makes_it_itself = False

    def unable(self, kept: Kept) -> list[str]:
        """Return what of the interface it cannot express."""
        return general_limits(kept) + (["source_macs"] if kept.interface.source_macs else [])

    def files(self, kept: Kept) -> dict[str, str]:
        """Return the text of the profile, and of a rule of udev for what a profile cannot say."""
        name = kept.interface.name
        profile, rule = self.owned_paths(name)
        files = {profile: render(_profile(kept), comment=comment_for(name))}
        if kept.interface.all_multicast:
            files[rule] = _multicast_rule(name)
        return files

    def owned_paths(self, name: str) -> list[str]:
        """Return the paths of the profile and of the rule."""
        profile = f"/etc/NetworkManager/system-connections/kvmops-{name}.nmconnection"
        return [profile, f"/etc/udev/rules.d/72-kvmops-{name}.rules"]

    def release(self, name: str) -> list[tuple[str, ...]]:
        """Return the command that removes the profile; otherwise it makes the interface again at once when that goes."""
        return [("sh", "-c", _FORGET, f"NetworkManager forgets {name}", _uuid(name))]

    def follow(self, name: str, *, addressed: bool) -> list[tuple[str, ...]]:
        """Return the commands by which it reads the profile, and puts new addresses in force."""
        load = ("nmcli", "connection", "load", self.owned_paths(name)[0])
        return [load, ("sh", "-c", _REAPPLY, f"NetworkManager follows {name}", name, _uuid(name))] if addressed else [load]


def _uuid(name: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, name))


def _multicast_rule(name: str) -> str:
    run = f"/usr/bin/env PATH=/usr/sbin:/usr/bin:/sbin:/bin ip link set dev {name} allmulticast on"
    return f'{commented(name)}ACTION=="add", SUBSYSTEM=="net", ENV{{INTERFACE}}=="{name}", RUN+="{run}"\n'


def _profile(kept: Kept) -> list[Section]:
    interface = kept.interface
    ethernet = (("cloned-mac-address", interface.mac),) if interface.mac else ()
    mtu = (("mtu", str(interface.mtu)),) if interface.mtu else ()
    promiscuous = (("promiscuous", "false"),) if "nopromisc" in interface.flags else ()
    tap = (("tap", "true"),) if interface.kind == "macvtap" else ()
    return [
        Section(
            "connection",
            (
                ("id", f"kvmops-{interface.name}"),
                ("uuid", _uuid(interface.name)),
                ("type", "macvlan"),
                ("interface-name", interface.name),
            ),
        ),
        Section("macvlan", (("parent", kept.parent), ("mode", str(_MODES[interface.mode])), *promiscuous, *tap)),
        Section("ethernet", (*ethernet, *mtu)),
        _family(interface, 4),
        _family(interface, 6),
    ]


def _family(interface: Interface, version: int) -> Section:
    addresses = [text for text in interface.addresses if ipaddress.ip_interface(text).version == version]
    routes = [route for route in interface.routes if ipaddress.ip_network(route.destination).version == version]
    if not addresses:
        return Section(f"ipv{version}", (("method", "disabled"),))
    nowhere = {4: "0.0.0.0", 6: "::"}[version]
    return Section(
        f"ipv{version}",
        (
            ("method", "manual"),
            *((f"address{number}", text) for number, text in enumerate(addresses, 1)),
            *(
                (f"route{number}", f"{route.destination},{route.gateway or nowhere},{route.metric}")
                for number, route in enumerate(routes, 1)
            ),
        ),
    )
