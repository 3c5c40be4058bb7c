# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.


"""Which back end keeps an interface over a reboot, and all files about it as they shall be."""

from __future__ import annotations

import fnmatch
import re
import typing as t
from dataclasses import replace

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.backend import Kept, commented
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.network_manager import NetworkManager
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.networkd import Networkd, hands_off
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.request import Tap
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.unit import Unit
from ansible_collections.kvmops.network.plugins.module_utils._values import AUTO

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from ansible_collections.kvmops.network.plugins.module_utils._macvtap.backend import BackEnd
    from ansible_collections.kvmops.network.plugins.module_utils._macvtap.host import Host
    from ansible_collections.kvmops.network.plugins.module_utils._macvtap.interface import Interface
    from ansible_collections.kvmops.network.plugins.module_utils._macvtap.request import Request

__all__ = ["BACKENDS", "choose_backend", "foreign_files", "kept_by", "kept_mac", "owned_patterns", "wanted_files", "wanted_tap"]

BACKENDS: dict[str, BackEnd] = {backend.name: backend for backend in (Networkd(), NetworkManager(), Unit())}
_MANAGERS = {"networkd": "systemd-networkd", "networkmanager": "NetworkManager"}
_MAC_IN_FILE = re.compile(
    r"(?:^MACAddress=|^cloned-mac-address=|^ExecStart=ip link add .* address )((?:[0-9a-f]{2}:){5}[0-9a-f]{2})", re.MULTILINE
)
_PASSTHRU_PROFILE = "\nmode=4\n"  # its address is the parent's
_OLDEST_NETWORKD = 257  # those before never forget an interface, and drop the parent's lease when its file changes


def owned_patterns(name: str) -> list[str]:
    """Return the paths of all files that may be about an interface, those of parents as patterns."""
    return [path for backend in BACKENDS.values() for path in backend.owned_paths(name)] + [_tap_rule_path(name)]


def kept_by(name: str, files: Mapping[str, bytes | None]) -> BackEnd | None:
    """Return the back end that keeps the interface now, None where none does. `files` are those of owned_patterns."""
    there = [path for path, content in files.items() if content is not None]
    for backend in BACKENDS.values():
        # the first of its files is the one that makes the interface
        if any(fnmatch.fnmatch(path, backend.owned_paths(name)[0]) for path in there):
            return backend
    return None


def kept_mac(name: str, files: Mapping[str, bytes | None]) -> str:
    """Return the MAC address that the back end which keeps the interface gives it, "" where there is none.

    What the interface has at the moment may be another one: NetworkManager gives it the first one back while it is not in use.
    """
    backend = kept_by(name, files)
    if backend is None:
        return ""
    path = backend.owned_paths(name)[0]
    text = (files.get(path) or b"").decode(errors="replace")
    found = re.search(_MAC_IN_FILE, text)
    return found[1] if found is not None and _PASSTHRU_PROFILE not in text else ""


def foreign_files(name: str, files: Mapping[str, bytes | None]) -> list[str]:
    """Return the paths of files that have the names of ours, and that somebody else wrote."""
    head = commented(name).splitlines()[0].encode()
    return sorted(path for path, content in files.items() if content is not None and not content.startswith(head))


def choose_backend(request: Request, wanted: Interface, host: Host) -> BackEnd | None:
    """Return the back end that shall keep the interface, None for none.

    Raises RefusedError where the one that the task names does not manage the parent, InputError where it cannot express the task.
    """
    name = request.backend
    if name == "none":
        return None
    kept = _kept(request, wanted, host)
    if name in _MANAGERS:
        if name not in host.parent.managers:
            others = " and ".join(host.parent.managers) or "nobody"
            raise RefusedError(
                f"backend: {request.parent} is managed by {others}, and not by {name}. Leave backend out, or set it to unit."
            )
        if name == "networkd" and host.networkd < _OLDEST_NETWORKD:
            raise RefusedError(
                f"backend: this host has systemd-networkd {host.networkd}, which does not follow when such an interface changes; "
                f"{_OLDEST_NETWORKD} does. Leave backend out, or set it to unit."
            )
        if name == "networkd" and host.parent.foreign and kept_by(request.name, host.files) is not BACKENDS[name]:
            foreign = ", ".join(line.replace(" replace ", " ") for line in host.parent.foreign)
            raise RefusedError(
                f"backend: systemd-networkd would configure {request.parent} again for this, and take away what somebody else "
                f"gave it ({foreign}). Put that into its configuration first, leave backend out, or set it to unit."
            )
        unable = BACKENDS[name].unable(kept)
        if unable:
            raise InputError(
                f"backend: {_MANAGERS[name]} cannot express {', '.join(unable)}. Leave backend out, or set it to unit."
            )
        return BACKENDS[name]
    if name == AUTO:
        now = kept_by(request.name, host.files)
        managers = host.parent.managers
        if now is not None and not now.unable(kept) and (now.name not in _MANAGERS or not managers or now.name in managers):
            return now  # also while its manager has the parent out of its hands for a moment, as without a cable
        for backend in [BACKENDS[manager] for manager in managers if len(managers) == 1]:
            too_old = backend.name == "networkd" and host.networkd < _OLDEST_NETWORKD
            # an interface that somebody else made would have to be made anew, and what somebody else gave the parent would go
            spared = backend.makes_it_itself and (host.found is not None or bool(host.parent.foreign))
            if not too_old and not spared and not backend.unable(kept):
                return backend
    if not host.has_systemd:
        raise RefusedError("backend: this host does not run systemd, which would make the interface at boot. Set it to none.")
    return BACKENDS["unit"]


def wanted_files(request: Request, wanted: Interface | None, backend: BackEnd | None, host: Host) -> dict[str, str | None]:
    """Return each file about the interface as it shall be, None for one that shall not be there."""
    files: dict[str, str | None] = {path: None for path, content in host.files.items() if content is not None}
    if wanted is None:
        return files
    if backend is not None:
        files.update(backend.files(_kept(request, wanted, host)))
    if host.networkd and (backend is None or backend.name != "networkd"):
        files.update(hands_off(request.name))
    if request.tap is not None:
        files[_tap_rule_path(request.name)] = _tap_rule(request.name, request.tap)
    return files


def wanted_tap(request: Request, files: Mapping[str, bytes | None]) -> Tap | None:
    """Return who shall be able to open the device node, None where that is left to the host's own rules."""
    if request.state == "absent" or request.kind != "macvtap":
        return None
    # what an earlier task gave is taken back
    return Tap() if request.tap is None and files.get(_tap_rule_path(request.name)) is not None else request.tap


def _kept(request: Request, wanted: Interface, host: Host) -> Kept:
    interface = wanted if request.mtu else replace(wanted, mtu=0)
    return Kept(interface=interface, parent=request.parent, network_file=host.parent.network_file or _former_file(host))


def _former_file(host: Host) -> str:
    """Return the name of the parent's file to which there is an addition already."""
    folders = [path.split("/")[-2] for path, content in host.files.items() if content is not None and path.endswith(".conf")]
    return folders[0].rpartition(".d")[0] if folders else ""


def _tap_rule_path(name: str) -> str:
    return f"/etc/udev/rules.d/70-kvmops-{name}.rules"


def _tap_rule(name: str, tap: Tap) -> str:
    """Return the rule of udev for the device node, whose number is another one each time that the interface is made."""
    match = f'ACTION!="remove", SUBSYSTEM=="macvtap", KERNELS=="{name}"'
    return f'{commented(name)}{match}, OWNER="{tap.owner}", GROUP="{tap.group}", MODE="{tap.mode:04o}"\n'
