# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.
"""netplan: one file of its own makes the bridge, and the uplink's definition becomes comments in the files that it is in.

netplan puts all files together, and none can take back what another one says of an interface. Which of its renderers manages the
interface decides how links and addresses are moved. Reference: netplan(5).
"""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.kvmops.network.plugins.module_utils._bridge import netplan_text
from ansible_collections.kvmops.network.plugins.module_utils._bridge.backend import Expected
from ansible_collections.kvmops.network.plugins.module_utils._bridge.netplan_definition import (
    addresses_of,
    asks_servers,
    definition_of,
    gateways_of,
    make_bridge,
    make_port,
)
from ansible_collections.kvmops.network.plugins.module_utils._bridge.netplan_renderers import RENDERERS
from ansible_collections.kvmops.network.plugins.module_utils._errors import RefusedError

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.backend import Command, Files, Move
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.netplan_renderers import Renderer
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.record import Record
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.request import Request

__all__ = ["Netplan", "origin_text"]

_FOLDER = "/etc/netplan"
_GENERATE: Command = ("netplan", "generate")


class Netplan:
    """The back end netplan, on one of its renderers."""

    name = "netplan"
    title = "netplan"
    sets_name_servers = True
    at_boot: tuple[Command, ...] = (_GENERATE,)
    shared_patterns = (f"{_FOLDER}/*.yaml",)

    def __init__(self, renderer: Renderer) -> None:
        """Keep the renderer."""
        self._renderer = renderer
        self.tools = ("netplan", *renderer.tools)
        self.takes_leases_over = renderer.takes_leases_over

    def variant(self, record: Record) -> Netplan:
        """Return the back end on the renderer that manages the uplink."""
        _kind, definition = definition_of(record.origin)
        return Netplan(RENDERERS[definition["renderer"]])

    def files(self, record: Record, request: Request) -> dict[str, str]:
        """Return the text of netplan's file, and of what netplan cannot say by itself."""
        netplan_text.check_library()
        kind, definition = definition_of(record.origin)
        _check_definition(record, definition)
        bridge = make_bridge(record, request, definition)
        more = self._renderer.more(record, request, definition, bridge)
        network = {
            "version": "2",
            kind: {record.origin.name: {**make_port(record, request, definition), **more.port}},
            "bridges": {record.name: {**bridge, **more.bridge}},
        }
        return {_path(record): netplan_text.render(network, comment=_comment(record)), **more.files}

    def owned_paths(self, record: Record) -> list[str]:
        """Return the path of netplan's file, and those of what netplan cannot say by itself."""
        return [_path(record), *self._renderer.owned_paths(record)]

    def early_paths(self, _move: Move, changed: t.Sequence[str]) -> list[str]:
        """Return all of netplan's files: it has written the renderer's when links and addresses are moved."""
        return [path for path in changed if path.startswith("/etc/")]

    def taken_out(self, record: Record, files: Files) -> dict[str, str]:
        """Return the text of the files that define the uplink, without that."""
        return {path: _take_out(record, path, text) for path, text in _shared(record, files).items()}

    def put_back(self, record: Record, files: Files) -> dict[str, str]:
        """Return the text of the files that the uplink's definition was taken out of, with it, wherever it is now."""
        texts = {path: netplan_text.put_back(text, mark=_mark(record)) for path, text in _shared(record, files).items()}
        found = netplan_text.merge(netplan_text.parse(text, path=path) for path, text in texts.items())
        if netplan_text.find(found, record.origin.name) is None:
            # somebody has removed it: it comes back beside what is there now
            path = record.origin.path if files.get(record.origin.path) is None else f"{_FOLDER}/60-{record.origin.name}.yaml"
            texts[path] = record.origin.text
        return texts

    def as_it_is_now(self, record: Record, files: Files) -> Record:
        """Return the record with the uplink's definition as it is put back."""
        texts = self.put_back(record, files)
        network = netplan_text.merge(netplan_text.parse(texts[path], path=path) for path in sorted(texts))
        _kind, before = definition_of(record.origin)
        text = origin_text(network, record.origin.name, like=before)
        return replace(record, origin=replace(record.origin, text=text))

    def expected(self, record: Record, request: Request) -> Expected:
        """Return what the bridge's definition says of its addresses."""
        _kind, definition = definition_of(record.origin)
        bridge = make_bridge(record, request, definition)
        return Expected(addresses=addresses_of(bridge), dhcp=asks_servers(bridge), gateways=gateways_of(bridge))

    def prepare(self, move: Move) -> list[Command]:
        """Return the renderer's commands, and the one that makes netplan write its files."""
        begin = self._renderer.prepare(move)
        return [*begin, _GENERATE] if move.to_bridge and self._renderer.begins_before else [_GENERATE, *begin]

    def activate(self, move: Move) -> list[Command]:
        """Return the commands that make the renderer follow its files."""
        return self._renderer.activate(move)


def origin_text(network: dict[str, t.Any], name: str, *, like: dict[str, t.Any]) -> str:
    """Return the text that remembers a definition, with the renderer and the profile that are in use."""
    found = netplan_text.find(network, name)
    kind, definition = found if found is not None else ("ethernets", {})
    known = {key: like[key] for key in ("renderer", "networkmanager") if key in like}
    own = {key: value for key, value in definition.items() if key not in known}
    if "networkmanager" in known:
        known["networkmanager"] = {**definition.get("networkmanager", {}), **known["networkmanager"]}
    return netplan_text.render({"version": "2", kind: {name: {**own, **known}}})


def _check_definition(record: Record, definition: dict[str, t.Any]) -> None:
    match = definition.get("match", {})
    name = match.get("name", "")
    if match and "macaddress" not in match and name != record.uplink and "set-name" not in definition:
        what = f"name: {name}" if name else "a driver alone"
        raise RefusedError(
            f"netplan's definition {record.origin.name} matches by {what}, and all interfaces that it matches would become "
            f"ports of {record.name}. Give {record.uplink} a definition of its own first, with {record.uplink} as its name."
        )


def _path(record: Record) -> str:
    return f"{_FOLDER}/90-kvmops-{record.name}.yaml"


def _mark(record: Record) -> str:
    return f"#kvmops-{record.name}"


def _comment(record: Record) -> str:
    return (
        f"Written by the Ansible module kvmops.network.host_bridge: {record.uplink} as the port of {record.name}.\n"
        "Changes are found and undone by its next run, and all goes with state: absent. What the definition of\n"
        f"{record.origin.name} was before is in comments in the file where it was, {record.origin.path}."
    )


def _shared(record: Record, files: Files) -> dict[str, str]:
    """Return netplan's files that are not this bridge's own, in the order in which netplan reads them."""
    return {
        path: content.decode(errors="surrogateescape")
        for path, content in sorted(files.items())
        if content is not None and path.startswith(f"{_FOLDER}/") and path != _path(record)
    }


def _take_out(record: Record, path: str, text: str) -> str:
    why = (
        f"host_bridge: {record.uplink} is a port of {record.name}, see {_path(record)}. These lines come back with state: absent."
    )
    try:
        return netplan_text.take_out(text, record.origin.name, mark=_mark(record), why=why, path=path)
    except netplan_text.NotByLinesError:
        raise RefusedError(
            f"{path} defines {record.origin.name} in a way that cannot be taken out line by line: in braces, or with an anchor "
            "that others use. Write the definition as lines of its own first."
        ) from None
