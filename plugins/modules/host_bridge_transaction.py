#!/usr/bin/python
# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_bridge_transaction
short_description: Confirm a change of a host's own network, take it back, or look at it
version_added: 0.1.0
author:
  - The kvmops.network authors (@kvmops)
description:
  - M(kvmops.network.host_bridge) changes a host's own network in a transaction, and the controller confirms it with this module,
    over a new connection. It can also be used by hand, to look at the last transaction, or to decide about one that still waits.
options:
  id:
    description:
      - The transaction that is meant. When omitted, the last one.
      - If the last one is another, the task fails.
    type: str
  state:
    description:
      - With V(confirmed), the change lasts from now on. This is refused while something of the host is not as wanted, or its
        router
        does not answer. A change that was confirmed stays so.
      - With V(reverted), it is taken back now. A change that was confirmed cannot be taken back by this.
      - With V(shown), nothing is changed.
    type: str
    choices: [confirmed, reverted, shown]
    default: shown
extends_documentation_fragment:
  - kvmops.network._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details:
      - What the change does was shown by the task that began it.
  idempotent:
    support: full
  platform:
    platforms: linux
    support: full
seealso:
  - module: kvmops.network.host_bridge
"""

EXAMPLES = r"""
- name: See whether a change still waits
  kvmops.network.host_bridge_transaction:

- name: Take back the change that waits, without waiting until it goes back by itself
  kvmops.network.host_bridge_transaction:
    state: reverted
"""

RETURN = r"""
transaction:
  description: The last transaction, V(null) where there was none.
  type: dict
  returned: always
  contains:
    id:
      description: Its number.
      type: str
      returned: always
      sample: 3f9a01c2
    bridge:
      description: The name of the bridge that it is about.
      type: str
      returned: always
      sample: br0
    state:
      description: V(armed) while it waits for being confirmed, V(reverting) while it goes back, V(confirmed), or V(reverted).
      type: str
      returned: always
      sample: confirmed
    applied:
      description: Whether the change has been made.
      type: bool
      returned: always
      sample: true
    left:
      description: The seconds that there are for confirming it.
      type: float
      returned: always
      sample: 41.5
    why:
      description: Why it went back, V(timeout), V(boot), V(failed) or V(asked), empty where it did not.
      type: str
      returned: always
      sample: timeout
    failure:
      description: The step that failed, empty where none did.
      type: str
      returned: always
      sample: run networkctl reload
    unfinished:
      description: What of the way back did not work.
      type: list
      elements: str
      returned: always
      sample: []
    log:
      description: What was done, line by line.
      type: list
      elements: str
      returned: always
      sample: ["10:41:07 the change begins"]
    seen:
      description: What the host saw of its links, addresses, routes and neighbours before it went back.
      type: list
      elements: str
      returned: always
      sample: ["br0              UP             192.0.2.10/24"]
missing:
  description: What was not as wanted, so that the change was not confirmed.
  type: list
  elements: str
  returned: when something was not
  sample: [the router 192.0.2.1 does not answer on br0]
"""

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._bridge.decision import run_transaction_task
from ansible_collections.kvmops.network.plugins.module_utils._bridge.options import TRANSACTION_OPTIONS


def main() -> t.NoReturn:
    """Confirm a change of a host's own network, take it back, or look at it."""
    run_transaction_task(TRANSACTION_OPTIONS)


if __name__ == "__main__":
    main()
