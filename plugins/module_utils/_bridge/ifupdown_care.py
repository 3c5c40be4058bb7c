# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What of a host's files of ifupdown would make a bridge go wrong, and is refused."""

from __future__ import annotations

import fnmatch
import os.path
import re
import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._bridge.interfaces_file import stanzas_of
from ansible_collections.kvmops.network.plugins.module_utils._errors import RefusedError

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from ansible_collections.kvmops.network.plugins.module_utils._bridge.interfaces_file import Stanza

__all__ = ["check_stanzas", "takes_file"]

_METHODS = {"inet": ("static", "manual", "dhcp"), "inet6": ("static", "manual", "dhcp", "auto")}
_FOLDER_NAME = re.compile(r"[a-zA-Z0-9_-]+")  # of files that source-directory takes


def takes_file(stanza: Stanza, path: str, *, folder: str) -> bool:
    """Return whether a line of a file in `folder` has ifupdown read the file of a path.

    `source` has a pattern of the shell, in which * stands for no slash; `source-directory` a folder.
    """
    if stanza.keyword not in ("source", "source-directory", "source-dir"):
        return False
    for word in stanza.words:
        pattern = os.path.normpath(os.path.join(folder, word))
        if stanza.keyword == "source":
            parts, wanted = pattern.split("/"), path.split("/")
            if len(parts) == len(wanted) and all(fnmatch.fnmatchcase(part, one) for part, one in zip(wanted, parts)):
                return True
        elif fnmatch.fnmatchcase(os.path.dirname(path), pattern) and _FOLDER_NAME.fullmatch(os.path.basename(path)):
            return True
    return False


def check_stanzas(stanzas: Iterable[Stanza], *, uplink: str, bridge: str) -> None:
    """Raise RefusedError for what of all files of a host cannot be had with a bridge over the uplink."""
    every = tuple(stanzas)
    if stanzas_of(every, bridge):
        raise RefusedError(
            f"name: ifupdown's files have a stanza for {bridge} already, which was not made by host_bridge. Choose another name, "
            "or take the stanza out."
        )
    for stanza in every:
        if stanza.keyword == "mapping" and any(fnmatch.fnmatchcase(uplink, pattern) for pattern in stanza.words):
            raise RefusedError(
                f"ifupdown has a mapping for {uplink} ('mapping {' '.join(stanza.words)}'), so that its script decides what is "
                f"configured. Take {uplink} out of it, and write down its configuration as 'iface {uplink}'."
            )
        if stanza.keyword == "iface" and stanza.name.startswith(f"{uplink}:"):
            raise RefusedError(
                f"ifupdown has the alias {stanza.name}, which would be an address of the port. Make it a second stanza "
                f"'iface {uplink}' first: an interface may have several."
            )
    for stanza in stanzas_of(every, uplink):
        _check_stanza(stanza, uplink)


def _check_stanza(stanza: Stanza, uplink: str) -> None:
    line = " ".join((stanza.keyword, *stanza.words))
    if "inherits" in stanza.words:
        raise RefusedError(
            f"'{line}' takes its options from another stanza, which cannot be followed. Write all of them down in one stanza "
            "first."
        )
    if stanza.method not in _METHODS.get(stanza.family, ()):
        raise RefusedError(
            f"'{line}' cannot be moved to a bridge: the methods that can are {', '.join(_METHODS['inet'])}, and auto for inet6."
        )
    for key, _value in stanza.options:
        if key.replace("_", "-").startswith(("wpa-", "wireless-")):
            raise RefusedError(
                f"'{line}' has the option {key}, and neither Wi-Fi nor its kind of login works over a bridge's port. Take it out "
                "of there first, or use another interface."
            )
    if stanza.values("pointopoint"):
        raise RefusedError(
            f"'{line}' has the option pointopoint, and a bridge has no single other end. Give {uplink} an address in a subnet "
            "first."
        )
