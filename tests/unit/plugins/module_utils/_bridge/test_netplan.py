# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What netplan is told of a bridge, on either of its renderers, and what becomes of the uplink's own definition."""

from __future__ import annotations

import typing as t

import pytest
import yaml

from ansible_collections.kvmops.network.plugins.module_utils._bridge.backend import Expected, Move
from ansible_collections.kvmops.network.plugins.module_utils._bridge.goal import shortfalls
from ansible_collections.kvmops.network.plugins.module_utils._bridge.host import Host, Management
from ansible_collections.kvmops.network.plugins.module_utils._bridge.netplan import Netplan, origin_text
from ansible_collections.kvmops.network.plugins.module_utils._bridge.netplan_renderers import RENDERERS
from ansible_collections.kvmops.network.plugins.module_utils._bridge.plan import Plan, make_plan
from ansible_collections.kvmops.network.plugins.module_utils._bridge.record import Identity, Origin, Record, path_of
from ansible_collections.kvmops.network.plugins.module_utils._bridge.subject import subject_of
from ansible_collections.kvmops.network.plugins.module_utils._errors import RefusedError
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._bridge.builders import (
    MAC,
    bridged_links,
    family,
    record,
    request,
    static_links,
)

SHARED = "/etc/netplan/50-cloud-init.yaml"
OWN = "/etc/netplan/90-kvmops-br0.yaml"
DROP_IN = "/etc/systemd/network/10-netplan-br0.network.d/kvmops.conf"
PROFILE = "6c7e4a3e-8f0b-3f4e-9a51-8a1c4f6f5c0b"
NETPLAN = Netplan(RENDERERS["networkd"])
RFC4361 = "ffb070b8a900020000ab117818a24977121d18"

STATIC = {
    "addresses": ["192.0.2.10/24", {"192.0.2.11/24": {"label": "eth0:1"}}, "2001:db8::10/64"],
    "routes": [{"to": "default", "via": "192.0.2.1"}, {"to": "10.0.0.0/8", "via": "192.0.2.9"}],
    "nameservers": {"addresses": ["192.0.2.1", "fe80::1%eth0"], "search": ["lan.test"]},
}
DHCP = {"dhcp4": "true"}


def remembered(definition: dict[str, t.Any], *, renderer: str = "networkd", kind: str = "ethernets", **more: t.Any) -> Record:
    known = {"renderer": renderer, **({"networkmanager": {"uuid": PROFILE}} if renderer != "networkd" else {})}
    text = origin_text({"version": "2", kind: {"eth0": definition}}, "eth0", like=known)
    return record(backend="netplan", origin=Origin("eth0", SHARED, text), **more)


def definitions(of: Record, **options: t.Any) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    """Return the definitions of the port and of the bridge, without the renderer."""
    network = yaml.safe_load(NETPLAN.variant(of).files(of, request(**options))[OWN])["network"]
    assert set(network) == {"version", "ethernets", "bridges"}
    port, bridge = network["ethernets"]["eth0"], network["bridges"]["br0"]
    assert port.pop("renderer") == bridge.pop("renderer")
    assert bridge.pop("interfaces") == ["eth0"]
    return port, bridge


NO_ADDRESSES = {"dhcp4": False, "dhcp6": False, "accept-ra": False, "link-local": []}
USUAL = {"macaddress": MAC, "parameters": {"stp": False, "forward-delay": 0}}


class TestDefinitions:
    """What the port and the bridge are, on networkd."""

    def test_addresses_go_to_the_bridge(self) -> None:
        names = {"addresses": ["192.0.2.1", "fe80::1%br0"], "search": ["lan.test"]}
        assert definitions(remembered(STATIC)) == (NO_ADDRESSES, {**USUAL, **STATIC, "nameservers": names})

    def test_a_lease(self) -> None:
        assert definitions(remembered(DHCP)) == (NO_ADDRESSES, {**USUAL, "dhcp4": True})

    def test_the_wire_stays_with_the_port(self) -> None:
        wire = {
            "match": {"macaddress": MAC},
            "set-name": "eth0",
            "wakeonlan": True,
            "receive-checksum-offload": False,
            "auth": {"key-management": "802.1x", "password": "x"},
        }
        texts = {**wire, "wakeonlan": "true", "receive-checksum-offload": "false"}
        port, bridge = definitions(remembered({**texts, **DHCP, "optional": "true", "critical": "true"}))
        assert port == {**wire, **NO_ADDRESSES}
        assert bridge == {**USUAL, "dhcp4": True, "optional": True, "critical": True}

    def test_a_bond_keeps_its_ports_and_its_kind(self) -> None:
        of = remembered({"interfaces": ["a", "b"], "parameters": {"mode": "802.3ad"}, **DHCP}, kind="bonds")
        network = yaml.safe_load(NETPLAN.files(of, request())[OWN])["network"]
        assert network["bonds"]["eth0"]["interfaces"] == ["a", "b"]
        assert network["bonds"]["eth0"]["parameters"] == {"mode": "802.3ad"}
        assert network["bridges"]["br0"]["parameters"] == {"stp": False, "forward-delay": 0}

    def test_the_mtu_is_that_of_both(self) -> None:
        jumbo = remembered({**DHCP, "mtu": "9000"}, mtu=9000)
        assert [one.get("mtu") for one in definitions(jumbo)] == [9000, 9000]
        assert [one.get("mtu") for one in definitions(jumbo, mtu=1400)] == [1400, 1400]
        assert [one.get("mtu") for one in definitions(remembered(DHCP))] == [None, None]
        assert [one.get("mtu") for one in definitions(remembered(DHCP), mtu=1500)] == [1500, 1500]

    def test_stp(self) -> None:
        assert definitions(remembered(DHCP), stp=True, forward_delay=7)[1]["parameters"] == {"stp": True, "forward-delay": 7}

    def test_a_family_that_the_task_gives(self) -> None:
        static = family("static", "198.51.100.7/24", gateway="198.51.100.1")
        _port, bridge = definitions(remembered({**STATIC, "gateway4": "192.0.2.1", "accept-ra": "false"}), ipv4=static)
        assert bridge["addresses"] == ["2001:db8::10/64", "198.51.100.7/24"]
        assert bridge["routes"] == [
            {"to": "10.0.0.0/8", "via": "192.0.2.9"},
            {"to": "0.0.0.0/0", "via": "198.51.100.1"},
        ]
        assert (bridge["dhcp4"], bridge["accept-ra"]) == (False, False)
        assert "gateway4" not in bridge

    @pytest.mark.parametrize(("method", "dhcp6", "hears"), [("auto", False, True), ("dhcp", True, True), ("none", False, False)])
    def test_ipv6(self, method: str, dhcp6: bool, hears: bool) -> None:
        _port, bridge = definitions(remembered(STATIC), ipv6=family(method))
        assert (bridge["dhcp6"], bridge["accept-ra"]) == (dhcp6, hears)
        assert bridge["addresses"] == STATIC["addresses"][:2]

    def test_name_servers_of_the_task_are_the_only_ones(self) -> None:
        dns = {"servers": ["192.0.2.53"], "search": []}
        files = NETPLAN.files(remembered({**DHCP, "nameservers": {"search": ["old.test"]}}), request(dns=dns))
        bridge = yaml.safe_load(files[OWN])["network"]["bridges"]["br0"]
        assert bridge["nameservers"] == {"addresses": ["192.0.2.53"]}
        assert bridge["dhcp4-overrides"] == {"use-dns": False}
        assert files[DROP_IN].endswith("\n[DHCPv4]\nUseDNS=no\n\n[DHCPv6]\nUseDNS=no\n\n[IPv6AcceptRA]\nUseDNS=no\n")

    def test_what_netplan_has_no_words_for(self) -> None:
        identity = Identity(dhcp4=RFC4361, token="::7")
        files = NETPLAN.files(remembered(DHCP, identity=identity), request())
        assert list(files) == [OWN, DROP_IN]
        assert "IAID=2960177321\n" in files[DROP_IN]
        assert files[DROP_IN].endswith("\n[IPv6AcceptRA]\nToken=static:::7\n")
        # of a static address no server knows the host
        assert list(NETPLAN.files(remembered(STATIC, identity=Identity(dhcp4=RFC4361)), request())) == [OWN]

    def test_it_says_who_wrote_it(self) -> None:
        text = NETPLAN.files(remembered(DHCP), request())[OWN]
        assert text.startswith("# Written by the Ansible module kvmops.network.host_bridge: eth0 as the port of br0.\n# ")
        assert f"# eth0 was before is in comments in the file where it was, {SHARED}.\n" in text

    @pytest.mark.parametrize(
        ("match", "what"), [({"name": "en*"}, "name: en*"), ({"name": "eth1"}, "name: eth1"), ({"driver": "x"}, "a driver alone")]
    )
    def test_a_definition_of_several_interfaces_is_refused(self, match: dict[str, str], what: str) -> None:
        with pytest.raises(RefusedError) as caught:
            NETPLAN.files(remembered({**DHCP, "match": match}), request())
        assert str(caught.value) == (
            f"netplan's definition eth0 matches by {what}, and all interfaces that it matches would become ports of br0. Give "
            "eth0 a definition of its own first, with eth0 as its name."
        )

    @pytest.mark.parametrize(
        "match", [{"name": "eth0"}, {"macaddress": MAC, "name": "en*"}, {"name": "enp1s0", "macaddress": MAC}, {}]
    )
    def test_a_definition_of_one_interface_is_taken(self, match: dict[str, str]) -> None:
        assert definitions(remembered({**DHCP, "match": match}))[0]["match"] == match

    def test_without_a_definition_there_is_nothing_to_move(self) -> None:
        with pytest.raises(RefusedError) as caught:
            NETPLAN.expected(record(backend="netplan", origin=Origin("eth0", SHARED, "network: {}\n")), request())
        assert str(caught.value) == "netplan has no definition eth0. Give it one, so that there is something to move."


class TestOnNetworkManager:
    """What NetworkManager needs beside."""

    def test_profiles_have_names_and_what_servers_know(self) -> None:
        of = remembered(DHCP, renderer="NetworkManager", identity=Identity(dhcp4="01525400123456"), metrics={"4": 100})
        port, bridge = definitions(of)
        assert (port["networkmanager"]["name"], bridge["networkmanager"]["name"]) == ("kvmops-br0-port", "kvmops-br0")
        assert port["networkmanager"]["uuid"] != bridge["networkmanager"]["uuid"]
        assert "passthrough" not in port["networkmanager"]
        assert bridge["networkmanager"]["passthrough"] == {
            "ipv4.route-metric": 100,
            "ipv4.dhcp-timeout": 2147483647,
            "ipv4.dhcp-client-id": "01:52:54:00:12:34:56",
        }
        assert list(NETPLAN.variant(of).files(of, request())) == [OWN]

    def test_what_a_profile_had_beside_goes_where_it_belongs(self) -> None:
        given = {"ipv6.addr-gen-mode": "eui64", "ethernet.wake-on-lan": "64", "connection.timestamp": "7", "proxy._": ""}
        text = yaml.safe_dump(
            {"network": {"ethernets": {"eth0": {"dhcp4": True, "networkmanager": {"uuid": PROFILE, "passthrough": given}}}}}
        )
        network = yaml.load(text, Loader=yaml.BaseLoader)["network"]
        like = {"renderer": "NetworkManager", "networkmanager": {"uuid": PROFILE}}
        of = record(backend="netplan", origin=Origin("eth0", SHARED, origin_text(network, "eth0", like=like)))
        port, bridge = definitions(of)
        assert port["networkmanager"]["passthrough"] == {"ethernet.wake-on-lan": 64}
        assert bridge["networkmanager"]["passthrough"] == {
            "ipv6.addr-gen-mode": "eui64",
            "proxy._": "",
            "ipv4.dhcp-timeout": 2147483647,
        }

    @pytest.mark.parametrize(("method", "word"), [("auto", "auto"), ("dhcp", "auto"), ("none", "link-local")])
    def test_ipv6(self, method: str, word: str) -> None:
        _port, bridge = definitions(remembered(DHCP, renderer="NetworkManager"), ipv6=family(method))
        assert bridge["networkmanager"]["passthrough"]["ipv6.method"] == word

    @pytest.mark.parametrize(
        ("definition", "left"), [(DHCP, True), ({**DHCP, "dhcp6": "true"}, False), ({"addresses": ["2001:db8::1/64"]}, False)]
    )
    def test_who_hears_routers(self, definition: dict[str, t.Any], left: bool) -> None:
        of = remembered(definition, renderer="NetworkManager")
        commands = NETPLAN.variant(of).prepare(Move(of, to_bridge=True, fresh=True))
        assert [command[:2] for command in commands] == [("netplan", "generate"), ("systemctl", "stop"), ("sh", "-c")]
        assert ("1" in commands[2][4:8]) == left

    def test_it_follows_the_files_that_netplan_makes(self) -> None:
        of = remembered(DHCP, renderer="NetworkManager")
        variant = NETPLAN.variant(of)
        assert (variant.tools, variant.takes_leases_over) == (("netplan", "nmcli"), True)
        follow = variant.activate(Move(of, to_bridge=True, fresh=False))[-1]
        assert [f"/run/NetworkManager/system-connections/netplan-{name}.nmconnection" for name in ("br0", "eth0")] == [
            *follow[-2:]
        ]
        assert variant.activate(Move(of, to_bridge=False, fresh=True))[-1][-1] == PROFILE


class TestOnNetworkd:
    """When networkd is told what."""

    def test_to_the_bridge_it_makes_the_device_first(self) -> None:
        of = remembered(DHCP)
        variant = NETPLAN.variant(of)
        assert (variant.tools, variant.takes_leases_over) == (("netplan", "networkctl"), False)
        commands = variant.prepare(Move(of, to_bridge=True, fresh=True))
        assert [command[0] for command in commands] == ["sh", "sh", "netplan"]
        assert commands[0][3:] == ("make", "br0", MAC)
        assert variant.prepare(Move(of, to_bridge=True, fresh=False)) == [("netplan", "generate")]

    def test_to_the_uplink_it_knows_the_files_first(self) -> None:
        of = remembered(DHCP)
        assert [command[0] for command in NETPLAN.prepare(Move(of, to_bridge=False, fresh=True))] == ["netplan", "sh"]

    def test_all_files_of_its_own_come_early(self) -> None:
        changed = [SHARED, OWN, DROP_IN, path_of("br0")]
        for to_bridge in (True, False):
            assert NETPLAN.early_paths(Move(remembered(DHCP), to_bridge=to_bridge, fresh=True), changed) == changed[:3]


def test_what_is_expected() -> None:
    assert NETPLAN.expected(remembered(STATIC), request()) == Expected(
        addresses=("192.0.2.10/24", "192.0.2.11/24", "2001:db8::10/64"), gateways=("192.0.2.1",)
    )
    others = {
        **DHCP,
        "dhcp6": "yes",
        "gateway6": "2001:DB8::1",
        "routes": [{"to": "0.0.0.0/0", "via": "192.0.2.7", "table": "7"}],
    }
    assert NETPLAN.expected(remembered(others), request()) == Expected(dhcp=(4, 6), gateways=("2001:db8::1",))


CLOUD = """\
network:
    version: 2
    ethernets:
        eth0:  # the uplink
            addresses: [192.0.2.10/24]
            gateway4: 192.0.2.1
        eth1: {optional: true}
"""


class TestPlans:
    """What becomes of the files, from nothing to a bridge and back."""

    def plan(self, files: dict[str, str], *, known: Record | None = None, **more: t.Any) -> Plan:
        options = {key: value for key, value in more.items() if key not in ("cloud_init", "links")}
        texts = [files[path] for path in sorted(files)]
        network = yaml.load(texts[0], Loader=yaml.BaseLoader)["network"] if known is None else {}
        text = origin_text(network, "eth0", like={"renderer": "networkd"})
        found = Host(
            links=more.get("links") or (static_links() if known is None else bridged_links()),
            records={} if known is None else {"br0": known},
            managers=("netplan",),
            management=Management("netplan", Origin("eth0", SHARED, text)),
            files={path: text.encode() for path, text in files.items()},
            cloud_init=more.get("cloud_init", False),
        )
        subject, paths = subject_of(request(**options), found, {"netplan": NETPLAN})
        assert [path for path in paths if path not in (OWN, DROP_IN, path_of("br0"))] == [SHARED]
        return make_plan(request(**options), found, subject, NETPLAN)

    def after(self, files: dict[str, str], plan: Plan) -> dict[str, str]:
        changed = {change.path: change.after for change in plan.files}
        kept = {path: text for path, text in files.items() if path not in changed}
        return {**kept, **{path: content.decode() for path, content in changed.items() if content is not None}}

    def bridged(self) -> tuple[dict[str, str], Record]:
        plan = self.plan({SHARED: CLOUD})
        assert plan.record is not None
        files = self.after({SHARED: CLOUD}, plan)
        assert sorted(files) == sorted([SHARED, OWN, path_of("br0")])
        return files, Record.from_text(files[path_of("br0")], path="")

    def test_there_and_back(self) -> None:
        files, known = self.bridged()
        assert yaml.safe_load(files[SHARED])["network"]["ethernets"] == {"eth1": {"optional": True}}
        assert not self.plan(files, known=known).changed
        back = self.plan(files, known=known, state="absent")
        assert back.goal is not None
        assert (back.goal.addresses, back.goal.gateways) == (("192.0.2.10/24",), ("192.0.2.1",))
        assert self.after(files, back) == {SHARED: CLOUD}
        assert shortfalls(back.goal, static_links()) == []

    def test_what_somebody_edited_meanwhile_stays(self) -> None:
        files, known = self.bridged()
        files[SHARED] = files[SHARED].replace("192.0.2.10/24", "192.0.2.99/24") + "        eth2: {optional: true}\n"
        back = self.plan(files, known=known, state="absent")
        assert back.goal is not None
        assert back.goal.addresses == ("192.0.2.99/24",)
        expected = CLOUD.replace("192.0.2.10/24", "192.0.2.99/24") + "        eth2: {optional: true}\n"
        assert self.after(files, back) == {SHARED: expected}

    def test_a_definition_that_is_back_is_taken_out_again(self) -> None:
        """As after cloud-init has written it anew, in the same file or in another one."""
        files, known = self.bridged()
        for path in (SHARED, "/etc/netplan/99-more.yaml"):
            found = {**files, path: CLOUD}
            mended = self.plan(found, known=known)
            assert mended.reasons == (f"{path} is not as wanted",)
            assert yaml.safe_load(self.after(found, mended)[path])["network"]["ethernets"] == {"eth1": {"optional": True}}

    def test_a_definition_that_somebody_removed_comes_back(self) -> None:
        files, known = self.bridged()
        rest = "network:\n  ethernets:\n    eth1: {optional: true}\n"
        back = self.after({**files, SHARED: rest}, self.plan({**files, SHARED: rest}, known=known, state="absent"))
        assert (back.pop(SHARED), list(back)) == (rest, ["/etc/netplan/60-eth0.yaml"])
        del files[SHARED]
        gone = self.after(files, self.plan(files, known=known, state="absent"))
        assert list(gone) == [SHARED]
        definition = yaml.safe_load(gone[SHARED])["network"]["ethernets"]["eth0"]
        assert definition == {"addresses": ["192.0.2.10/24"], "gateway4": "192.0.2.1", "renderer": "networkd"}

    @pytest.mark.parametrize("made", [False, True])
    def test_cloud_init_is_named(self, made: bool) -> None:
        files, known = self.bridged()
        plan = self.plan(files, known=known, cloud_init=True) if made else self.plan({SHARED: CLOUD}, cloud_init=True)
        assert plan.changed is not made
        assert plan.warnings == (
            "cloud-init may write netplan's files of this host again (for a new instance, or when it is told to), and eth0 would "
            "have addresses beside br0 until the next run of this task. Keep it from that: write 'network: {config: disabled}' "
            "to /etc/cloud/cloud.cfg.d/99-disable-network-config.cfg.",
        )
        assert self.plan({SHARED: CLOUD}).warnings == ()

    def test_a_definition_in_braces_is_refused(self) -> None:
        text = "network: {version: 2, ethernets: {eth0: {dhcp4: true}, eth1: {}}}\n"
        with pytest.raises(RefusedError) as caught:
            self.plan({SHARED: text})
        assert str(caught.value) == (
            f"{SHARED} defines eth0 in a way that cannot be taken out line by line: in braces, or with an anchor that others "
            "use. Write the definition as lines of its own first."
        )

    def test_at_boot_netplan_writes_its_files_anew(self) -> None:
        change = self.plan({SHARED: CLOUD}).transaction("3f9a01c2", request(), NETPLAN)
        assert change.revert_at_boot == (("netplan", "generate"),)
        assert change.apply_early == (SHARED, OWN)
        assert change.revert_early == (SHARED, OWN)
