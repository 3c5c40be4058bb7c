# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Whether ifupdown configures a link of this host."""

from __future__ import annotations

import glob
import os
import re
import typing as t

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.links import Device

__all__ = ["manages"]

_FILES = ("/etc/network/interfaces", "/etc/network/interfaces.d/*")
_PROGRAMS = ("/usr/sbin/ifup", "/sbin/ifup")


def manages(device: Device) -> bool:
    """Return whether ifupdown is installed and has a stanza for the link."""
    if not any(os.path.exists(program) for program in _PROGRAMS):
        return False
    stanza = re.compile(rf"^\s*iface\s+{re.escape(device.name)}\s", re.MULTILINE)
    return any(stanza.search(_read(path)) for pattern in _FILES for path in glob.glob(pattern))


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
