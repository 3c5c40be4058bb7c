# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection.

"""Documentation shared by the modules that talk to libvirt."""

from __future__ import annotations


class ModuleDocFragment:
    """Options, requirements and notes of a libvirt connection."""

    # Must be kept in sync with CONNECTION_OPTIONS in plugins/module_utils/_edge/daemon.py
    DOCUMENTATION = r"""
options:
  uri:
    description:
      - The libvirt daemon to talk to, as seen from the managed host.
      - V(qemu:///system) is right also where libvirt is split into modular daemons. It is C(virtqemud) then, which asks
        C(virtnetworkd) by itself. The latter alone (V(network:///system)) knows no guests, and is refused.
      - With a daemon on another machine or libvirt's test driver, the checks that need the host itself (its addresses,
        routes and interfaces) are skipped, with a warning.
    type: str
    default: qemu:///system
requirements:
  - libvirt 7.0 or later
  - libvirt-python (C(python3-libvirt))
  - lxml (C(python3-lxml))
"""
