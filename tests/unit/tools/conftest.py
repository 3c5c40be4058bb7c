# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""The tools are programs of their own and not part of the collection: their folder has to be put on the path."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

if sys.version_info < (3, 11):  # they run on the machine of a developer, not on a managed host
    collect_ignore_glob = ["test_*.py"]
