# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter guest_id."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._guest import names

DOCUMENTATION = r"""
name: guest_id
short_description: Get what a guest's network and bridge are called by
version_added: 0.1.0
author:
  - The kvmops.network authors (@kvmops)
description:
  - Returns the name of a guest without C(wso-) at the front. A name that does not begin so is returned as it is.
  - Fails with a sentence if the name is none that libvirt, DNS and the guest itself can bear.
options:
  _input:
    description:
      - The guest's name. Letters, digits, C(-) and C(.), a letter first, at most 63 characters.
    type: str
    required: true
seealso:
  - ref: ansible_collections.kvmops.network.docsite.guests_from_names_guide
    description: How a guest's name leads to its address, its network and its bridge.
  - plugin: kvmops.network.guest_network_name
    plugin_type: filter
  - plugin: kvmops.network.guest_bridge_name
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show the id of a guest, 3332a2
  ansible.builtin.debug:
    msg: "{{ 'wso-3332a2' | kvmops.network.guest_id }}"
"""

RETURN = r"""
_value:
  description: The id.
  type: str
  sample: 3332a2
"""


def guest_id(name: object) -> str:
    """Return the id of the guest of this name."""
    try:
        return names.guest_id(names.check_guest_name(name))
    except InputError as error:
        raise AnsibleFilterError(str(error)) from None


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters of this file by name."""
        return {"guest_id": guest_id}
