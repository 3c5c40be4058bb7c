# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""A guest's name, and what is called after it. Nothing here touches a host."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._network.topics.names import interface_problem

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "bridge_name",
    "check_guest_name",
    "guest_id",
    "network_name",
    "refuse_shared_bridges",
    "refuse_shared_hostnames",
]

_PREFIX = "wso-"
_NETWORK = "wso-net-"
_BRIDGE = "virbr"
_LONGEST_BRIDGE = 15  # bytes; IFNAMSIZ of the kernel, without the null at the end
_CUT = 8  # what is left of an id that is too long for its bridge
_LONGEST_NAME = 63  # characters; DNS allows as many between dots, and the kernel one more for a host's whole name
_HOSTNAME = re.compile(r"[A-Za-z]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*")
# libvirt names bridges virbr0 to virbr256 where nobody did, see MAX_BRIDGE_ID in its bridge_driver.c.
_LIBVIRTS_OWN = re.compile(r"0|[1-9][0-9]{0,2}")


def check_guest_name(name: object) -> str:
    """Return the name of a guest. Raises InputError where libvirt, DNS or a host's name would not bear it.

    The name becomes a part of networks' names and files, the guest's own hostname, and the one by which its network's DNS knows
    it, so that it is held to the strictest of them.
    """
    if not isinstance(name, str):
        raise InputError(f"The guest's name {name!r} is no text; put it in quotes.")
    if not name:
        raise InputError("The guest's name is empty; give one, such as wso-3332a2.")
    if len(name) > _LONGEST_NAME:
        raise InputError(
            f"The guest's name {name[:20] + '…'!r} has {len(name)} characters, and a host's name has {_LONGEST_NAME} at most; "
            "choose a shorter one."
        )
    if not _HOSTNAME.fullmatch(name):
        raise InputError(
            f"The guest's name {name!r} cannot be a host's name; use letters, digits, '-' and '.', a letter first, and a letter "
            "or digit beside each '.' and at the end."
        )
    if name.lower() in ("localhost", "localhost.localdomain"):
        raise InputError(f"The guest's name {name!r} means each host itself in DNS; choose another one.")
    return name


def guest_id(name: str) -> str:
    """Return what a guest's network and bridge are called by: its name without `wso-` at the front."""
    checked = check_guest_name(name)
    return checked[len(_PREFIX) :] if checked.startswith(_PREFIX) else checked


def network_name(identity: str) -> str:
    """Return the name of a guest's own network, from the guest's id."""
    return _NETWORK + identity


def bridge_name(identity: str) -> str:
    """Return the name of the bridge of a guest's own network, from the guest's id.

    An id that is too long is cut, so that two of them may get one bridge, see refuse_shared_bridges(). Small numbers get a `-`
    before them, since libvirt gives virbr0, virbr1 and so on to networks whose bridge nobody named. Raises InputError where the
    kernel would not take the name.
    """
    fits = len(_BRIDGE + identity) <= _LONGEST_BRIDGE
    name = _BRIDGE + ("-" if _LIBVIRTS_OWN.fullmatch(identity) else "") + (identity if fits else identity[:_CUT])
    problem = interface_problem(name)
    if problem or not identity:
        raise InputError(f"The name {name!r} of a bridge {problem or 'has nothing of the guest in it; give the guest an id'}.")
    return name


def refuse_shared_hostnames(names: Iterable[str]) -> None:
    """Raise InputError if two of a host's guests would have one hostname. A name that is there twice is one guest."""
    for one, other in _meeting(names, str.lower):
        raise InputError(
            f"The guests '{one}' and '{other}' differ in upper and lower case alone, which DNS does not tell apart; give one of "
            "them another name."
        )


def refuse_shared_bridges(names: Iterable[str]) -> None:
    """Raise InputError if two of a host's guests would have one network or bridge. A name that is there twice is one guest."""
    known = list(names)
    for one, other in _meeting(known, guest_id):
        raise InputError(
            f"The guests '{one}' and '{other}' would both have the network '{network_name(guest_id(one))}'; give one of them "
            "another name."
        )
    for one, other in _meeting(known, lambda name: bridge_name(guest_id(name))):
        raise InputError(
            f"The guests '{one}' and '{other}' would both have the bridge '{bridge_name(guest_id(one))}', since of an id that is "
            f"longer than {_LONGEST_BRIDGE - len(_BRIDGE)} characters the first {_CUT} count; give one of them another name."
        )


def _meeting(names: Iterable[str], key: t.Callable[[str], str]) -> Iterator[tuple[str, str]]:
    """Return pairs of different names that have one key, in the order of the names."""
    first: dict[str, str] = {}
    for name in dict.fromkeys(names):
        earlier = first.setdefault(key(name), name)
        if earlier != name:
            yield earlier, name
