# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""A network in words."""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._network.definition import definition_from_xml
from ansible_collections.kvmops.network.plugins.module_utils._network.plan import NetworkState, Plan
from ansible_collections.kvmops.network.plugins.module_utils._network.view import make_diff, make_result

OLD: dict[str, t.Any] = {"name": "lab", "uuid": "u1", "mac": "m1", "bridge": {"name": "virbr7"}, "mtu": 1400}
NEW: dict[str, t.Any] = {**OLD, "mtu": 9000}
HEAD = {"before_header": "network lab", "after_header": "network lab"}


def xml(mtu: int) -> str:
    return f"""\
<network>
  <name>lab</name>
  <uuid>u1</uuid>
  <bridge name="virbr7"/>
  <mac address="m1"/>
  <mtu size="{mtu}"/>
</network>
"""


def test_a_network_that_is_not_there() -> None:
    assert make_result(NetworkState("lab")) == {
        "name": "lab",
        "uuid": None,
        "exists": False,
        "active": False,
        "persistent": False,
        "autostart": False,
        "bridge": None,
        "definition": {},
        "xml": None,
    }


def test_a_network_that_runs() -> None:
    assert make_result(NetworkState("lab", stored=OLD, live=OLD, autostart=True)) == {
        "name": "lab",
        "uuid": "u1",
        "exists": True,
        "active": True,
        "persistent": True,
        "autostart": True,
        "bridge": "virbr7",
        "definition": {"forward": {"mode": "none"}, "bridge": {"name": "virbr7"}, "mac": "m1", "mtu": 1400},
        "xml": xml(1400),
    }


def test_the_bridge_is_the_one_that_is_there_now() -> None:
    state = NetworkState("lab", stored={**OLD, "bridge": {"name": "virbr8"}}, live=OLD)
    assert make_result(state)["bridge"] == "virbr7"
    assert make_result(NetworkState("lab", stored=state.stored))["bridge"] == "virbr8"


def test_a_transient_network_is_shown_as_it_runs() -> None:
    shown = make_result(NetworkState("lab", live=OLD))
    assert (shown["persistent"], shown["active"], shown["xml"]) == (False, True, xml(1400))


def test_what_no_option_says_is_in_the_xml_only() -> None:
    text = "<network><name>lab</name><new/><bridge name='b' more='1'/><portgroup name='p' extra='1'/></network>"
    shown = make_result(NetworkState("lab", stored=definition_from_xml(text)))
    assert shown["definition"] == {"forward": {"mode": "none"}, "bridge": {"name": "b"}, "portgroups": [{"name": "p"}]}
    assert '<portgroup name="p" extra="1"/>' in shown["xml"]


# --- the diff -------------------------------------------------------------------------------------------------------------------


def test_a_new_network() -> None:
    plan = Plan(
        steps=(),
        after=NetworkState("lab", stored={"name": "lab", "mtu": 9000}, live={"name": "lab", "mtu": 9000}, autostart=True),
    )
    assert make_diff(NetworkState("lab"), plan) == {
        **HEAD,
        "before": "state: absent\n",
        "after": """\
state: active
persistent: yes
autostart: yes
<network>
  <name>lab</name>
  <uuid>(generated)</uuid>
  <bridge name="(generated)"/>
  <mac address="(generated)"/>
  <mtu size="9000"/>
</network>
""",
    }


def test_a_new_network_on_the_hosts_bridge_has_its_uuid_generated_only() -> None:
    stored = {"name": "lab", "forward": {"mode": "bridge"}, "bridge": {"name": "br0"}}
    after = make_diff(NetworkState("lab"), Plan(steps=(), after=NetworkState("lab", stored=stored)))["after"]
    assert after.count("(generated)") == 1
    assert "<uuid>(generated)</uuid>" in after


def test_a_changed_network() -> None:
    before = NetworkState("lab", stored=OLD, live=OLD)
    diff = make_diff(before, Plan(steps=(), after=NetworkState("lab", stored=NEW, live=NEW)))
    head = "state: active\npersistent: yes\nautostart: no\n"
    assert diff == {**HEAD, "before": head + xml(1400), "after": head + xml(9000)}


def test_a_network_that_goes() -> None:
    diff = make_diff(NetworkState("lab", stored=OLD), Plan(steps=(), after=NetworkState("lab")))
    assert diff == {
        **HEAD,
        "before": "state: inactive\npersistent: yes\nautostart: no\n" + xml(1400),
        "after": "state: absent\n",
    }


def test_a_transient_network_that_stays() -> None:
    diff = make_diff(NetworkState("lab", live=OLD), Plan(steps=(), after=NetworkState("lab", stored=OLD, live=OLD)))
    assert diff["before"] == "state: active\npersistent: no\nautostart: no\n" + xml(1400)
    assert diff["after"] == "state: active\npersistent: yes\nautostart: no\n" + xml(1400)


def test_a_definition_that_waits() -> None:
    after = NetworkState("lab", stored=NEW, live=OLD)
    diff = make_diff(NetworkState("lab", stored=OLD, live=OLD), Plan(steps=(), after=after, waits="it is in use"))
    assert diff["after"] == "state: active\npersistent: yes\nautostart: no\npending restart: mtu\n" + xml(9000)


def test_a_restart_that_brings_up_what_waited_shows_what_changes_for_the_guests() -> None:
    before = NetworkState("lab", stored=NEW, live=OLD)
    diff = make_diff(before, Plan(steps=(), after=NetworkState("lab", stored=NEW, live=NEW)))
    head = "state: active\npersistent: yes\nautostart: no\n"
    assert diff == {**HEAD, "before": f"{head}pending restart: mtu\n{xml(1400)}", "after": head + xml(9000)}


def test_a_new_definition_is_compared_with_the_one_that_is_stored() -> None:
    newest = {**OLD, "mtu": 1500}
    before = NetworkState("lab", stored=NEW, live=OLD)
    diff = make_diff(before, Plan(steps=(), after=NetworkState("lab", stored=newest, live=newest)))
    head = "state: active\npersistent: yes\nautostart: no\n"
    assert diff == {**HEAD, "before": f"{head}pending restart: mtu\n{xml(9000)}", "after": head + xml(1500)}
