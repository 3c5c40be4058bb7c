# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The connection to libvirt, and what it knows of networks and does to them; guests are in guests.py.

Everything comes out as data and goes in as XML text or a name.
"""

from __future__ import annotations

import getpass
import time
import traceback
import typing as t
from dataclasses import dataclass
from urllib.parse import urlsplit

from ansible_collections.kvmops.network.plugins.module_utils._connectivity.daemons import daemon_named_in
from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError, NetworkError, RequirementError
from ansible_collections.kvmops.network.plugins.module_utils._format import document
from ansible_collections.kvmops.network.plugins.module_utils._format.since import version_number
from ansible_collections.kvmops.network.plugins.module_utils._network.port_document import port_document

try:
    import libvirt
except ImportError:
    LIBVIRT_IMPORT_ERROR: str | None = traceback.format_exc()
else:
    LIBVIRT_IMPORT_ERROR = None
    # errors are raised as exceptions; libvirt would print them as well
    libvirt.registerErrorHandler(lambda _context, _error: None, None)

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._network.live import Update

__all__ = [
    "CONNECTION_OPTIONS",
    "Connection",
    "GuestNic",
    "LibvirtError",
    "NetworkRecord",
    "check_libraries",
    "document_of",
    "is_local",
    "own_errors",
    "refuse_remote",
]

# Must be kept in sync with plugins/doc_fragments/_libvirt.py
CONNECTION_OPTIONS: dict[str, t.Any] = {"uri": {"type": "str", "default": "qemu:///system"}}


_PARTS = frozenset({"interface", "network", "nodedev", "nwfilter", "secret", "storage"})  # what virtnetworkd and others answer to
_PATIENCE = 20.0  # seconds for a daemon to come back
_POLL = 0.2  # seconds


class LibvirtError(NetworkError):
    """libvirt refused something; the message is libvirt's own."""


@dataclass(frozen=True)
class NetworkRecord:
    """A network as libvirt shows it. `stored_xml` and `live_xml` are None where there is no such definition."""

    name: str
    stored_xml: str | None
    live_xml: str | None
    autostart: bool


@dataclass(frozen=True)
class GuestNic:
    """A NIC of a running guest. What it has none of is None.

    `port_xml` is the document by which a network that libvirt made the bridge for knows the NIC. `isolated` says that it reaches
    no other isolated one, and `vlan` that it is in one. `mtu` is its own; without one it has that of its bridge.
    """

    guest: str
    mac: str | None
    network: str | None
    bridge: str | None
    device: str | None
    port_xml: str | None = None
    isolated: bool = False
    vlan: bool = False
    mtu: int | None = None


def is_local(uri: str) -> bool:
    """Say whether the daemon behind a URI manages the machine that this code runs on."""
    parts = urlsplit(uri)
    return parts.scheme != "test" and not parts.netloc


def refuse_remote(uri: str, why: str) -> None:
    """Refuse a daemon of another machine; `why` is a part of the sentence. Raises InputError."""
    if urlsplit(uri).netloc:
        raise InputError(f"uri: the daemon at {uri} is on another machine, and {why}; run the task there.")


def _refuse_parts(uri: str) -> None:
    """Refuse one of the daemons into which libvirt may be split. Raises InputError."""
    scheme = urlsplit(uri).scheme.partition("+")[0]
    if scheme in _PARTS:
        raise InputError(
            f"uri: {uri} is a part of libvirt that knows no guests, and so not who is plugged in where; name the daemon of the "
            "guests, such as qemu:///system, which asks that part by itself."
        )


def check_libraries() -> None:
    """Raise RequirementError if a library is missing."""
    for library, package, error in (
        ("libvirt", "python3-libvirt (SUSE: python3-libvirt-python)", LIBVIRT_IMPORT_ERROR),
        ("lxml", "python3-lxml", document.LXML_IMPORT_ERROR),
    ):
        if error:
            raise RequirementError(
                f"The Python library {library} is missing on this host. Install the package {package}, or run the role "
                "kvmops.network.hypervisor.",
                requirement="library",
            )


_ORDERED = 7_002_000  # before libvirt 7.2 its test driver took command and section of an update in the other order
_VERBS = {
    "delete": "VIR_NETWORK_UPDATE_COMMAND_DELETE",
    "modify": "VIR_NETWORK_UPDATE_COMMAND_MODIFY",
    "add": "VIR_NETWORK_UPDATE_COMMAND_ADD_LAST",
}
_SECTIONS = {
    "dhcp host": "VIR_NETWORK_SECTION_IP_DHCP_HOST",
    "dhcp range": "VIR_NETWORK_SECTION_IP_DHCP_RANGE",
    "dns host": "VIR_NETWORK_SECTION_DNS_HOST",
    "dns srv": "VIR_NETWORK_SECTION_DNS_SRV",
    "dns txt": "VIR_NETWORK_SECTION_DNS_TXT",
    "forward interface": "VIR_NETWORK_SECTION_FORWARD_INTERFACE",
    "portgroup": "VIR_NETWORK_SECTION_PORTGROUP",
}
_WORDS = {
    "title": "VIR_NETWORK_METADATA_TITLE",
    "description": "VIR_NETWORK_METADATA_DESCRIPTION",
    "metadata": "VIR_NETWORK_METADATA_ELEMENT",
}


class Connection:
    """A connection to a libvirt daemon, closed at the end of a with statement."""

    def __init__(self, uri: str) -> None:
        """Connect. Raises RequirementError with the cure if the daemon does not answer or the user may not ask it."""
        _refuse_parts(uri)
        self._uri = uri
        self.handle = _open(uri)
        # libvirt's test driver cannot show what is stored of a running network, and forgets it when the network stops
        self._shows_stored = urlsplit(uri).scheme != "test"
        self._unshown: dict[str, str] = {}

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.handle.close()

    def is_alive(self) -> bool:
        """Say whether the daemon can still be asked.

        Where libvirt is split into several daemons, that of the guests asks that of the networks by a connection which does not
        survive the latter's end, and which is made anew only with ours.
        """
        try:
            alive = bool(self.handle.isAlive())
            if alive:
                self.handle.numOfNetworks()
        except libvirt.libvirtError as error:
            return bool(error.get_error_code() == libvirt.VIR_ERR_NO_SUPPORT)
        return alive

    def revive(self) -> None:
        """Connect anew where the daemon has gone away, as it does when it is restarted; give it some seconds to come back."""
        deadline = time.monotonic() + _PATIENCE
        while not self.is_alive() and time.monotonic() < deadline:
            try:
                self.handle = _open(self._uri)
            except RequirementError:
                time.sleep(_POLL)

    def version(self) -> str:
        """Return the daemon's version, like "9.0.0"."""
        return _version(self.handle.getLibVersion())

    def update_version(self) -> str:
        """Return the version whose updates of a running network both the daemon and the library here know."""
        return min(self.version(), _version(libvirt.getVersion()), key=version_number)

    def read_networks(self) -> dict[str, NetworkRecord]:
        """Return all networks by name."""
        try:
            networks = self.handle.listAllNetworks(0)
        except libvirt.libvirtError as error:
            # where libvirt is split into several daemons, that of the networks is asked only now
            raise _explain_connection(self._uri, error) from None
        with own_errors():
            records = (self._read(network) for network in networks)
            return {record.name: record for record in records if record is not None}

    def read_network(self, name: str) -> NetworkRecord | None:
        """Return one network, None if there is none of the name."""
        with own_errors():
            try:
                network = self.handle.networkLookupByName(name)
            except libvirt.libvirtError as error:
                if error.get_error_code() == libvirt.VIR_ERR_NO_NETWORK:
                    return None
                raise
            return self._read(network)

    def _read(self, network: t.Any) -> NetworkRecord | None:
        """Return a network, None if it has gone since it was listed."""
        try:
            return self._read_record(network)
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_NETWORK:
                return None
            raise

    def _read_record(self, network: t.Any) -> NetworkRecord:
        live = network.XMLDesc(0) if network.isActive() else None
        stored = None
        if network.isPersistent():
            if live is not None and not self._shows_stored:
                stored = self._unshown.get(network.name(), live)
            else:
                stored = network.XMLDesc(libvirt.VIR_NETWORK_XML_INACTIVE if self._shows_stored else 0)
        autostart = bool(network.autostart()) if network.isPersistent() else False
        return NetworkRecord(name=network.name(), stored_xml=stored, live_xml=live, autostart=autostart)

    def read_guest_nics(self) -> list[GuestNic]:
        """Return the NICs of all running guests, from their live definitions."""
        with own_errors():
            domains = self.handle.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE)
            documents = [(domain.name(), document_of(domain, gone=libvirt.VIR_ERR_NO_DOMAIN)) for domain in domains]
        return [nic for guest, text in documents if text is not None for nic in _guest_nics(guest, text)]

    def reclaim_port(self, name: str, xml: str) -> None:
        """Let a running network know of a guest's NIC that is plugged in already."""
        with own_errors():
            network = self.handle.networkLookupByName(name)
            ports = [port.UUIDString() for port in network.listAllPorts()]
            if not any(f"<uuid>{uuid}</uuid>" in xml for uuid in ports):
                network.portCreateXML(xml, libvirt.VIR_NETWORK_PORT_CREATE_RECLAIM)

    def read_leases(self, name: str) -> list[dict[str, t.Any]] | None:
        """Return the DHCP leases of a running network, None where this driver knows none."""
        with own_errors():
            try:
                leases = self.handle.networkLookupByName(name).DHCPLeases()
            except libvirt.libvirtError as error:
                if error.get_error_code() == libvirt.VIR_ERR_NO_SUPPORT:
                    return None
                raise
        return [
            {
                "mac": lease["mac"],
                "ip": lease["ipaddr"],
                "prefix": lease["prefix"],
                "hostname": lease["hostname"],
                "client_id": lease["clientid"],
                "expires": lease["expirytime"],
            }
            for lease in sorted(leases, key=lambda lease: (lease["ipaddr"], lease["mac"] or ""))
        ]

    def define_network(self, xml: str, *, validate: bool = True) -> None:
        """Store a definition; libvirt validates it where it can (7.7 and later)."""
        with own_errors():
            if validate and hasattr(self.handle, "networkDefineXMLFlags"):
                network = self.handle.networkDefineXMLFlags(xml, libvirt.VIR_NETWORK_DEFINE_VALIDATE)
            else:
                network = self.handle.networkDefineXML(xml)
            if not self._shows_stored and network.isActive():
                self._unshown[network.name()] = xml

    def create_network(self, xml: str) -> None:
        """Start a transient network."""
        with own_errors():
            self.handle.networkCreateXML(xml)

    def start_network(self, name: str) -> None:
        """Start a stored network."""
        with own_errors():
            self.handle.networkLookupByName(name).create()

    def stop_network(self, name: str) -> None:
        """Stop a running network; a transient one is gone then."""
        with own_errors():
            self.handle.networkLookupByName(name).destroy()
        if name in self._unshown:
            self.define_network(self._unshown.pop(name), validate=False)

    def undefine_network(self, name: str) -> None:
        """Remove what is stored of a network."""
        with own_errors():
            self.handle.networkLookupByName(name).undefine()

    def update_network(self, name: str, update: Update) -> None:
        """Change one thing of a running network; nothing is stored."""
        with own_errors():
            network = self.handle.networkLookupByName(name)
            if update.section in _WORDS:
                _set_words(network, update)
                return
            place = -1
            if update.address:
                found = document.parse_document(network.XMLDesc(0), root="network").iterfind("ip")
                addresses = [ip.get("address") for ip in found]
                if update.address not in addresses:
                    raise LibvirtError(f"the running network '{name}' has no address {update.address} any more")
                place = addresses.index(update.address)
            words = [getattr(libvirt, _VERBS[update.verb]), getattr(libvirt, _SECTIONS[update.section])]
            if not self._shows_stored and self.handle.getLibVersion() < _ORDERED:
                words.reverse()
            network.update(
                *words,
                place,
                update.xml,
                libvirt.VIR_NETWORK_UPDATE_AFFECT_LIVE,
            )

    def hostname(self) -> str:
        """Return the name of the daemon's host."""
        with own_errors():
            name: str = self.handle.getHostname()
        return name

    def set_network_autostart(self, name: str, *, autostart: bool) -> None:
        """Say whether libvirt starts the network at boot."""
        with own_errors():
            self.handle.networkLookupByName(name).setAutostart(int(autostart))


def _version(number: int) -> str:
    return f"{number // 1_000_000}.{number // 1_000 % 1_000}.{number % 1_000}"


def _set_words(network: t.Any, update: Update) -> None:
    """Change what only people and programs read of a running network; libvirt binds a prefix to the namespace by itself."""
    kind, live = getattr(libvirt, _WORDS[update.section]), libvirt.VIR_NETWORK_UPDATE_AFFECT_LIVE
    if update.section != "metadata":
        network.setMetadata(kind, update.xml or None, None, None, live)
        return
    prefix, namespace, text = (document.split_namespace(update.xml) if update.xml else None) or (None, update.label, None)
    network.setMetadata(kind, text, prefix, namespace, live)


def _open(uri: str) -> t.Any:
    try:
        return libvirt.open(uri)
    except libvirt.libvirtError as error:
        raise _explain_connection(uri, error) from None


class own_errors:
    """Turn libvirt's exceptions into ours, within a with statement."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, libvirt.libvirtError):
            raise LibvirtError(error.get_error_message() or str(error)) from None


def document_of(listed: t.Any, *, gone: int) -> str | None:
    """Return the document of something of libvirt's, None if it has gone since it was listed.

    `gone` is the error by which libvirt says so. Within `own_errors`, other errors are ours.
    """
    try:
        text: str = listed.XMLDesc(0)
    except libvirt.libvirtError as error:
        if error.get_error_code() == gone:
            return None
        raise
    return text


def _guest_nics(guest: str, text: str) -> list[GuestNic]:
    def attribute(nic: t.Any, path: str, name: str) -> str | None:
        element = nic.find(path)
        return element.get(name) if element is not None else None

    root = document.parse_document(text, root="domain")
    uuid = root.findtext("uuid", "")
    return [
        GuestNic(
            guest=guest,
            mac=attribute(nic, "mac", "address"),
            network=attribute(nic, "source", "network"),
            bridge=attribute(nic, "source", "bridge"),
            device=attribute(nic, "target", "dev"),
            port_xml=port_document(nic, guest=guest, uuid=uuid, bridge=attribute(nic, "source", "bridge") or ""),
            isolated=attribute(nic, "port", "isolated") == "yes",
            vlan=nic.find("vlan") is not None,
            mtu=int(attribute(nic, "mtu", "size") or 0) or None,
        )
        for nic in root.iterfind("devices/interface")
    ]


def _how_to_start(daemon: str | None) -> str:
    """Return what starts the daemon that libvirt named; the socket of libvirtd is named also where another shall listen there."""
    if daemon is not None:
        return f"'systemctl start {daemon}'"
    return "'systemctl start libvirtd' (or the sockets of virtqemud and virtnetworkd where libvirt is split into several daemons)"


def _explain_connection(uri: str, error: t.Any) -> RequirementError:
    message = error.get_error_message() or str(error)
    lowered = message.lower()
    if "authentication" in lowered or "permission denied" in lowered or "access denied" in lowered:
        return RequirementError(
            f"The user {getpass.getuser()} may not manage libvirt at {uri} ({message}). Run the task as root (become: true), "
            "or make the user a member of the group libvirt and log in anew.",
            requirement="permission",
        )
    if "no such file" in lowered or "connection refused" in lowered or "failed to connect" in lowered:
        named = daemon_named_in(message)
        return RequirementError(
            f"libvirt's daemon {f'{named} ' if named else ''}does not answer at {uri} ({message}). "
            f"Start it with {_how_to_start(named)}, or run the role kvmops.network.hypervisor.",
            requirement="daemon",
        )
    return RequirementError(
        f"There is no libvirt at {uri} ({message}). Correct the option uri, for example qemu:///system.", requirement="uri"
    )
