# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The network filters that libvirt knows, and what is done to them. Everything goes in and comes out as XML text or a name."""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import document_of, own_errors
from ansible_collections.kvmops.network.plugins.module_utils._errors import RequirementError

try:
    import libvirt
except ImportError:
    pass  # said by daemon.LIBVIRT_IMPORT_ERROR, and checked before anything here is called

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import Connection

__all__ = ["NetworkFilters"]


class NetworkFilters:
    """The network filters of a daemon."""

    def __init__(self, connection: Connection) -> None:
        """Use a connection that is open."""
        self._connection = connection

    def read(self) -> dict[str, str]:
        """Return the documents of all filters by name. Raises RequirementError where the daemon has none at all."""
        with own_errors():
            try:
                found = self._connection.handle.listAllNWFilters(0)
            except libvirt.libvirtError as error:
                if error.get_error_code() == libvirt.VIR_ERR_NO_SUPPORT:
                    raise RequirementError(
                        "This libvirt has no network filters. Install its driver for them (Debian and Fedora: the package "
                        "libvirt-daemon-driver-nwfilter), or correct the option uri."
                    ) from None
                raise
            documents = ((each.name(), document_of(each, gone=libvirt.VIR_ERR_NO_NWFILTER)) for each in found)
            return {name: text for name, text in documents if text is not None}

    def define(self, xml: str) -> None:
        """Store a filter; libvirt applies it at once to the NICs that have it, and validates it where it can (7.7 and later)."""
        with own_errors():
            if hasattr(self._connection.handle, "nwfilterDefineXMLFlags"):
                self._connection.handle.nwfilterDefineXMLFlags(xml, libvirt.VIR_NWFILTER_DEFINE_VALIDATE)
            else:
                self._connection.handle.nwfilterDefineXML(xml)

    def undefine(self, name: str) -> None:
        """Remove a filter."""
        with own_errors():
            self._connection.handle.nwfilterLookupByName(name).undefine()
