# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection.

"""The attributes that every module states its support of."""

from __future__ import annotations


class ModuleDocFragment:
    """Descriptions of the attributes; each module says what it supports."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode, and predicts what a real run does without touching anything.
  diff_mode:
    description: Returns what has changed, or would change in check mode, when run with C(--diff).
  idempotent:
    description: A second run with the same options changes nothing.
  platform:
    description: The systems that the module can manage.
"""

    LIBVIRT = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/kvmops.network.libvirt) in C(module_defaults) to set defaults for all modules of this group.
    support: full
    membership:
      - kvmops.network.libvirt
"""

    INFO_MODULE = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - This module reads only.
  diff_mode:
    support: N/A
    details:
      - This module reads only.
  idempotent:
    support: full
    details:
      - This module reads only.
"""
