# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What libvirt knows of a guest's life, and does to it."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass

from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import own_errors

try:
    import libvirt
except ImportError:
    pass  # said by daemon.LIBVIRT_IMPORT_ERROR, and checked before anything here is called

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import Connection

__all__ = ["Domains", "Life"]

_POLL = 0.25  # seconds
_REPEAT = 10.0  # seconds; a guest that boots does not hear the power button


@dataclass(frozen=True)
class Life:
    """How a guest lives. `snapshots` is how many it has; `paused` says that it runs and is held."""

    running: bool
    paused: bool = False
    persistent: bool = True
    autostart: bool = False
    snapshots: int = 0


class Domains:
    """The guests of a daemon, as things that start, stop, come and go."""

    def __init__(self, connection: Connection) -> None:
        """Use a connection that is open."""
        self._connection = connection

    def life_of(self, name: str) -> Life | None:
        """Return how a guest lives, None if there is none of the name."""
        with own_errors():
            try:
                domain = self._connection.handle.lookupByName(name)
                persistent = bool(domain.isPersistent())
                return Life(
                    running=bool(domain.isActive()),
                    paused=domain.state()[0] == libvirt.VIR_DOMAIN_PAUSED,
                    persistent=persistent,
                    autostart=bool(domain.autostart()) if persistent else False,
                    snapshots=_snapshots(domain),
                )
            except libvirt.libvirtError as error:
                if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
                    return None
                raise

    def most_vcpus(self) -> int:
        """Return how many processors a guest can have on this host, 0 where this driver does not say."""
        try:
            return int(self._connection.handle.getMaxVcpus(None))
        except libvirt.libvirtError:
            return 0

    def start(self, name: str) -> None:
        """Start a guest that is off."""
        with own_errors():
            self._connection.handle.lookupByName(name).create()

    def resume(self, name: str) -> None:
        """Let a guest go on that is held."""
        with own_errors():
            self._connection.handle.lookupByName(name).resume()

    def shut_down(self, name: str, *, timeout: float) -> bool:
        """Press the guest's power button, and wait until it is off. Return whether it is."""
        deadline = time.monotonic() + timeout
        asked = -_REPEAT
        while True:
            with own_errors():
                domain = self._find(name)
                if domain is None or not domain.isActive():
                    return True
                if time.monotonic() >= deadline:
                    return False
                if time.monotonic() - asked >= _REPEAT:
                    _press(domain)
                    asked = time.monotonic()
            time.sleep(min(_POLL, max(0.0, deadline - time.monotonic())))

    def switch_off(self, name: str) -> None:
        """Take the guest's power away."""
        with own_errors():
            domain = self._find(name)
            if domain is not None and domain.isActive():
                domain.destroy()

    def undefine(self, name: str) -> None:
        """Remove what is stored of a guest, with the state that was saved of it and its firmware's variables."""
        flags = libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
        if self._connection.handle.getType() == "QEMU":
            flags |= libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
        with own_errors():
            self._connection.handle.lookupByName(name).undefineFlags(flags)

    def set_autostart(self, name: str, *, autostart: bool) -> None:
        """Say whether libvirt starts the guest at boot."""
        with own_errors():
            self._connection.handle.lookupByName(name).setAutostart(int(autostart))

    def _find(self, name: str) -> t.Any:
        try:
            return self._connection.handle.lookupByName(name)
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
                return None
            raise


def _press(domain: t.Any) -> None:
    try:
        domain.shutdown()
    except libvirt.libvirtError as error:
        # it has just ended by itself
        if error.get_error_code() not in (libvirt.VIR_ERR_OPERATION_INVALID, libvirt.VIR_ERR_NO_DOMAIN):
            raise


def _snapshots(domain: t.Any) -> int:
    try:
        return int(domain.snapshotNum())
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_SUPPORT:
            return 0
        raise
