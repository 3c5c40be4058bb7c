# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What a task asks for."""

from __future__ import annotations

import re
import typing as t

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._network.options import NETWORK_OPTIONS
from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState, Wanted
from ansible_collections.kvmops.network.plugins.module_utils._network.request import NetworkRequest

DEFAULTS = {name: option.get("default") for name, option in NETWORK_OPTIONS.items()}
XML = "<network><name>lab</name><mtu size='1400'/></network>"
UUID = "1b4f0c34-3a39-4a26-a21f-6f0a3b1e0a6e"


def request(**options: t.Any) -> NetworkRequest:
    return NetworkRequest.from_options({**DEFAULTS, "name": "lab", **options})


def test_nothing_is_said_of_the_definition() -> None:
    plain = request(state="inactive", autostart=False, force=True, allow_overlap=["a"])
    assert plain == NetworkRequest(
        name="lab",
        state="inactive",
        autostart=False,
        given=None,
        uuid=None,
        replace=False,
        purge_hosts=False,
        force=True,
        allow_overlap=("a",),
    )


@pytest.mark.parametrize(
    ("options", "given", "replace"),
    [
        ({"mtu": 1400}, {"name": "lab", "mtu": 1400}, False),
        ({"mtu": 1400, "definition": "merge"}, {"name": "lab", "mtu": 1400}, False),
        ({"mtu": 1400, "definition": "replace"}, {"name": "lab", "mtu": 1400}, True),
        ({"mtu": 1400, "uuid": UUID.upper()}, {"name": "lab", "uuid": UUID, "mtu": 1400}, False),
        ({"ips": []}, {"name": "lab", "ips": []}, False),
        ({"xml": XML}, {"name": "lab", "mtu": 1400}, True),
        ({"xml": XML, "definition": "replace"}, {"name": "lab", "mtu": 1400}, True),
        ({"xml": XML, "uuid": UUID.upper()}, {"name": "lab", "uuid": UUID, "mtu": 1400}, True),
    ],
)
def test_what_is_said_of_the_definition(options: dict[str, t.Any], given: dict[str, t.Any], replace: bool) -> None:
    asked = request(**options)
    assert asked.given == given
    assert asked.replace is replace


def test_a_network_that_is_not_there_needs_a_definition() -> None:
    message = (
        "name: the network 'lab' does not exist, and the task has no definition to create it from. The networks of "
        "this host are: a, b. "
        "Correct the name, or add forward, ips, bridge or xml."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        request().wanted(NetworkState("lab"), known=["b", "a"])
    with pytest.raises(InputError, match="The networks of this host are: none"):
        request().wanted(NetworkState("lab"), known=[])


def test_an_absent_network_needs_none() -> None:
    assert request(state="absent").wanted(NetworkState("lab"), known=[]) == Wanted(state="absent")
    assert request(state="absent", mtu=1).wanted(NetworkState("lab"), known=[]).definition is None


def test_what_is_wanted_is_checked_as_a_whole() -> None:
    before = NetworkState("lab", stored={"name": "lab", "ips": [{"address": "fd00::1", "prefix": 64}]})
    with pytest.raises(InputError, match="mtu: '1000' is not possible with an IPv6 address"):
        request(mtu=1000).wanted(before, known=["lab"])
    assert request(mtu=1000).wanted(NetworkState("lab"), known=[]).definition == {"name": "lab", "mtu": 1000}


def test_a_transient_network_is_merged_with_what_runs() -> None:
    before = NetworkState("lab", live={"name": "lab", "uuid": UUID, "mtu": 1400})
    assert request(bridge={"name": "virbr7"}).wanted(before, known=["lab"]).definition == {
        "name": "lab",
        "uuid": UUID,
        "mtu": 1400,
        "bridge": {"name": "virbr7"},
    }
