# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

from __future__ import annotations

import copy

from ansible_collections.kvmops.network.plugins.module_utils._format.arguments import argument_spec
from ansible_collections.kvmops.network.plugins.module_utils._format.codecs import ADDRESS, ON_OFF, Choice, Number
from ansible_collections.kvmops.network.plugins.module_utils._format.tree import Entries, Fields, Fragments, Group, Value

FIELDS: Fields = (
    Value("name", "name", required=True),
    Value("stp", "@stp", ON_OFF, default=True),
    Fragments("metadata", "metadata"),
    Group("mtu", "mtu", (Value("size", "@size", Number(0, 9000), required=True), Value("unit", "@unit"))),
    Entries(
        "hosts",
        "dns/host",
        (Value("ip", "@ip", ADDRESS), Entries("names", "name", Value("", ""), required=True), Value("family", "@family")),
    ),
    Value("protocol", "@protocol", Choice(("tcp", "udp"))),
)

SPEC = {
    "name": {"type": "str", "required": True},
    "stp": {"type": "bool"},
    "metadata": {"type": "list", "elements": "str"},
    "mtu": {"type": "dict", "options": {"size": {"type": "int", "required": True}}},
    "hosts": {
        "type": "list",
        "elements": "dict",
        "options": {"ip": {"type": "str"}, "names": {"type": "list", "elements": "str", "required": True}},
    },
    "protocol": {"type": "str", "choices": ["tcp", "udp"]},
}


def test_each_field_is_an_option_unless_it_is_left_out() -> None:
    assert argument_spec(FIELDS, leave_out={"mtu.unit", "hosts.family"}) == SPEC


def test_a_spec_can_be_changed_without_changing_others() -> None:
    first = argument_spec(FIELDS, leave_out={"mtu.unit", "hosts.family"})
    copy.deepcopy(first)["hosts"]["options"].clear()
    first["mtu"]["options"]["size"]["required"] = False
    first["protocol"]["choices"].append("sctp")
    assert argument_spec(FIELDS, leave_out={"mtu.unit", "hosts.family"}) == SPEC
