# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The real modules against libvirt's test driver, a whole libvirt within this process."""

from __future__ import annotations

import contextlib
import io
import json
import typing as t
from dataclasses import dataclass
from unittest import mock

import libvirt
import pytest
from ansible.module_utils import _internal
from ansible.module_utils.common import warnings as ansible_warnings
from ansible.module_utils.testing import patch_module_args

from ansible_collections.kvmops.network.plugins.modules import libvirt_network, libvirt_network_info, libvirt_networks

URI = "test:///default"


@dataclass(frozen=True)
class Result:
    """What a module ended with."""

    failed: bool
    changed: bool
    msg: str
    warnings: tuple[str, ...]
    data: dict[str, t.Any]

    @property
    def actions(self) -> list[str]:
        """The plan's steps, without their reasons."""
        return [action.partition(":")[0] for action in self.data["actions"]]

    @property
    def network(self) -> dict[str, t.Any]:
        """The network, as the module shows it."""
        found: dict[str, t.Any] = self.data["network"]
        return found

    @property
    def statuses(self) -> dict[str, str]:
        """What became of each network."""
        return {network["name"]: network["status"] for network in self.data["networks"]}

    @property
    def diff(self) -> dict[str, str] | None:
        """The texts before and after, None if there are none."""
        found: dict[str, str] | None = self.data.get("diff")
        return found

    @property
    def own_warnings(self) -> list[str]:
        """The warnings but the one that each run with the test driver gives."""
        return [warning for warning in self.warnings if "is not this host's" not in warning]


def run_main(main: t.Callable[[], t.NoReturn], options: dict[str, t.Any], *, check: bool = False, diff: bool = True) -> Result:
    """Run the main() of a module that talks to libvirt as Ansible does."""
    return run_module(main, {"uri": URI, **options}, check=check, diff=diff)


def run_module(main: t.Callable[[], t.NoReturn], options: dict[str, t.Any], *, check: bool, diff: bool) -> Result:
    """Run a module's main() as Ansible does."""
    # Ansible runs each module in a process of its own, on the managed host
    output = io.StringIO()
    ansible_warnings._global_warnings.clear()
    arguments = {**options, "_ansible_check_mode": check, "_ansible_diff": diff}
    on_the_host = mock.patch.object(_internal, "is_controller", False)
    with on_the_host, patch_module_args(arguments), contextlib.redirect_stdout(output), pytest.raises(SystemExit) as ended:
        main()
    data = json.loads(output.getvalue())
    failed = bool(data.get("failed", False))
    assert ended.value.code == int(failed)
    return Result(
        failed=failed,
        changed=bool(data.get("changed", False)),
        msg=data.get("msg", ""),
        warnings=tuple(str(warning) for warning in ansible_warnings.get_warning_messages()),
        data=data,
    )


def network_task(*, check: bool = False, diff: bool = True, **options: t.Any) -> Result:
    """Run the module libvirt_network, whether it fails or not."""
    return run_main(libvirt_network.main, options, check=check, diff=diff)


def networks_task(*networks: dict[str, t.Any], check: bool = False, diff: bool = True, **options: t.Any) -> Result:
    """Run the module libvirt_networks, whether it fails or not."""
    return run_main(libvirt_networks.main, {"networks": list(networks), **options}, check=check, diff=diff)


def apply_all(*networks: dict[str, t.Any], **options: t.Any) -> Result:
    """Run a task over several networks that has to succeed."""
    result = networks_task(*networks, **options)
    assert not result.failed, result.msg
    return result


def apply(**options: t.Any) -> Result:
    """Run a task that has to succeed."""
    result = network_task(**options)
    assert not result.failed, result.msg
    return result


def predict(**options: t.Any) -> Result:
    """Run a task that has to succeed, in check mode."""
    return apply(check=True, **options)


def network_info(*, check: bool = False, **options: t.Any) -> list[dict[str, t.Any]]:
    """Run the module libvirt_network_info, and return its networks."""
    result = run_main(libvirt_network_info.main, options, check=check)
    assert not result.failed, result.msg
    assert not result.changed
    found: list[dict[str, t.Any]] = result.data["networks"]
    return found


# --- the other side, judged without our own code ------------------------------------------------------------------------------


def snapshot(connection: libvirt.virConnect) -> dict[str, tuple[str, int, int, int]]:
    """Return all that the driver knows of its networks."""
    return {
        network.name(): (network.XMLDesc(0), network.isActive(), network.isPersistent(), network.autostart())
        for network in connection.listAllNetworks()
    }


def dump(connection: libvirt.virConnect, name: str) -> str:
    """Return a network as libvirt writes it."""
    text: str = connection.networkLookupByName(name).XMLDesc(0)
    return text


def clear_guests(connection: libvirt.virConnect) -> None:
    """Remove all guests."""
    for domain in connection.listAllDomains():
        persistent = domain.isPersistent()
        if domain.isActive():
            domain.destroy()
        if persistent:
            domain.undefine()


def clear(connection: libvirt.virConnect) -> None:
    """Remove all guests and networks."""
    clear_guests(connection)
    for network in connection.listAllNetworks():
        persistent = network.isPersistent()
        if network.isActive():
            network.destroy()
        if persistent:
            network.undefine()
    assert snapshot(connection) == {}


GUEST_XML = """
<domain type='test'>
  <name>{name}</name>
  <memory unit='KiB'>8192</memory>
  <os><type>hvm</type></os>
  <devices>{nics}</devices>
</domain>
"""


def start_guest(connection: libvirt.virConnect, name: str, *networks: str) -> None:
    """Start a transient guest with a NIC in each of the networks."""
    nics = "".join(f"<interface type='network'><source network='{network}'/></interface>" for network in networks)
    connection.createXML(GUEST_XML.format(name=name, nics=nics), 0)
