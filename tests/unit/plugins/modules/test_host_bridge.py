# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The host's part of host_bridge, from the task to the change that waits, and its decision; on a host that was captured."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._bridge import decision
from ansible_collections.kvmops.network.plugins.module_utils._edge import transaction
from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import Result
from ansible_collections.kvmops.network.tests.unit.plugins.support.uplink_host import ADDRESS, MAC, ROUTER, UplinkHost

BRIDGE = {
    "name": "br0",
    "uplink": "eth0",
    "backend": "networkd",
    "exists": True,
    "mac": MAC,
    "mtu": 1500,
    "stp": False,
    "forward_delay": 0.0,
    "ports": ["eth0"],
    "addresses": [ADDRESS],
    "gateway": ROUTER,
}


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> UplinkHost:
    # the router answers, unless a test says something else
    monkeypatch.setattr(decision, "router_answers", lambda *_what, timeout: timeout > 0)
    return UplinkHost(tmp_path, monkeypatch)


def succeeded(result: Result) -> Result:
    assert not result.failed, result.msg
    return result


class TestTask:
    """host_bridge."""

    def test_check_mode_tells_everything_and_does_nothing(self, host: UplinkHost) -> None:
        before = host.disk
        result = succeeded(host.task(check=True))
        assert result.changed
        assert result.data["reasons"] == ["br0 is not there yet"]
        assert result.data["actions"][:2] == [f"make the bridge br0 with the MAC address {MAC}", "make eth0 its port"]
        assert result.data["outage"].startswith("Connections stay, but the host may be without an address until the DHCP server")
        assert result.data["bridge"] == {**BRIDGE, "exists": False, "ports": [], "addresses": [], "gateway": None}
        assert "transaction" not in result.data
        assert result.data["diff"][0]["after"].startswith("eth0: port of br0\n")
        assert host.changing_commands == []
        assert host.disk == before

    def test_for_real_the_same_is_begun(self, host: UplinkHost) -> None:
        told = host.task(check=True).data
        result = succeeded(host.task(confirm_timeout=90)).data
        begun = result.pop("transaction")
        assert {key: value for key, value in result.items() if key != "invocation"} == {
            key: value for key, value in told.items() if key != "invocation"
        }
        assert begun["confirm_timeout"] == 90
        assert [line.split()[3] for line in host.changing_commands] == [
            f"--unit=kvmops-network-{name}-{begun['id']}" for name in ("revert", "apply")
        ]
        plan = json.loads((Path(host.transaction) / "plan.json").read_text())
        assert (plan["id"], plan["bridge"], plan["check_gateway"]) == (begun["id"], "br0", True)
        assert plan["goal"]["leased"] == [4]

    def test_without_diff_there_is_none(self, host: UplinkHost) -> None:
        assert "diff" not in host.task(check=True, diff=False).data

    def test_a_second_run_changes_nothing(self, host: UplinkHost) -> None:
        succeeded(host.task())
        host.finish()
        host.commands.clear()
        before = host.disk
        for check in (True, False):
            result = succeeded(host.task(check=check))
            assert not result.changed
            assert (result.data["actions"], result.data["reasons"]) == ([], [])
            assert result.data["bridge"] == BRIDGE
            assert "transaction" not in result.data
            assert "diff" not in result.data
        assert host.changing_commands == []
        assert host.disk == before

    def test_what_fell_apart_is_found(self, host: UplinkHost) -> None:
        succeeded(host.task())
        host.finish()
        del host.link("eth0")["master"]
        result = succeeded(host.task(check=True))
        assert result.data["reasons"] == ["eth0 is no port of br0"]
        assert result.data["actions"][0] == "put br0 right"

    def test_there_and_back(self, host: UplinkHost) -> None:
        succeeded(host.task())
        host.finish()
        result = succeeded(host.task(state="absent"))
        assert result.changed
        assert result.data["actions"][0] == "take eth0 out of br0"
        assert result.data["transaction"]["confirm_timeout"] == 60

    def test_absent_and_nothing_there(self, host: UplinkHost) -> None:
        result = succeeded(host.task(state="absent"))
        assert not result.changed
        assert "bridge" not in result.data

    def test_absent_says_what_is_left(self, host: UplinkHost) -> None:
        host.add_link("br0", kind="bridge")
        host.add_link("vnet0", kind="tun", master="br0")
        result = succeeded(host.task(state="absent"))
        assert not result.changed
        [warning] = result.warnings
        assert warning == "The bridge br0 is left, with vnet0 plugged in and no uplink; it is gone after the next boot."

    def test_who_silences_guests_is_told_also_when_nothing_changes(self, host: UplinkHost) -> None:
        host.filter_bridges("iptables")
        warning = (
            "The firewall's table strict drops what guests on the bridge 'br0' send and get over it "
            "(net.bridge.bridge-nf-call-iptables is 1); accept in the table strict what both comes in and goes out on the bridge "
            "'br0', or, where neither Docker nor Kubernetes runs, keep frames on bridges out of the firewall with "
            "host_firewall_bridge_filtering: disabled of the role kvmops.network.host_firewall."
        )
        assert succeeded(host.task(check=True)).warnings == (warning,)
        assert succeeded(host.task()).warnings == (warning,)
        host.finish()
        result = succeeded(host.task(check=True))
        assert (result.changed, result.warnings) == (False, (warning,))
        assert succeeded(host.task(state="absent")).warnings == ()

    def test_a_firewall_that_does_not_see_frames_silences_nobody(self, host: UplinkHost) -> None:
        host.filter_bridges()
        assert succeeded(host.task(check=True)).warnings == ()
        assert ["nft", "-j", "list", "ruleset"] not in host.commands

    def test_a_firewall_that_cannot_be_read_is_no_reason_to_fail(self, host: UplinkHost) -> None:
        host.filter_bridges("iptables", "ip6tables")
        host.missing |= {"nft", "iptables-save", "ip6tables-save"}
        assert succeeded(host.task(check=True)).warnings == ()

    def test_guests_are_cut_off_by_force_alone(self, host: UplinkHost) -> None:
        succeeded(host.task())
        host.finish()
        host.add_link("vnet0", kind="tun", master="br0")
        result = succeeded(host.task(state="absent", force=True))
        assert result.warnings == ("br0 stays, without an uplink, for vnet0, until the next boot.",)


class TestInfo:
    """host_bridge_info."""

    def test_bridges(self, host: UplinkHost) -> None:
        assert host.info().data["bridges"] == []
        succeeded(host.task())
        host.finish()
        for check in (True, False):
            result = succeeded(host.info(check=check))
            assert not result.changed
            assert result.data["bridges"] == [BRIDGE]

    def test_what_was_not_made_here_is_not_shown(self, host: UplinkHost) -> None:
        host.add_link("virbr0", "192.168.122.1/24", kind="bridge")
        assert succeeded(host.info()).data["bridges"] == []


def applied(host: UplinkHost, **options: t.Any) -> str:
    """Begin a change, and make it as its script would; return its id."""
    found: str = succeeded(host.task(**options)).data["transaction"]["id"]
    host.finish(state="armed")
    host.commands.clear()
    return found


class TestDecision:
    """host_bridge_transaction."""

    def test_nothing_was_changed_yet(self, host: UplinkHost) -> None:
        assert succeeded(host.decide()).data["transaction"] is None
        for state in ("confirmed", "reverted"):
            assert host.decide(state=state).msg == "No change of this host's own network waits for anything."

    def test_it_is_shown(self, host: UplinkHost) -> None:
        number = applied(host)
        (Path(host.transaction) / "log").write_text("10:00:00 the change begins\n10:00:01 write a\n")
        assert host.disk["run/kvmops-network-armed"] == b""
        result = succeeded(host.decide(id=number))
        assert not result.changed
        shown = result.data["transaction"]
        assert 50 < shown.pop("left") <= 60
        assert shown == {
            "id": number,
            "bridge": "br0",
            "state": "armed",
            "applied": True,
            "why": "",
            "failure": "",
            "unfinished": [],
            "log": ["10:00:00 the change begins", "10:00:01 write a"],
            "seen": [],
        }
        assert host.changing_commands == []

    def test_it_is_confirmed_once(self, host: UplinkHost) -> None:
        number = applied(host)
        for check, expected in ((True, "armed"), (False, "confirmed")):
            result = succeeded(host.decide(id=number, state="confirmed", check=check))
            assert result.changed
            assert result.data["transaction"]["state"] == expected
        assert host.changing_commands == [f"systemctl stop kvmops-network-revert-{number}.timer"]
        assert not succeeded(host.decide(id=number, state="confirmed")).changed

    def test_another_one_is_meant(self, host: UplinkHost) -> None:
        assert host.decide(id="7").msg == "id: there is no transaction 7 on this host; there was none."
        number = applied(host)
        for state in ("shown", "confirmed", "reverted"):
            message = host.decide(id="7", state=state).msg
            assert message == f"id: there is no transaction 7 on this host; the last one is {number}."
        assert host.changing_commands == []

    def test_a_change_that_is_still_being_made_waits(self, host: UplinkHost) -> None:
        applied(host)
        (Path(host.transaction) / "applied").unlink()
        self.refused(host, "it is still being made")

    def refused(self, host: UplinkHost, *missing: str) -> None:
        for check in (True, False):
            result = host.decide(state="confirmed", check=check)
            assert result.failed
            assert result.data["missing"] == list(missing)
            sentence = f"The change of br0 was not confirmed: {'; '.join(missing)}. It still waits, until it goes back by itself."
            assert result.msg == sentence
            assert result.data["transaction"]["state"] == "armed"
        assert [line for line in host.changing_commands if "neigh" not in line] == []

    def test_something_is_missing(self, host: UplinkHost) -> None:
        applied(host)
        host.link("br0")["mtu"] = 1400
        host.link("br0")["addr_info"] = []
        self.refused(host, "MTU of br0 is 1400, not 1500", "no server has given br0 an IPv4 address yet")

    def test_the_router_does_not_answer(self, host: UplinkHost, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[tuple[t.Any, ...]] = []
        monkeypatch.setattr(decision, "router_answers", lambda _run, *what, timeout: asked.append((*what, timeout)))
        applied(host)
        self.refused(host, f"the router {ROUTER} does not answer on br0")
        assert asked == [(ROUTER, "br0", 2.0)] * 2

    def test_the_routers_of_both_ip_versions_are_asked(self, host: UplinkHost, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[tuple[t.Any, ...]] = []

        def router_answers(_run: t.Any, *what: t.Any, timeout: float) -> bool:
            asked.append((*what, timeout))
            return what[0] == ROUTER

        monkeypatch.setattr(decision, "router_answers", router_answers)
        host.add_default_route("eth0", version=6, gateway="fe80::1")
        applied(host)
        self.refused(host, "the router fe80::1 does not answer on br0")
        assert asked == [(ROUTER, "br0", 2.0), ("fe80::1", "br0", 2.0)] * 2

    def test_the_router_need_not_answer_where_it_is_not_asked(self, host: UplinkHost, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(decision, "router_answers", lambda *_what, **_more: False)
        applied(host, check_gateway=False)
        assert succeeded(host.decide(state="confirmed")).changed

    @pytest.mark.parametrize("check_gateway", [True, False])
    def test_a_default_route_that_was_there_is_waited_for(self, host: UplinkHost, check_gateway: bool) -> None:
        applied(host, check_gateway=check_gateway)
        host.without_routes()
        self.refused(host, "br0 has no IPv4 default route yet")

    def test_where_there_was_no_default_route_none_is_needed(self, host: UplinkHost, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(decision, "router_answers", lambda *_what, **_more: False)
        host.without_routes()
        applied(host, uplink="eth0")
        assert succeeded(host.decide(state="confirmed")).changed

    def test_what_did_not_work_on_the_way_back_is_shown(self, host: UplinkHost) -> None:
        applied(host)
        (Path(host.transaction) / "armed").rename(Path(host.transaction) / "reverted")
        (Path(host.transaction) / "unfinished").write_text("run networkctl reload\nplace 3 /etc/x\n")
        shown = succeeded(host.decide()).data["transaction"]
        assert shown["unfinished"] == ["run networkctl reload", "place 3 /etc/x"]

    def test_it_is_taken_back(self, host: UplinkHost, monkeypatch: pytest.MonkeyPatch) -> None:
        number = applied(host)
        assert succeeded(host.decide(state="reverted", check=True)).changed
        assert host.changing_commands == []

        def revert(_run: t.Any, state: transaction.State, *, timeout: float) -> None:
            assert (state.id, timeout) == (number, 120.0)
            (Path(host.transaction) / "armed").rename(Path(host.transaction) / "reverted")

        monkeypatch.setattr(transaction, "revert", revert)
        result = succeeded(host.decide(state="reverted"))
        assert result.changed
        assert result.data["transaction"]["state"] == "reverted"
        assert not succeeded(host.decide(state="reverted")).changed

    def test_what_is_decided_stays(self, host: UplinkHost) -> None:
        applied(host)
        folder = Path(host.transaction)
        (folder / "why").write_text("timeout\n")
        (folder / "armed").rename(folder / "reverting")
        confirm = "The change of br0 {} (timeout) and cannot be confirmed."
        assert host.decide(state="confirmed").msg == confirm.format("is being taken back")
        (folder / "reverting").rename(folder / "reverted")
        result = host.decide(state="confirmed")
        assert result.msg == confirm.format("has been taken back")
        assert result.data["transaction"]["state"] == "reverted"
        (folder / "reverted").rename(folder / "confirmed")
        assert host.decide(state="reverted").msg == (
            "The change of br0 was confirmed and cannot be taken back by this. Use host_bridge to change it again."
        )
        assert host.changing_commands == []
