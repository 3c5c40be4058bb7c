# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The files that configure a guest's network from within, as they are and as they shall be. It reads, and changes nothing."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.kvmops.network.plugins.module_utils._edge.files import read_files
from ansible_collections.kvmops.network.plugins.module_utils._edge.images import check_own_directory
from ansible_collections.kvmops.network.plugins.module_utils._edge.seed import check_xorriso, read_seed
from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._file_changes import FileChange
from ansible_collections.kvmops.network.plugins.module_utils._guest.configuration import Configuration
from ansible_collections.kvmops.network.plugins.module_utils._guest.files import (
    SeedChange,
    script_path,
    seed_path,
)
from ansible_collections.kvmops.network.plugins.module_utils._guest.result import address_of, nic_of
from ansible_collections.kvmops.network.plugins.module_utils._network.dhcp_hosts import home_of

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._guest.definition import GuestDefinition
    from ansible_collections.kvmops.network.plugins.module_utils._guest.plan import GuestPlan
    from ansible_collections.kvmops.network.plugins.module_utils._guest.survey import GuestSurvey

__all__ = ["plan_configuration"]


def plan_configuration(survey: GuestSurvey, plan: GuestPlan) -> None:
    """Say which files are written. Raises InputError where there is no address to write into them."""
    request, after = plan.request, plan.after
    configuration = request.configuration
    if configuration is None or after is None or after.mark is None:
        return
    _check_place(plan, after)
    check_own_directory("configuration.directory", configuration.directory)
    network = survey.networks[request.nic["source"]["network"]] if request.nic is not None else None
    address = address_of(survey, plan)
    entry = home_of(network.definition or {}, address) if network is not None and address is not None else None
    if address is None or entry is None:
        raise InputError(
            f"configuration: the guest '{request.name}' has no reserved IPv4 address that could be written into it; "
            "give address, or leave configuration out."
        )
    files = _configure(
        hostname=request.name,
        mac=nic_of(survey, plan) or "",
        address=f"{address}/{entry['prefix']}",
        gateway=entry["address"],
        nameservers=configuration.nameservers,
    )
    path = script_path(configuration.directory, request.name)
    _plan_script(plan, path, files.script)
    seed = ""
    if configuration.seed:
        seed = seed_path(configuration.directory, request.name)
        _plan_seed(survey, plan, seed, files.seed())
    elif after.seed:
        plan.removed.append(after.seed)
        plan.add("remove", after.seed)
    plan.after = replace(after, seed=seed, mark=replace(after.mark, script=path, seed=seed))


def _configure(**values: t.Any) -> Configuration:
    try:
        return Configuration.read(**values)
    except InputError as error:
        raise InputError(f"configuration.{error}") from None


def _check_place(plan: GuestPlan, after: GuestDefinition) -> None:
    configuration = plan.request.configuration
    there = after.mark.script.rpartition("/")[0] if after.mark is not None else ""
    if configuration is not None and there and there != configuration.directory.rstrip("/"):
        raise InputError(
            f"configuration.directory: the files of the guest '{plan.request.name}' are in {there}, not in "
            f"{configuration.directory}; leave them there, or make the guest anew."
        )


def _plan_script(plan: GuestPlan, path: str, text: str) -> None:
    before = read_files([path])[path]
    if before != text.encode():
        plan.files.append(FileChange(path, before, text.encode()))
        plan.add("write", f"{path}, the script that configures the guest's network")


def _plan_seed(survey: GuestSurvey, plan: GuestPlan, path: str, files: dict[str, str]) -> None:
    check_xorriso(survey.run)
    wanted = {name: text.encode() for name, text in files.items()}
    before = read_seed(survey.run, path)
    if before != wanted:
        plan.seed = SeedChange(path, before, wanted)
        plan.add("make CD-ROM", f"{path}, from which cloud-init configures the guest's network")
