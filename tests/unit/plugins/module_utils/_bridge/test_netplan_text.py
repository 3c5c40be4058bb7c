# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""netplan's files: read, put together, and lines taken out of them and put back."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._bridge import netplan_text
from ansible_collections.kvmops.network.plugins.module_utils._bridge.netplan_text import (
    NotByLinesError,
    find,
    merge,
    parse,
    put_back,
    render,
    take_out,
)
from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError, RequirementError

MARK = "#kvmops-br0"
PATH = "/etc/netplan/50-cloud-init.yaml"
CLOUD = """\
# This file is generated.
network:
    version: 2
    ethernets:
        # the uplink
        eth0:
            dhcp4: true   # by the provider

            # and IPv6
            dhcp6: false
        # the other one
        eth1:
            optional: true
"""


def out(text: str, name: str = "eth0") -> str:
    return take_out(text, name, mark=MARK, why="because", path=PATH)


def test_what_is_taken_out_becomes_comments_and_all_else_stays() -> None:
    assert out(CLOUD) == (
        "# This file is generated.\nnetwork:\n    version: 2\n    ethernets:\n        # the uplink\n"
        "#kvmops-br0| because\n"
        "#kvmops-br0         eth0:\n#kvmops-br0             dhcp4: true   # by the provider\n#kvmops-br0 \n"
        "#kvmops-br0             # and IPv6\n#kvmops-br0             dhcp6: false\n"
        "        # the other one\n        eth1:\n            optional: true\n"
    )
    assert out(out(CLOUD)) == out(CLOUD)
    assert put_back(out(CLOUD), mark=MARK) == CLOUD


def test_another_bridge_s_lines_are_left() -> None:
    both = take_out(out(CLOUD), "eth1", mark="#kvmops-br01", why="too", path=PATH)
    assert parse(both, path=PATH) == {"version": "2"}
    assert put_back(put_back(both, mark="#kvmops-br01"), mark=MARK) == CLOUD
    assert put_back(both, mark="#kvmops-br01") == out(CLOUD)


def test_what_has_nothing_else_in_it_goes_as_well() -> None:
    """netplan takes no key without a value."""
    alone = "network:\n  ethernets:\n    eth0: {dhcp4: true}\n"
    assert yaml.safe_load(out(alone)) is None
    assert put_back(out(alone), mark=MARK) == alone
    with_version = "network:\n  version: 2\n  ethernets:\n    eth0: {dhcp4: true}\n"
    assert yaml.safe_load(out(with_version)) == {"network": {"version": 2}}


def test_a_definition_that_somebody_wrote_anew_takes_the_place_of_the_old_one() -> None:
    anew = out(CLOUD).replace("        # the other one\n", "        eth0:\n            dhcp4: no\n        # the other one\n")
    assert put_back(out(anew), mark=MARK) == CLOUD.replace(
        "        eth0:\n            dhcp4: true   # by the provider\n\n            # and IPv6\n            dhcp6: false\n",
        "        eth0:\n            dhcp4: no\n",
    )


def test_a_last_line_without_an_end() -> None:
    text = "network:\n  version: 2\n  ethernets:\n    eth0:\n      dhcp4: true"
    assert put_back(out(text), mark=MARK) == f"{text}\n"


@pytest.mark.parametrize(
    "text",
    [
        "network: {ethernets: {eth0: {dhcp4: true}, eth1: {}}}",
        "network:\n  ethernets: {eth0: {dhcp4: true}, eth1: {}}\n",
        "network:\n  version: 2\n  ethernets:\n    ? eth0\n    : dhcp4: true\n    eth1: {}\n",
        "network:\n  ethernets:\n    eth0: &same\n      dhcp4: true\n    eth1: *same\n",
        'network:\n  version: 2\n  ethernets:\n    eth0:\n      label: "a\n    b"\n    eth1: {}\n',
    ],
)
def test_what_does_not_stand_on_lines_of_its_own(text: str) -> None:
    with pytest.raises(NotByLinesError):
        out(text)


@pytest.mark.parametrize("text", ["", "# nothing\n", "network:\n", "network:\n  version: 2\n", "a: 1\n", "- 1\n", CLOUD])
def test_a_file_without_the_definition_stays(text: str) -> None:
    assert out(text, "eth7") == text


def test_scalars_are_texts() -> None:
    text = "network:\n  ethernets:\n    a: {macaddress: 10:20:30:40:50:06, dhcp4: yes, mtu: 0x10, on: ~}\n"
    assert parse(text, path=PATH) == {
        "ethernets": {"a": {"macaddress": "10:20:30:40:50:06", "dhcp4": "yes", "mtu": "0x10", "on": "~"}}
    }


def test_numbers_and_truth_are_written_without_quotation_marks() -> None:
    written = render(
        {"version": "2", "a": {"b": "true", "c": ["1500", "0", "007"], "d": "10:20:30:40:50:06"}}, comment="why\n\nso"
    )
    assert written == (
        "# why\n#\n# so\nnetwork:\n  version: 2\n  a:\n    b: true\n    c:\n    - 1500\n    - 0\n    - '007'\n"
        "    d: '10:20:30:40:50:06'\n"
    )


def test_no_yaml() -> None:
    with pytest.raises(InputError) as caught:
        parse("network: [\n", path=PATH)
    assert str(caught.value).startswith(f"{PATH} cannot be understood: while parsing a flow node")
    assert str(caught.value).endswith(". Correct it first.")


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    netplan_text.check_library()
    monkeypatch.delattr(netplan_text, "yaml")
    with pytest.raises(RequirementError) as caught:
        netplan_text.check_library()
    assert "python3-yaml" in str(caught.value)


def test_files_are_put_together() -> None:
    first = {"version": "2", "ethernets": {"a": {"dhcp4": "true", "addresses": ["1", "2"]}, "b": {}}}
    later = {"ethernets": {"a": {"dhcp4": "false", "addresses": ["2", "3"], "mtu": "9"}}, "bonds": {"c": {}}}
    assert merge([first, later]) == {
        "version": "2",
        "ethernets": {"a": {"dhcp4": "false", "addresses": ["1", "2", "3"], "mtu": "9"}, "b": {}},
        "bonds": {"c": {}},
    }
    assert merge([]) == {}


def test_definitions_are_found_whatever_their_kind() -> None:
    network = {
        "version": "2",
        "renderer": "networkd",
        "openvswitch": {"a": "1"},
        "bonds": {"a": {"mtu": "9"}},
        "vlans": {"b": ""},
    }
    assert find(network, "a") == ("bonds", {"mtu": "9"})
    assert find(network, "b") == ("vlans", {})
    assert find(network, "networkd") is None


NAMES = st.sampled_from(["eth0", "eth1", "en-p1s0", "x"])
SCALARS = st.sampled_from(["true", "no", "10.0.0.1/24", "fd77::1/64", "5 # no comment", "a: b", "", "é"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["dhcp4", "to", "via"]), inner, max_size=3),
    max_leaves=8,
)
DEFINITIONS = st.dictionaries(NAMES, st.dictionaries(st.sampled_from(["dhcp4", "addresses", "routes"]), VALUES), max_size=4)


@given(
    network=st.fixed_dictionaries({}, optional={"version": st.just("2"), "ethernets": DEFINITIONS, "bonds": DEFINITIONS}),
    indent=st.integers(2, 8),
    head=st.sampled_from(["", "# a comment\n", "---\n"]),
    name=NAMES,
)
def test_what_is_left_is_all_else(network: dict[str, t.Any], indent: int, head: str, name: str) -> None:
    text = head + yaml.safe_dump({"network": network}, indent=indent, sort_keys=False, default_flow_style=False)
    before = parse(text, path=PATH)
    try:
        taken = out(text, name)
    except NotByLinesError:
        assert sum(name in (network.get(kind) or {}) for kind in ("ethernets", "bonds")) == 2
        return
    after = parse(taken, path=PATH)
    assert find(after, name) is None
    assert put_back(taken, mark=MARK) == text
    for kind in ("ethernets", "bonds"):
        others = {key: value for key, value in before.get(kind, {}).items() if key != name}
        assert after.get(kind, {}) == others
    assert after.get("version") == before.get("version") or not before.keys() - {"version"}
