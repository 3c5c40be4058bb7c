# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""A hook for tests of what is left where a module is killed: it does nothing unless an environment variable says so."""

from __future__ import annotations

import os
import signal
import typing as t

__all__ = ["kill_point"]

_VARIABLE = "KVMOPS_NETWORK_KILL_AT"


class _Passed:
    """How many of them were passed by this process."""

    count: t.ClassVar[int] = 0


def kill_point() -> None:
    """Be killed, if this is the kill point whose number the environment says; the first one has the number 1.

    There is one before each thing that is done to networks and to the bridge's ports, also where something is put back.
    """
    _Passed.count += 1
    if os.environ.get(_VARIABLE) == str(_Passed.count):
        os.kill(os.getpid(), signal.SIGKILL)
