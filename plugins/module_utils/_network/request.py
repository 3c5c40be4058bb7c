# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What a task asks for, checked as far as the task alone tells. Nothing here touches a host."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._format.tree import coerce
from ansible_collections.kvmops.network.plugins.module_utils._network.definition import (
    carry_identity,
    definition_from_options,
    definition_from_xml,
    merge_definitions,
    subnet_of,
)
from ansible_collections.kvmops.network.plugins.module_utils._network.elements import IPS_ENTRY
from ansible_collections.kvmops.network.plugins.module_utils._network.mark import find_foreign_mark, order_fragment
from ansible_collections.kvmops.network.plugins.module_utils._network.options import DEFINITION_OPTIONS
from ansible_collections.kvmops.network.plugins.module_utils._network.plan import Wanted
from ansible_collections.kvmops.network.plugins.module_utils._network.pools import Choice, Wish, place_entry, read_wish
from ansible_collections.kvmops.network.plugins.module_utils._network.rules import find_new, find_oddities, find_problems
from ansible_collections.kvmops.network.plugins.module_utils._network.topics.addresses import reserved_twice

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ansible_collections.kvmops.network.plugins.module_utils._network.definition import Subnet
    from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState

    Definition = dict[str, t.Any]

__all__ = ["NetworkRequest", "label_of"]


def label_of(name: str) -> str:
    """Return how messages call a network."""
    return f"The network '{name}'"


@dataclass(frozen=True)
class NetworkRequest:
    """One network as a task asks for it.

    `given` is what the task says of the definition, None if it says nothing. It does not have the entries of `ips` for which
    there are `wishes`, by their numbers: their subnets are still to be chosen.
    """

    name: str
    state: t.Literal["active", "present", "inactive", "absent"]
    autostart: bool | None = None
    given: Definition | None = None
    uuid: str | None = None
    replace: bool = False
    purge_hosts: bool = False
    force: bool = False
    restart: t.Literal["if_idle", "always", "never"] = "if_idle"
    allow_overlap: tuple[str, ...] = ()
    pruned: bool = False
    wishes: Mapping[int, Wish] = field(default_factory=dict)
    options: Mapping[str, t.Any] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def from_options(cls, options: Mapping[str, t.Any]) -> NetworkRequest:
        """Return the request of a task. Raises InputError if its options cannot be."""
        wishes = _read_wishes(options)
        return cls(
            name=options["name"],
            state=options["state"],
            autostart=options["autostart"],
            given=_read_definition(_without_wishes(options, wishes)),
            uuid=_read_uuid(options),
            replace=options["xml"] is not None or options["definition"] == "replace",
            purge_hosts=options["purge_hosts"],
            force=options["force"],
            restart=options["restart"],
            allow_overlap=tuple(options["allow_overlap"]),
            wishes=wishes if options["state"] != "absent" else {},
            options=options,
        )

    @classmethod
    def pruning(cls, name: str, *, force: bool) -> NetworkRequest:
        """Return the request that a network that the task does not name be absent."""
        return cls(name=name, state="absent", force=force, pruned=True)

    @property
    def xml(self) -> str | None:
        """The document that the task gives, if it gives one."""
        text: str | None = self.options.get("xml")
        return text

    def named_subnets(self) -> list[Subnet]:
        """Return the subnets that the task itself names for a network that shall be there."""
        if self.given is None or self.state == "absent":
            return []
        return [subnet_of(entry) for entry in self.given.get("ips", []) + self.given.get("routes", []) if "prefix" in entry]

    def with_choices(self, choices: Mapping[int, Choice]) -> NetworkRequest:
        """Return the request with a subnet for each wish."""
        return replace(self, given=_read_definition(_with_choices(self.options, choices)), wishes={})

    def wanted(self, before: NetworkState, *, known: Iterable[str]) -> Wanted:
        """Return what is wanted, given what is there. `known` are the names of all networks.

        Raises InputError if the definition that follows cannot be.
        """
        definition = None
        if self.given is not None and self.state != "absent":
            definition = merge_definitions(before.definition, self.given, replace=self.replace, purge_hosts=self.purge_hosts)
            if before.live is not None:
                # where the stored definition has no bridge of its own, the running one may have
                definition = carry_identity(definition, before.live)
            mark = find_foreign_mark(definition)
            if mark is not None and mark not in (before.definition or {}).get("metadata", []):
                raise InputError(f"metadata: '{mark}' is the mark of another network that this collection made; leave it out.")
            problems = find_new(self._find_mistakes, definition, before.definition)
            if self.xml is not None:
                problems += _find_clashes(definition, self.given, before.definition or {})
            if problems:
                raise InputError(" ".join(dict.fromkeys(problems)))
        elif not before.exists and self.state != "absent":
            names = ", ".join(sorted(known)) or "none"
            raise InputError(
                f"name: the network '{self.name}' does not exist, and the task has no definition to create it from. The networks "
                f"of this host are: {names}. Correct the name, or add forward, ips, bridge or xml."
            )
        if self.state == "absent" and self.uuid is not None and before.definition is not None:
            current = before.definition.get("uuid")
            if current != self.uuid:
                raise InputError(
                    f"uuid: the network '{self.name}' has {current}, not '{self.uuid}'; it is another one. Correct name or uuid."
                )
        return Wanted(
            state=self.state,
            definition=definition,
            autostart=self.autostart,
            force=self.force,
            purge_hosts=self.purge_hosts,
            pruned=self.pruned,
            restart=self.restart,
        )

    def _find_mistakes(self, definition: Definition) -> list[str]:
        """Return what is wrong. What libvirt takes is taken of a document; of options, what can hardly be meant is wrong too."""
        return find_problems(definition) + (find_oddities(definition) if self.xml is None else [])


def _find_clashes(definition: Definition, *parts: Definition) -> list[str]:
    """Return where reservations of a document say the same as others that the network has, and none of the parts does alone."""
    known = [sentence for part in parts for sentence in reserved_twice(part)]
    return [sentence for sentence in reserved_twice(definition) if sentence not in known]


def _read_wishes(options: Mapping[str, t.Any]) -> dict[int, Wish]:
    wishes = {}
    for number, entry in enumerate(options["ips"] or ()):
        if entry.get("pool") is not None:
            label = f"ips[{number}]"
            wishes[number] = read_wish(entry, label)
            # what is wrong in any subnet is said before there is one
            coerce(IPS_ENTRY, place_entry(entry, label, wishes[number].trial()), label)
    return wishes


def _without_wishes(options: Mapping[str, t.Any], wishes: Mapping[int, Wish]) -> Mapping[str, t.Any]:
    if not wishes:
        return options
    return {**options, "ips": [entry for number, entry in enumerate(options["ips"]) if number not in wishes]}


def _with_choices(options: Mapping[str, t.Any], choices: Mapping[int, Choice]) -> Mapping[str, t.Any]:
    ips = [
        place_entry(entry, f"ips[{number}]", choices[number]) if number in choices else entry
        for number, entry in enumerate(options["ips"])
    ]
    order = order_fragment(str(choices[number].subnet) for number in sorted(choices))
    return {**options, "ips": ips, "metadata": [*(options["metadata"] or ()), order]}


def _read_definition(options: Mapping[str, t.Any]) -> Definition | None:
    typed = {name: options[name] for name in DEFINITION_OPTIONS if options[name] is not None}
    if options["xml"] is not None:
        return _read_xml(options, typed)
    identity = {name: options[name] for name in ("name", "uuid") if options[name] is not None}
    given = definition_from_options({**identity, **typed})
    problems = find_problems({"name": given["name"]})
    if problems:
        raise InputError(" ".join(problems))
    if typed:
        return given
    for option in ("uuid", "definition"):
        if options[option] is not None and options["state"] != "absent":
            raise InputError(
                f"{option}: '{options[option]}' is given without any definition; add the definition (forward, ips, bridge …), "
                f"or leave {option} out."
            )
    if options["purge_hosts"]:
        raise InputError("purge_hosts: given without any definition; say in ips or dns which reservations shall be left.")
    return None


def _read_uuid(options: Mapping[str, t.Any]) -> str | None:
    uuid: str | None = definition_from_options({"uuid": options["uuid"]}).get("uuid")
    return uuid


def _read_xml(options: Mapping[str, t.Any], typed: Mapping[str, t.Any]) -> Definition:
    if typed:
        raise InputError(
            f"xml: given beside {', '.join(sorted(typed))}; the document is the whole definition, write them into it or "
            "leave it out."
        )
    if options["definition"] == "merge":
        raise InputError("definition: 'merge' is not possible with xml, where nothing is omitted; leave it out or say 'replace'.")
    try:
        given = definition_from_xml(options["xml"])
    except InputError as error:
        raise InputError(f"xml: {error}") from None
    if given["name"] != options["name"]:
        raise InputError(f"xml: the document's <name> is '{given['name']}', and name is '{options['name']}'; make them equal.")
    uuid = _read_uuid(options)
    if uuid is not None and given.setdefault("uuid", uuid) != uuid:
        raise InputError(f"xml: the document's <uuid> is '{given['uuid']}', and uuid is '{uuid}'; leave one out.")
    return given
