# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Network filters: made, changed, removed, and refused."""

from __future__ import annotations

import ipaddress
import typing as t

import libvirt
import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge.links import Host, Link
from ansible_collections.kvmops.network.plugins.module_utils._nwfilter import task
from ansible_collections.kvmops.network.plugins.modules import libvirt_nwfilter, libvirt_nwfilter_info
from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import GUEST_XML, run_main
from ansible_collections.kvmops.network.tests.unit.plugins.support.nwfilters import (
    STOCK,
    FakeFilters,
    apply_filter,
    filter_info,
    filter_task,
    give_filters,
    predict_filter,
)

MAC = "52:54:00:00:00:01"
LOCAL = {"subnets": ["192.168.64.0/24"]}


@pytest.fixture
def filters(driver: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch) -> FakeFilters:
    """Return the filters of a host without guests."""
    assert driver.listAllDomains() == []
    return give_filters(monkeypatch)


def make_guest(driver: libvirt.virConnect, name: str, filter_name: str, *, running: bool) -> None:
    nic = f"<interface type='bridge'><mac address='{MAC}'/><source bridge='br0'/><filterref filter='{filter_name}'/></interface>"
    domain = driver.defineXML(GUEST_XML.format(name=name, nics=nic))
    if running:
        domain.create()


def test_made_repeated_changed_and_removed(filters: FakeFilters) -> None:
    # seed 004-l
    options: dict[str, t.Any] = {"name": "web", "rules": ["block in to port 22", "pass any"]}
    expected = predict_filter(**options)
    assert filters.changes == []
    made = apply_filter(**options)
    assert made.changed
    assert made.data["actions"] == expected.data["actions"] == ["define: the filter does not exist"]
    assert made.diff == expected.diff
    assert made.diff is not None
    assert made.diff["before"] == "state: absent\n"
    assert '<ip protocol="tcp" dstportstart="22"/>' in made.diff["after"]
    assert "<uuid>(generated)</uuid>" in made.diff["after"]
    assert made.data["filter"]["uuid"] in filters.documents["web"]
    assert expected.data["filter"] == {**made.data["filter"], "uuid": None, "xml": expected.data["filter"]["xml"]}

    again = apply_filter(**options)
    assert not again.changed
    assert again.data["actions"] == []
    assert again.diff is None

    options["rules"] = ["pass in to port 22", "block in"]
    expected = predict_filter(**options)
    changed = apply_filter(**options)
    assert changed.data["actions"] == expected.data["actions"] == ["define: rules differ"]
    assert changed.diff == expected.diff
    assert changed.data["filter"]["uuid"] == made.data["filter"]["uuid"]
    # seed 004-l: applying replaces all
    assert "drop" in made.data["filter"]["xml"]
    assert [rule["action"] for rule in changed.data["filter"]["rules"]].count("drop") == 2
    assert not apply_filter(**options).changed

    expected = predict_filter(name="web", state="absent")
    gone = apply_filter(name="web", state="absent")
    assert gone.data["actions"] == expected.data["actions"] == ["undefine: the filter shall be absent"]
    assert gone.diff == expected.diff
    assert gone.data["filter"]["exists"] is False
    assert not apply_filter(name="web", state="absent").changed
    assert filters.changes == ["define web", "define web", "undefine web"]


@pytest.mark.usefixtures("filters")
def test_the_order_of_rules_counts() -> None:
    # seed 004-l: the first match wins
    apply_filter(name="web", rules=["pass in to port 22", "block in"])
    assert apply_filter(name="web", rules=["block in", "pass in to port 22"]).changed


@pytest.mark.usefixtures("filters")
def test_a_filter_made_of_others() -> None:
    options: dict[str, t.Any] = {
        "name": "clean",
        "filters": [
            {"filter": "clean-traffic", "parameters": [{"name": "IP", "value": "10.0.0.2"}, {"name": "IP", "value": "10.0.0.1"}]},
            {"filter": "allow-arp"},
        ],
    }
    made = apply_filter(**options)
    assert made.data["filter"]["rules"] == []
    assert made.data["filter"]["chain"] == "root"
    assert [each["filter"] for each in made.data["filter"]["filters"]] == ["allow-arp", "clean-traffic"]
    assert made.data["filter"]["filters"][1]["parameters"] == options["filters"][0]["parameters"]
    options["filters"].reverse()
    assert not apply_filter(**options).changed
    options["filters"][1]["parameters"].reverse()
    assert apply_filter(**options).data["actions"] == ["define: filters differ"]
    both = apply_filter(**options, rules=["block any"])
    assert both.data["actions"] == ["define: rules and chain differ"]
    assert len(both.data["filter"]["filters"]) == 2
    (clean,) = filter_info(names=["clean-traffic"])
    assert clean["used_by_filters"] == ["clean"]


@pytest.mark.usefixtures("filters")
def test_filters_that_are_missing_are_named_for_the_playbook() -> None:
    assert filter_task(name="f", filters=[{"filter": "nosuch"}]).data["missing_filters"] == ["nosuch"]


@pytest.mark.usefixtures("filters")
def test_a_whole_document() -> None:
    document = "<filter name='no-ipv6' chain='root'><rule action='drop' direction='inout'><ipv6/></rule></filter>"
    assert apply_filter(name="no-ipv6", xml=document).changed
    assert not apply_filter(name="no-ipv6", xml=f"<!-- the same -->{document}").changed
    assert not apply_filter(name="no-ipv6", xml=document.replace("'inout'", "'inout' priority='500'")).changed
    assert apply_filter(name="no-ipv6", xml=document.replace("'inout'", "'inout' priority='1'")).changed


@pytest.mark.usefixtures("filters")
def test_without_a_definition_it_stays_as_it_is() -> None:
    apply_filter(name="web", rules=["block in"])
    kept = apply_filter(name="web")
    assert not kept.changed
    assert kept.data["filter"]["rules"]
    for options in ({"rules": []}, {"filters": []}):
        assert apply_filter(name="web", **options).changed or options == {"filters": []}
    assert apply_filter(name="web").data["filter"]["rules"] == []


def link(name: str, *addresses: str) -> Link:
    interfaces = tuple(ipaddress.ip_interface(address) for address in addresses)
    return Link(name=name, mac=None, kind="", master=None, wireless=False, addresses=interfaces)


@pytest.mark.usefixtures("filters")
def test_the_hosts_own_addresses_are_local(monkeypatch: pytest.MonkeyPatch) -> None:
    # seed 004-k
    links = [
        link("lo", "127.0.0.1/8", "::1/128"),
        link("eth0", "10.77.0.5/24", "fe80::1/64", "2001:db8::5/64"),
        link("virbr64", "192.168.64.1/24"),
    ]
    monkeypatch.setattr(task, "see_links", lambda _module: Host(links={each.name: each for each in links}))
    made = apply_filter(name="f", rules=["block local"], local=LOCAL)
    addresses = {rule["matches"].get("dstipaddr") for rule in made.data["filter"]["rules"]}
    assert addresses >= {"10.77.0.5", "2001:db8::5"}
    assert not addresses & {"127.0.0.1", "::1", "fe80::1"}
    links.append(link("eth1", "10.88.0.5/24"))
    assert apply_filter(name="f", rules=["block local"], local=LOCAL).changed
    without = apply_filter(name="f", rules=["block local"], local={**LOCAL, "host_addresses": False})
    assert "10.77.0.5" not in without.data["filter"]["xml"]
    assert "10.77.0.5" not in apply_filter(name="f", rules=["block guests"], local=LOCAL).data["filter"]["xml"]


def test_in_force_at_once_for_those_that_run(driver: libvirt.virConnect, filters: FakeFilters) -> None:
    apply_filter(name="web", rules=["block in"])
    filters.define("<filter name='outer' chain='root'><filterref filter='web'/></filter>")
    make_guest(driver, "runs", "outer", running=True)
    changed = apply_filter(name="web", rules=["block out"])
    assert changed.data["actions"] == [f"define: rules differ, in force at once for runs ({MAC})"]
    (nic,) = changed.data["filter"]["nics"]
    assert (nic["domain"], nic["mac"], nic["running"]) == ("runs", MAC, True)
    assert changed.data["filter"]["used_by_filters"] == ["outer"]


@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize("check", [True, False])
def test_in_use_it_cannot_go(driver: libvirt.virConnect, filters: FakeFilters, running: bool, check: bool) -> None:
    apply_filter(name="web", rules=["block in"])
    filters.define("<filter name='outer' chain='root'><filterref filter='web'/></filter>")
    make_guest(driver, "user", "web", running=running)
    filters.changes.clear()
    result = filter_task(name="web", state="absent", check=check)
    assert result.failed
    assert result.msg == (
        f"The filter 'web' is in use by user ({MAC}), the filter 'outer', and cannot go before that ends: give them another "
        "filter, or none, first."
    )
    assert filters.changes == []


def test_what_libvirt_refuses(filters: FakeFilters) -> None:
    apply_filter(name="web", rules=["block in"])
    filters.refusal = "the firewall is on strike"
    result = filter_task(name="web", rules=["block out"])
    assert result.failed
    assert result.msg == "libvirt refused to define the filter 'web': the firewall is on strike. It is as it was."
    result = filter_task(name="web", state="absent")
    assert result.msg == "libvirt refused to remove the filter 'web': the firewall is on strike. It is as it was."


def test_what_libvirt_makes_of_it_is_looked_at(filters: FakeFilters, monkeypatch: pytest.MonkeyPatch) -> None:
    define = filters.define
    monkeypatch.setattr(filters, "define", lambda xml: define(xml.replace('direction="in"', 'direction="out"')))
    result = apply_filter(name="web", rules=["block in"])
    assert result.own_warnings == [
        "libvirt has stored the filter 'web' otherwise than it was written, see 'filter' in the result."
    ]
    assert {rule["direction"] for rule in result.data["filter"]["rules"]} == {"out"}


F = "<filter name='f' chain='root'>{}</filter>"


@pytest.mark.usefixtures("filters")
@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"name": "a b"}, "name: 'a b' cannot name a filter; begin with a letter, and use letters, digits, '_', '.' and '-'."),
        (
            {"name": "clen-traffic"},
            "The filter 'clen-traffic' does not exist, and the task does not say what it does; give rules, filters or xml, or "
            "correct the name.",
        ),
        ({"state": "absent", "rules": []}, "rules: says nothing of a filter that shall be absent; leave it out."),
        ({"rules": [], "xml": F}, "rules: not possible beside xml, which is a whole document; leave one of them out."),
        (
            {"xml": F, "local": LOCAL},
            "local: it says what words of rules mean, and there are no rules;",
        ),
        (
            {"rules": ["block in", "block in to 1.1.1.300"]},
            "rules[1]: 'block in to 1.1.1.300': '1.1.1.300', its word 4, cannot be there",
        ),
        ({"rules": ["block local"], "local": {"subnets": []}}, "local.subnets: it is empty; give the guests' subnets"),
        (
            {"rules": ["block local"], "local": {"subnets": ["10.0.0.1"]}},
            "local.subnets[0]: '10.0.0.1' is no subnet; write one such as",
        ),
        ({"rules": ["block local"], "local": {"subnets": ["10.0.0.1/8"]}}, "local.subnets[0]: '10.0.0.1/8' is no subnet;"),
        (
            {"rules": [], "local": {**LOCAL, "gateways": ["x"]}},
            "local.gateways[0]: 'x' is no address; write one such as 192.168.64.1.",
        ),
        (
            {"rules": [], "local": {**LOCAL, "gateways": ["10.0.0.1"]}},
            "local.gateways[0]: '10.0.0.1' is in none of local.subnets; give the host's address on the guests' network.",
        ),
        (
            {"filters": [{"filter": "nosuch"}]},
            "filters: there is no filter 'nosuch' on this host; correct the name, or make it first. There are: allow-arp, "
            "clean-traffic.",
        ),
        ({"filters": [{"filter": "f"}]}, "filters[0].filter: the filter 'f' would refer to itself; name another one."),
        ({"filters": [{"filter": "$(id)"}]}, "filters[0].filter: '$(id)' cannot name a filter;"),
        (
            {"filters": [{"filter": "allow-arp"}, {"filter": "allow-arp"}]},
            "filters: 'allow-arp' is there twice with the same parameters; leave one.",
        ),
        (
            {"filters": [{"filter": "allow-arp", "parameters": [{"name": "I P", "value": "x"}]}]},
            "filters[0].parameters: 'I P' cannot name a parameter; use letters, digits and '_'.",
        ),
        (
            {"filters": [{"filter": "allow-arp", "parameters": [{"name": "IP", "value": "<x/>"}]}]},
            "filters[0].parameters: '<x/>' cannot be the value of IP; use letters, digits, '_', '.' and ':'.",
        ),
        (
            {"filters": [{"filter": "allow-arp", "parameters": [{"name": "CTRL_IP_LEARNING", "value": "dhcp"}]}]},
            "filters[0].parameters: libvirt looks for CTRL_IP_LEARNING at the NIC alone; give it in filterref.parameters of the",
        ),
        (
            {"xml": F.format("<filterref filter='a'><parameter name='DHCPSERVER' value='10.0.0.1'/></filterref>")},
            "xml: libvirt looks for DHCPSERVER at the NIC alone; give it in filterref.parameters of the NIC.",
        ),
        ({"xml": "<filter"}, "xml: The XML cannot be read"),
        ({"xml": "<network/>"}, "xml: The XML is a <network> document; a <filter> document is needed."),
        ({"xml": F.replace("'f'", "'g'")}, "xml: the document's name is 'g', and name is 'f'; make them equal."),
        ({"xml": F.format("<filterref filter='f'/>")}, "xml: the filter 'f' refers to itself; remove that reference."),
        (
            {"xml": F.format("<rule action='drop' direction='in'><ip port='22'/></rule>")},
            "The filter does not fit the schema of the libvirt",
        ),
        ({"rules": [], "lock_timeout": -1}, "lock_timeout: '-1' is less than nothing; give seconds, 0 for not waiting."),
    ],
)
def test_wrong_input(options: dict[str, t.Any], sentence: str, check: bool) -> None:
    before = filter_info()
    result = filter_task(**{"name": "f", **options}, check=check)
    assert result.failed
    assert result.msg.startswith(sentence)
    assert result.msg[-1] == "."
    assert filter_info() == before


def test_filters_cannot_go_in_a_circle(filters: FakeFilters) -> None:
    apply_filter(name="f", rules=[])
    filters.define("<filter name='g' chain='root'><filterref filter='h'/></filter>")
    filters.define("<filter name='h' chain='root'><filterref filter='f'/></filter>")
    result = filter_task(name="f", filters=[{"filter": "g"}])
    assert result.msg == "filters: 'g' refers to 'f' itself, and filters cannot go in a circle; leave it out."


def test_another_uuid_is_refused(filters: FakeFilters) -> None:
    apply_filter(name="f", rules=[])
    own = filter_info(names=["f"])[0]["uuid"]
    other = "fd59ad29-5bf7-4471-8b71-d9d7f3d9a1e0"
    result = filter_task(name="f", xml=F.format(f"<uuid>{other}</uuid>"))
    assert result.msg == f"xml: the document's <uuid> is '{other}', and the filter 'f' has {own}; leave <uuid> out."
    filters.changes.clear()
    assert apply_filter(name="f", xml=F.format(f"<uuid>{own}</uuid><rule action='drop' direction='in'/>")).changed
    assert apply_filter(name="g", xml=F.replace("'f'", "'g'").format(f"<uuid>{other}</uuid>")).data["filter"]["uuid"] == other


@pytest.mark.usefixtures("driver")
@pytest.mark.parametrize("main", [libvirt_nwfilter.main, libvirt_nwfilter_info.main])
def test_a_libvirt_without_filters(main: t.Callable[[], t.NoReturn]) -> None:
    # libvirt's test driver itself
    result = run_main(main, {"name": "f", "rules": []} if main is libvirt_nwfilter.main else {})
    assert result.failed
    assert result.msg == (
        "This libvirt has no network filters. Install its driver for them (Debian and Fedora: the package "
        "libvirt-daemon-driver-nwfilter), or correct the option uri."
    )


def test_reading(driver: libvirt.virConnect, filters: FakeFilters) -> None:
    apply_filter(name="web", rules=["block in to port 22"], filters=[{"filter": "clean-traffic"}])
    make_guest(driver, "guest", "web", running=False)
    found = filter_info()
    assert [each["name"] for each in found] == [*STOCK, "web"]
    assert found[1]["used_by_filters"] == ["web"]
    assert found[1]["nics"] == found[2]["nics"] == [{"domain": "guest", "mac": MAC, "device": None, "running": False}]
    drops = [rule for rule in found[2]["rules"] if rule["action"] == "drop"]
    assert drops[0] == {
        "action": "drop",
        "direction": "in",
        "priority": 3,
        "protocol": "ip",
        "matches": {"protocol": "tcp", "dstportstart": "22"},
        "matches_not": {},
    }
    result = run_main(libvirt_nwfilter_info.main, {"names": ["web", "nosuch"]})
    assert result.data["missing"] == ["nosuch"]
    assert [each["name"] for each in result.data["filters"]] == ["web"]
    # gone between the list and the look
    filters.documents.pop("allow-arp")
    assert [each["name"] for each in filter_info()] == ["clean-traffic", "web"]
