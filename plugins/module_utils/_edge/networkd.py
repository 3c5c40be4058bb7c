# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What systemd-networkd does with a link of this host, and by what servers know the link. Nothing here changes anything."""

from __future__ import annotations

import contextlib
import glob
import ipaddress
import os
import re
import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._bridge.host import Management
from ansible_collections.kvmops.network.plugins.module_utils._bridge.ini import parse
from ansible_collections.kvmops.network.plugins.module_utils._bridge.record import Identity, Origin
from ansible_collections.kvmops.network.plugins.module_utils._bridge.token import token_of
from ansible_collections.kvmops.network.plugins.module_utils._errors import RequirementError

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.links import Device
    from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Run

__all__ = ["addresses_of", "file_of", "is_settled", "manages", "read_management", "version"]

_STATE = "/run/systemd/netif/links/{index}"
_LEASE = "/run/systemd/netif/leases/{index}"
# where files and what overrides parts of them are looked for, the first one winning
_FOLDERS = ("/etc/systemd/network", "/run/systemd/network", "/usr/local/lib/systemd/network", "/usr/lib/systemd/network")


def manages(run: Run, device: Device) -> bool:
    """Return whether networkd runs and has a configuration for the link in use."""
    state = _read_values(_STATE.format(index=device.index))
    return _is_active(run) and state.get("ADMIN_STATE", "unmanaged") not in ("unmanaged", "") and bool(state.get("NETWORK_FILE"))


def read_management(device: Device) -> Management:
    """Return the configuration of a link that networkd manages. Raises RequirementError if the file is gone."""
    state = _read_values(_STATE.format(index=device.index))
    path = state.get("NETWORK_FILE", "")
    name = os.path.basename(path)
    try:
        texts = [_read(part) for part in [path, *_drop_ins(name)]]
    except OSError as error:
        raise RequirementError(
            f"networkd configured {device.name} from {path}, which cannot be read now ({error.strerror}). Put it back, and run "
            "'networkctl reload'."
        ) from None
    client_id = _read_values(_LEASE.format(index=device.index)).get("CLIENTID", "").lower()
    return Management(
        backend="netplan" if "-netplan-" in name and path.startswith("/run/") else "networkd",
        origin=Origin(name=name, path=path, text="\n".join(texts)),
        identity=Identity(dhcp4=client_id, dhcp6=_duid(state, client_id), iaid=_iaid(state, client_id), token=token_of(device)),
    )


def file_of(device: Device) -> str:
    """Return the name of the file from which networkd configures a link that it manages."""
    return os.path.basename(_read_values(_STATE.format(index=device.index)).get("NETWORK_FILE", ""))


def addresses_of(device: Device) -> set[str]:
    """Return the addresses that networkd's files give a link, with their prefix; none where the file is gone."""
    try:
        sections = parse(read_management(device).origin.text)
    except RequirementError:
        return set()
    texts = [value for section in sections if section.name in ("Network", "Address") for value in section.values("Address")]
    found = set()
    for text in texts:
        with contextlib.suppress(ValueError):
            found.add(str(ipaddress.ip_interface(text)))
    return found


def is_settled(device: Device) -> bool:
    """Return whether networkd has done all that its files say of a link."""
    return _read_values(_STATE.format(index=device.index)).get("ADMIN_STATE") == "configured"


def version(run: Run) -> int:
    """Return the version of the networkd that runs, 0 where none does."""
    if not _is_active(run):
        return 0
    _code, output, _errors = run(["networkctl", "--version"])
    found = re.search(r"\d+", output)
    return int(found[0]) if found is not None else 0


def _is_active(run: Run) -> bool:
    try:
        code, _output, _errors = run(["systemctl", "is-active", "--quiet", "systemd-networkd.service"])
    except OSError:
        return False  # a host without systemd
    return code == 0


def _drop_ins(name: str) -> list[str]:
    found: dict[str, str] = {}
    for folder in _FOLDERS:
        for path in glob.glob(f"{folder}/{glob.escape(name)}.d/*.conf"):
            found.setdefault(os.path.basename(path), path)
    return [found[base] for base in sorted(found)]


def _duid(state: dict[str, str], client_id: str) -> str:
    """Return the DUID of DHCPv6 in hexadecimal digits, from a text such as DUID-EN/Vendor:0000ab11...

    systemd 247 writes two bytes too many there. The one in the client id is the same, unless somebody configured it otherwise.
    """
    kinds = {"DUID-LLT": "0001", "DUID-EN/Vendor": "0002", "DUID-LL": "0003", "UUID": "0004", "DUID-UUID": "0004"}
    kind, _colon, digits = state.get("DHCP6_CLIENT_DUID", "").rpartition(":")
    if kind not in kinds or not re.fullmatch(r"[0-9a-fA-F]+", digits):
        return ""
    found = kinds[kind] + digits.lower()
    other = client_id[10:] if client_id.startswith("ff") else ""
    return other if other and found in (other, f"{other}0000") else found


def _iaid(state: dict[str, str], client_id: str) -> int | None:
    text = state.get("DHCP6_CLIENT_IAID", "")
    if text:
        return int(text, 0)
    return int(client_id[2:10], 16) if client_id.startswith("ff") and len(client_id) > 14 else None


def _read_values(path: str) -> dict[str, str]:
    try:
        lines = _read(path).splitlines()
    except OSError:
        return {}  # no such link, or no lease
    pairs = [line.partition("=") for line in lines if "=" in line and not line.startswith("#")]
    return {key: value.strip('"') for key, _equals, value in pairs}


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read()
