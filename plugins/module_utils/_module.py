# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What every module does at its edge: the libraries are checked, and each error becomes one sentence in the result."""

from __future__ import annotations

import contextlib
import traceback
import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import Connection, check_libraries, is_local
from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Host, read_host, read_links
from ansible_collections.kvmops.network.plugins.module_utils._edge.lock import host_lock
from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError, NetworkError

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from ansible.module_utils.basic import AnsibleModule

__all__ = ["changing_host", "command_runner", "only_writer", "run_libvirt_module", "run_module", "see_host", "see_links"]


def run_libvirt_module(module: AnsibleModule, work: t.Callable[[AnsibleModule], dict[str, t.Any]]) -> t.NoReturn:
    """Do the work of a module that needs libvirt, as run_module does, after a look whether it can be used."""

    def checked(module: AnsibleModule) -> dict[str, t.Any]:
        check_libraries()
        return work(module)

    run_module(module, checked)


def run_module(module: AnsibleModule, work: t.Callable[[AnsibleModule], dict[str, t.Any]]) -> t.NoReturn:
    """Do a module's work and end with its result, or fail with the sentence of its error."""
    try:
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


@contextlib.contextmanager
def changing_host(module: AnsibleModule) -> Iterator[Connection]:
    """Hold the lock of those who change a host's networks, and a connection; check mode changes nothing and needs no lock."""
    with only_writer(module), Connection(module.params["uri"]) as connection:
        yield connection


def only_writer(module: AnsibleModule) -> contextlib.AbstractContextManager[None]:
    """Return the lock of those who change a host's networks; check mode needs none."""
    timeout = module.params["lock_timeout"]
    if timeout < 0:
        raise InputError(f"lock_timeout: '{timeout}' is less than nothing; give seconds, 0 for not waiting.")
    return contextlib.nullcontext() if module.check_mode else host_lock(timeout)


def see_host(module: AnsibleModule) -> Host | None:
    """Return what the kernel shows, None with a warning where the daemon is that of another machine."""
    return read_host(command_runner(module)) if _is_here(module) else None


def see_links(module: AnsibleModule) -> Host | None:
    """Return the same without routes, which are two more commands."""
    return Host(links=read_links(command_runner(module))) if _is_here(module) else None


def _is_here(module: AnsibleModule) -> bool:
    uri = module.params["uri"]
    here = is_local(uri)
    if not here:
        module.warn(f"The daemon at {uri} is not this host's: its addresses, routes and interfaces are not checked.")
    return here


def command_runner(module: AnsibleModule) -> t.Callable[[list[str]], tuple[int, str, str]]:
    """Return what runs a command and returns its exit code, output and errors; it raises OSError for a missing one."""
    return lambda command: module.run_command(command, handle_exceptions=False)
