# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What every module does at its edge: the libraries are checked, and each error becomes one sentence in the result."""

from __future__ import annotations

import traceback
import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import check_libraries
from ansible_collections.kvmops.network.plugins.module_utils._errors import NetworkError

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

__all__ = ["run_module"]


def run_module(module: AnsibleModule, work: t.Callable[[AnsibleModule], dict[str, t.Any]]) -> t.NoReturn:
    """Do a module's work and end with its result, or fail with the sentence of its error."""
    try:
        check_libraries()
        result = work(module)
    except NetworkError as error:
        module.fail_json(msg=str(error), **error.details)
    except Exception as error:  # a mistake in this collection: its authors need to know where
        where = traceback.extract_tb(error.__traceback__)[-1]
        module.fail_json(
            msg=f"This should not have happened, please report it: {error!r} in {where.name} ({where.filename}:{where.lineno})",
            exception=traceback.format_exc(),
        )
    module.exit_json(**result)
