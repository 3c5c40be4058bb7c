# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What ifupdown does with a link of this host, and by what servers know the link. Nothing here changes anything."""

from __future__ import annotations

import glob
import os
import re
import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._bridge.host import Management
from ansible_collections.kvmops.network.plugins.module_utils._bridge.ifupdown import FOLDER, file_name
from ansible_collections.kvmops.network.plugins.module_utils._bridge.ifupdown_care import check_stanzas, takes_file
from ansible_collections.kvmops.network.plugins.module_utils._bridge.interfaces_file import parse, stanzas_of
from ansible_collections.kvmops.network.plugins.module_utils._bridge.record import Identity, Origin
from ansible_collections.kvmops.network.plugins.module_utils._bridge.token import token_of
from ansible_collections.kvmops.network.plugins.module_utils._edge.files import read_text
from ansible_collections.kvmops.network.plugins.module_utils._errors import RefusedError

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.interfaces_file import Stanza
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.links import Device
    from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Run

__all__ = ["manages", "read_management"]

_MAIN = "/etc/network/interfaces"
_FILES = (_MAIN, "/etc/network/interfaces.d/*")
_PROGRAMS = ("/usr/sbin/ifup", "/sbin/ifup")
_PROCESSES = "/proc"
_DHCLIENT_CONF = ("/etc/dhcp/dhclient.conf", "/etc/dhclient.conf")
_DHCPCD_CONF = "/etc/dhcpcd.conf"
_DHCPCD_RUN = ("/run/dhcpcd/{name}.pid", "/run/dhcpcd/{name}-4.pid", "/run/dhcpcd-{name}.pid")
_DUID_FILES = ("/var/lib/dhcpcd/duid", "/var/lib/dhcpcd5/duid", "/etc/dhcpcd.duid")


def manages(device: Device) -> bool:
    """Return whether ifupdown is installed and has a stanza for the link."""
    if not any(os.path.exists(program) for program in _PROGRAMS):
        return False
    stanza = re.compile(rf"^\s*iface\s+{re.escape(device.name)}\s", re.MULTILINE)
    return any(stanza.search(read_text(path)) for pattern in _FILES for path in glob.glob(pattern))


def read_management(run: Run, device: Device, bridge: str) -> Management:
    """Return the configuration of a link of ifupdown that shall go to a bridge. Raises RefusedError for what cannot be moved."""
    _check_program(run)
    texts = _read_all()
    wanted = f"{FOLDER}/{file_name(bridge)}"
    stanzas = [(path, stanza) for path, text in texts.items() for stanza in parse(text)]
    if not any(takes_file(stanza, wanted, folder=os.path.dirname(path)) for path, stanza in stanzas):
        raise RefusedError(
            f"ifupdown does not read {wanted}, where the bridge would be written down. Add the line 'source {FOLDER}/*' to "
            f"{_MAIN}."
        )
    every = [stanza for _path, stanza in stanzas]
    check_stanzas(every, uplink=device.name, bridge=bridge)
    _check_state(run, device.name)
    own = stanzas_of(every, device.name)
    client = _check_clients(device.name, own)
    paths = [path for path, text in texts.items() if stanzas_of(parse(text), device.name)]
    return Management(
        backend="ifupdown",
        origin=Origin(name=device.name, path=paths[0], text="\n".join(texts[path] for path in paths)),
        identity=_identity(device, client),
    )


def _check_program(run: Run) -> None:
    try:
        _code, output, errors = run(["ifup", "--version"])
    except OSError as error:
        output, errors = "", str(error.strerror)
    said = (output + errors).strip()
    if not said.startswith("ifup version 0."):
        first = said.partition("\n")[0]
        raise RefusedError(
            f"The ifup of this host is not that of Debian's ifupdown (it says '{first}'), for which alone there is a back end. "
            "Let another program manage the uplink."
        )


def _check_state(run: Run, name: str) -> None:
    _code, output, _errors = run(["ifquery", "--state", name])
    state = output.strip()
    if state != f"{name}={name}":
        known = f"'{state}'" if state else "that it is down"
        raise RefusedError(
            f"ifupdown has a stanza for {name}, and says {known}, so that somebody else may have configured it. Bring it up by "
            f"'ifup {name}' first, or take the stanza out."
        )


def _check_clients(name: str, stanzas: tuple[Stanza, ...]) -> str:
    """Return which DHCP client asks for the link, "" where none has to."""
    for path in _DHCLIENT_CONF:
        if re.search(rf'^\s*interface\s+"{re.escape(name)}"', read_text(path), re.MULTILINE):
            raise RefusedError(
                f"{path} has a part for the interface {name} alone, which the bridge would not have. Write it there for all "
                "interfaces first."
            )
    if re.search(rf"^\s*interface\s+{re.escape(name)}\s*$", read_text(_DHCPCD_CONF), re.MULTILINE):
        raise RefusedError(
            f"{_DHCPCD_CONF} has a part for the interface {name} alone, which the bridge would not have. Write it there for all "
            "interfaces first."
        )
    if any(_comm(read_text(path.format(name=name)).strip()) == "dhcpcd" for path in _DHCPCD_RUN):
        return "dhcpcd"
    if any(stanza.method == "dhcp" for stanza in stanzas) and not _has_dhclient(name):
        raise RefusedError(
            f"{name} has its address from a DHCP server, and neither dhclient nor dhcpcd asks for it. Install isc-dhcp-client or "
            f"dhcpcd-base, and run 'ifdown {name}; ifup {name}'."
        )
    return ""


def _has_dhclient(name: str) -> bool:
    for process in filter(str.isdigit, os.listdir(_PROCESSES)):
        if _comm(process) == "dhclient" and name in read_text(f"{_PROCESSES}/{process}/cmdline").split("\0"):
            return True
    return False


def _comm(process: str) -> str:
    return read_text(f"{_PROCESSES}/{process}/comm").strip() if process.isdigit() else ""


def _identity(device: Device, client: str) -> Identity:
    """Return by what servers know the link. dhclient sends what its own file says, which goes for the bridge as well."""
    token = token_of(device)
    if client != "dhcpcd" or not re.search(r"^\s*duid\b", read_text(_DHCPCD_CONF), re.MULTILINE):
        return Identity(token=token)
    duid = next(filter(None, (read_text(path).strip().replace(":", "").lower() for path in _DUID_FILES)), "")
    if not re.fullmatch(r"([0-9a-f]{2})+", duid):
        return Identity(token=token)
    iaid = device.mac.replace(":", "")[4:]
    return Identity(dhcp4=f"ff{iaid}{duid}", dhcp6=duid, iaid=int(iaid, 16), token=token)


def _read_all() -> dict[str, str]:
    """Return the text of each file that ifupdown reads, by path, in its order."""
    found: dict[str, str] = {}
    waiting = [_MAIN]
    while waiting:
        path = waiting.pop(0)
        if path in found or not os.path.isfile(path):
            continue
        found[path] = read_text(path)
        for stanza in parse(found[path]):
            if stanza.keyword.startswith("source"):
                waiting += [name for word in stanza.words for name in _candidates(word, os.path.dirname(path), stanza)]
    return found


def _candidates(word: str, folder: str, stanza: Stanza) -> list[str]:
    pattern = os.path.join(folder, word)
    if stanza.keyword != "source":
        pattern = f"{pattern}/*"
    paths = [os.path.normpath(path) for path in sorted(glob.glob(pattern))]
    return [path for path in paths if takes_file(stanza, path, folder=folder)]
