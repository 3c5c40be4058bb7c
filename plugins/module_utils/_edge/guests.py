# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What libvirt knows of guests and does to them. Everything comes out as data and goes in as XML text or a name."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass

from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import LibvirtError, own_errors
from ansible_collections.kvmops.network.plugins.module_utils._errors import RequirementError

try:
    import libvirt
except ImportError:
    pass  # said by daemon.LIBVIRT_IMPORT_ERROR, and checked before anything here is called

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import Connection

__all__ = ["AddressOrigin", "GuestRecord", "Guests", "SeenAddress"]

AddressOrigin = t.Literal["lease", "agent", "arp"]

_POLL = 0.05  # seconds
_REPEAT = 2.0  # seconds; libvirt itself waits five for the guest before
# What libvirt says of a detachment that has been asked for and that the guest has not answered; source: qemu_hotplug.c
_UNDER_WAY = "process of unplug"


@dataclass(frozen=True)
class GuestRecord:
    """A guest as libvirt shows it. `stored_xml` and `live_xml` are None where there is no such definition."""

    name: str
    stored_xml: str | None
    live_xml: str | None


@dataclass(frozen=True)
class SeenAddress:
    """An address that somebody saw at a NIC."""

    mac: str
    address: str
    prefix: int
    origin: AddressOrigin


class Guests:
    """The guests of a daemon."""

    def __init__(self, connection: Connection) -> None:
        """Use a connection that is open."""
        self._connection = connection

    def names(self) -> list[str]:
        """Return the names of all guests, in order."""
        with own_errors():
            return sorted(domain.name() for domain in self._connection.handle.listAllDomains(0))

    def read(self, name: str) -> GuestRecord | None:
        """Return a guest, None if there is none of the name."""
        with own_errors():
            try:
                return _read(self._connection.handle.lookupByName(name))
            except libvirt.libvirtError as error:
                if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
                    return None
                raise

    def read_all(self) -> list[GuestRecord]:
        """Return all guests."""
        records = []
        with own_errors():
            for domain in self._connection.handle.listAllDomains(0):
                try:
                    records.append(_read(domain))
                except libvirt.libvirtError as error:
                    if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:  # it has gone since it was listed
                        raise
        return records

    def read_whole(self, name: str) -> str:
        """Return what is stored of a guest, with its secrets: it is for storing it again."""
        with own_errors():
            flags = libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE
            text: str = self._lookup(name).XMLDesc(flags)
        return text

    def define(self, xml: str) -> None:
        """Store a guest's definition; one that runs goes on as it runs."""
        with own_errors():
            self._connection.handle.defineXML(xml)

    def attach(self, name: str, xml: str) -> None:
        """Plug a NIC into a running guest."""
        with own_errors():
            self._lookup(name).attachDeviceFlags(xml, libvirt.VIR_DOMAIN_AFFECT_LIVE)

    def update(self, name: str, xml: str) -> None:
        """Change a NIC of a running guest."""
        with own_errors():
            self._lookup(name).updateDeviceFlags(xml, libvirt.VIR_DOMAIN_AFFECT_LIVE)

    def detach(self, name: str, xml: str, *, is_gone: Callable[[str], bool], timeout: float) -> bool:
        """Unplug a NIC from a running guest, and wait until the guest has released it. Return whether it has.

        `is_gone` is asked with the guest's running definition; a guest that has ended has released it. A guest that is busy with
        something else, such as booting, does not hear the request, which is therefore repeated.
        """
        deadline = time.monotonic() + timeout
        self._request_detach(name, xml)
        asked = time.monotonic()
        while True:
            record = self.read(name)
            if record is None or record.live_xml is None or is_gone(record.live_xml):
                return True
            if time.monotonic() >= deadline:
                return False
            if time.monotonic() - asked >= _REPEAT:
                try:
                    self._request_detach(name, xml)
                except LibvirtError:
                    pass  # it may have gone since; what is there now is looked at in any case
                asked = time.monotonic()
            time.sleep(_POLL)

    def _request_detach(self, name: str, xml: str) -> None:
        try:
            with own_errors():
                self._lookup(name).detachDeviceFlags(xml, libvirt.VIR_DOMAIN_AFFECT_LIVE)
        except LibvirtError as error:
            if _UNDER_WAY not in str(error):
                raise

    def addresses(self, name: str, origin: AddressOrigin) -> list[SeenAddress]:
        """Return the addresses of a running guest, an empty list where this origin knows nothing of it."""
        source = {
            "lease": libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE,
            "agent": libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT,
            "arp": libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP,
        }[origin]
        try:
            found = self._connection.handle.lookupByName(name).interfaceAddresses(source)
        except libvirt.libvirtError:
            return []  # no agent, no such driver, or the guest has just ended
        return [
            SeenAddress(mac=nic["hwaddr"].lower(), address=entry["addr"], prefix=entry["prefix"], origin=origin)
            for nic in found.values()
            if nic.get("hwaddr")
            for entry in nic["addrs"] or ()
        ]

    def paused(self) -> set[str]:
        """Return the names of the guests that run, but are held."""
        with own_errors():
            return {domain.name() for domain in self._connection.handle.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_PAUSED)}

    def statistics(self, name: str, device: str) -> dict[str, int] | None:
        """Return what has gone through the host's end of a NIC, None where libvirt does not count it."""
        try:
            numbers = self._connection.handle.lookupByName(name).interfaceStats(device)
        except libvirt.libvirtError:
            return None
        keys = ("rx_bytes", "rx_packets", "rx_errors", "rx_dropped", "tx_bytes", "tx_packets", "tx_errors", "tx_dropped")
        return {key: int(number) for key, number in zip(keys, numbers)}

    def filters(self) -> list[str] | None:
        """Return the names of the network filters, in order; None where this driver has none."""
        with own_errors():
            try:
                return sorted(each.name() for each in self._connection.handle.listAllNWFilters(0))
            except libvirt.libvirtError as error:
                if error.get_error_code() == libvirt.VIR_ERR_NO_SUPPORT:
                    return None
                raise

    def _lookup(self, name: str) -> t.Any:
        try:
            return self._connection.handle.lookupByName(name)
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
                raise RequirementError(f"The guest '{name}' is gone.") from None
            raise


def _read(domain: t.Any) -> GuestRecord:
    live = domain.XMLDesc(0) if domain.isActive() else None
    stored = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE) if domain.isPersistent() else None
    return GuestRecord(name=domain.name(), stored_xml=stored, live_xml=live)
