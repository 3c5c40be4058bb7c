# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.
"""Whether cloud-init writes this host's network configuration."""

from __future__ import annotations

import glob
import os
import re

from ansible_collections.kvmops.network.plugins.module_utils._edge.files import read_text

__all__ = ["writes_network"]

_FOLDER = "/etc/cloud"
# in braces, or as a line of its own under `network`
_DISABLED = re.compile(
    r"""^network:(?:\s*\{\s*|(?:\s*(?:\#.*)?\n)+[ ]+)["']?config["']?\s*:\s*["']?disabled""",
    re.MULTILINE,
)


def writes_network(folder: str = _FOLDER) -> bool:
    """Return whether cloud-init is there and may write the network's configuration, as it does for a new instance."""
    settings = f"{folder}/cloud.cfg"
    if not os.path.exists(settings) or os.path.exists(f"{folder}/cloud-init.disabled"):
        return False
    return not any(_DISABLED.search(read_text(path)) for path in [settings, *glob.glob(f"{folder}/cloud.cfg.d/*.cfg")])
