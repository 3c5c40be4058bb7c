# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""netplan's files: definitions of interfaces read from several of them, and lines taken out of one and put back.

What is taken out becomes comments, so that the rest of the file, its comments among it, stays as somebody has written it.
Reference: netplan(5). All scalars are texts here, as netplan itself has them: it knows what 1:2:3 or yes is to mean, not YAML.
"""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._bridge.backend import commented
from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError, RequirementError

try:
    import yaml
except ImportError:
    pass  # said by check_library

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    Definition = dict[str, t.Any]

__all__ = ["NotByLinesError", "check_library", "find", "merge", "parse", "put_back", "render", "take_out"]

_NO_DEFINITIONS = ("version", "renderer", "openvswitch")


class NotByLinesError(Exception):
    """A definition does not stand on lines of its own."""


def check_library() -> None:
    """Raise RequirementError where Python cannot read YAML."""
    if "yaml" not in globals():
        raise RequirementError(
            "netplan manages the uplink, and Python's library yaml, which reads its files, is not installed for the Python that "
            "runs modules on this host. Install it (on Debian and Ubuntu: apt install python3-yaml)."
        )


def parse(text: str, *, path: str) -> Definition:
    """Return what stands under `network` in a file. Raises InputError for what is no YAML."""
    try:
        found = yaml.load(text, Loader=yaml.BaseLoader)  # nothing but texts, lists and mappings
    except yaml.YAMLError as error:
        raise InputError(f"{path} cannot be understood: {' '.join(str(error).split())}. Correct it first.") from None
    network = found.get("network") if isinstance(found, dict) else None
    return network if isinstance(network, dict) else {}


def render(network: Definition, *, comment: str = "") -> str:
    """Return the text of a file that has this under `network`, after a comment of one or more lines."""
    body: str = yaml.safe_dump({"network": _typed(network)}, sort_keys=False, default_flow_style=False, width=1000)
    return commented(comment) + body


def _typed(value: t.Any) -> t.Any:
    """Return a value with numbers and truth where its texts say so, so that they are written without quotation marks."""
    if isinstance(value, dict):
        return {key: _typed(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_typed(entry) for entry in value]
    if value in ("true", "false"):
        return value == "true"
    is_number = isinstance(value, str) and value.isascii() and value.isdecimal() and (value == "0" or value[0] != "0")
    return int(value) if is_number else value


def merge(networks: Iterable[Definition]) -> Definition:
    """Return what netplan makes of several files: what comes later wins, and lists are put together."""
    merged: Definition = {}
    for network in networks:
        merged = _merged(merged, network)
    return merged


def _merged(first: t.Any, later: t.Any) -> t.Any:
    if isinstance(first, dict) and isinstance(later, dict):
        return {
            key: later[key] if key not in first else first[key] if key not in later else _merged(first[key], later[key])
            for key in dict.fromkeys([*first, *later])
        }
    if isinstance(first, list) and isinstance(later, list):
        return [*first, *(entry for entry in later if entry not in first)]
    return later


def find(network: Definition, name: str) -> tuple[str, Definition] | None:
    """Return of what kind a definition is ("ethernets", "bonds"), and what it says; None where there is none of this name."""
    for kind, definitions in network.items():
        if kind not in _NO_DEFINITIONS and isinstance(definitions, dict) and name in definitions:
            found = definitions[name]
            return kind, found if isinstance(found, dict) else {}
    return None


def take_out(text: str, name: str, *, mark: str, why: str, path: str) -> str:
    """Return a file's text with a definition made into comments that begin with a mark, after one that says why.

    The text is returned as it is where it has no such definition. Raises NotByLinesError where it cannot be taken out by lines.
    """
    if find(parse(text, path=path), name) is None:
        return text
    # a definition that somebody has written beside the one that is taken out already takes its place
    lines = [line for line in text.splitlines(keepends=True) if not line.startswith((f"{mark} ", f"{mark}|"))]
    first, end = _lines_of(lines, name)
    inner = [f"{mark} {line}" for line in lines[first:end]]
    if not inner[-1].endswith("\n"):
        inner[-1] += "\n"
    taken = "".join([*lines[:first], f"{mark}| {why}\n", *inner, *lines[end:]])
    try:
        rest = parse(taken, path=path)
    except InputError:
        raise NotByLinesError from None
    if not _is_rest(rest, parse(text, path=path), name):
        raise NotByLinesError
    return taken


def put_back(text: str, *, mark: str) -> str:
    """Return a file's text with what was taken out of it."""
    lines = [line for line in text.splitlines(keepends=True) if not line.startswith(f"{mark}|")]
    return "".join(line[len(mark) + 1 :] if line.startswith(f"{mark} ") else line for line in lines)


def _lines_of(lines: list[str], name: str) -> tuple[int, int]:
    """Return the first line of a definition, or of what has nothing else in it, and the one after its last."""
    try:
        top: t.Any = yaml.compose("".join(lines), Loader=yaml.BaseLoader)
    except yaml.YAMLError:
        raise NotByLinesError from None
    network = _entry(top, "network")
    kinds = [entry for entry in network[1].value if not isinstance(entry[1].value, str) and _has(entry[1], name)]
    chain = [(top, network), (network[1], kinds[0]), (kinds[0][1], _entry(kinds[0][1], name))]
    while len(chain) > 1 and len(chain[-1][0].value) == 1:
        chain.pop()
    if any(parent.flow_style for parent, _found in chain):
        raise NotByLinesError
    return _extent(lines, chain[-1][1][0].start_mark)


def _entry(mapping: t.Any, key: str) -> t.Any:
    return next(entry for entry in mapping.value if entry[0].value == key)


def _has(mapping: t.Any, key: str) -> bool:
    return any(isinstance(entry, tuple) and entry[0].value == key for entry in mapping.value)


def _extent(lines: list[str], start: t.Any) -> tuple[int, int]:
    if lines[start.line][: start.column].strip():
        raise NotByLinesError
    end = start.line + 1
    for number, line in enumerate(lines[end:], start=end):
        if not line.strip() or line.lstrip().startswith("#"):
            continue  # it belongs to what follows
        if len(line) - len(line.lstrip()) <= start.column:
            break
        end = number + 1
    return start.line, end


def _is_rest(rest: Definition, whole: Definition, name: str) -> bool:
    """Say whether nothing but a definition is missing, and what has nothing else in it."""
    kept = {
        kind: {key: value for key, value in found.items() if key != name} if isinstance(found, dict) else found
        for kind, found in whole.items()
    }
    return {kind: found for kind, found in kept.items() if found or not whole[kind]} == rest
