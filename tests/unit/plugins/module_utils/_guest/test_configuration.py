# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What a guest is told of its network. The script itself is run in tests/unit/guest."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._guest.configuration import Configuration

OPTIONS: dict[str, t.Any] = {
    "hostname": "wso-3332a2",
    "mac": "52:54:00:14:25:51",
    "address": "192.168.100.229/24",
    "gateway": "192.168.100.1",
    "nameservers": ["8.8.8.8", "8.8.4.4"],
}


def read(**options: t.Any) -> Configuration:
    return Configuration.read(**{**OPTIONS, **options})


# seed 003-58
def test_what_cloud_init_reads() -> None:
    seed = read().seed()
    assert set(seed) == {"meta-data", "user-data", "vendor-data", "network-config"}
    assert yaml.safe_load(seed["meta-data"]) == {"instance-id": "wso-3332a2-525400142551", "local-hostname": "wso-3332a2"}
    assert yaml.safe_load(seed["network-config"]) == {
        "version": 2,
        "ethernets": {
            "guest": {
                "match": {"macaddress": "52:54:00:14:25:51"},
                "dhcp4": False,
                "addresses": ["192.168.100.229/24"],
                "routes": [{"to": "0.0.0.0/0", "via": "192.168.100.1"}],
                "nameservers": {"addresses": ["8.8.8.8", "8.8.4.4"]},
            }
        },
    }
    assert seed["user-data"].startswith("#cloud-config\n")
    assert yaml.safe_load(seed["user-data"]) == {}


def test_another_address_gets_there_at_the_next_boot() -> None:
    """Without that cloud-init looks at the network once, at the first boot; the instance stays the same one."""
    seed = read().seed("the user's own")
    assert seed["vendor-data"].startswith("#cloud-config\n")
    assert yaml.safe_load(seed["vendor-data"]) == {"updates": {"network": {"when": ["boot-new-instance", "boot"]}}}
    assert read(address="192.168.100.77/24").seed()["meta-data"] == seed["meta-data"]


def test_a_network_without_a_way_out() -> None:
    configuration = read(gateway=None, nameservers=[])
    ethernet = yaml.safe_load(configuration.seed()["network-config"])["ethernets"]["guest"]
    assert set(ethernet) == {"match", "dhcp4", "addresses"}
    assert "gateway=''\n" in configuration.script
    assert "nameservers=''\n" in configuration.script


def test_the_users_own_text_is_taken_as_it_is() -> None:
    text = "#!/bin/sh\necho 'grün' \"$HOME\"\n"
    assert read().seed(text)["user-data"] == text
    assert read().seed("")["user-data"] == ""


def test_the_values_of_the_script() -> None:
    head = read(mac="52:54:00:AA:BB:CC", address="10.7.246.110/20", gateway="10.7.240.1").script.splitlines()[4:10]
    assert head == [
        "mac=52:54:00:aa:bb:cc",
        "address=10.7.246.110",
        "prefix=20",
        "netmask=255.255.240.0",
        "gateway=10.7.240.1",
        "nameservers='8.8.8.8 8.8.4.4'",
    ]


def test_the_same_values_make_the_same_files() -> None:
    again = read(mac="52:54:00:14:25:51".upper(), nameservers=["8.8.8.8", "8.8.4.4", "8.8.8.8"])
    assert again == read()
    assert again.script == read().script
    assert again.seed() == read().seed()


@given(st.lists(st.ip_addresses().filter(lambda a: not a.is_multicast and not a.is_unspecified), max_size=3, unique=True))
def test_name_servers_of_both_families(servers: list[t.Any]) -> None:
    configuration = read(nameservers=map(str, servers))
    ethernet = yaml.safe_load(configuration.seed()["network-config"])["ethernets"]["guest"]
    assert ethernet.get("nameservers", {"addresses": []})["addresses"] == list(map(str, servers))


@given(st.from_regex(r"[a-z][a-z0-9]{0,20}", fullmatch=True))
def test_yaml_takes_every_hostname_for_text(name: str) -> None:
    """Some names are numbers, truth values or nothing to YAML."""
    for hostname in (name, "no", "null", "e1", "true"):
        meta = yaml.safe_load(read(hostname=hostname).seed()["meta-data"])
        assert meta["local-hostname"] == hostname


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"hostname": "a b"}, "The guest's name 'a b' cannot be a host's name;"),
        ({"mac": "here"}, "mac: 'here' is no MAC address;"),
        ({"mac": "01:00:5e:00:00:01"}, "mac: '01:00:5e:00:00:01' is a group address"),
        ({"address": "192.168.100.229"}, "address: '192.168.100.229' has no prefix; write it as 192.0.2.10/24."),
        ({"address": "fd00::1/64"}, "address: 'fd00::1/64' is an IPv6 address;"),
        ({"address": "192.168.100.0/24"}, "address: '192.168.100.0/24' is the network's or the broadcast address"),
        ({"address": "1.2.3.4/24;reboot"}, "address: '1.2.3.4/24;reboot' is no address;"),
        ({"gateway": "there"}, "gateway: 'there' is no IPv4 address; give one such as 192.168.100.1."),
        ({"gateway": ""}, "gateway: '' is no IPv4 address;"),
        ({"gateway": "192.168.101.1"}, "gateway: 192.168.101.1 is no host's address in the guest's subnet 192.168.100.0/24;"),
        ({"gateway": "192.168.100.255"}, "gateway: 192.168.100.255 is no host's address in the guest's subnet"),
        ({"gateway": "192.168.100.229"}, "gateway: 192.168.100.229 is the guest's own address;"),
        ({"nameservers": ["dns.google"]}, "nameservers: 'dns.google' is no IP address; give one such as 8.8.8.8."),
        ({"nameservers": ["fe80::1%$(reboot)"]}, "nameservers: 'fe80::1%$(reboot)' is no IP address;"),
        ({"nameservers": ["0.0.0.0"]}, "nameservers: '0.0.0.0' is no address of a server;"),
        (
            {"nameservers": ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"]},
            "nameservers: there are 4, and guests ask the first 3 alone; leave out the others.",
        ),
    ],
)
def test_each_mistake_has_its_sentence(options: dict[str, t.Any], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        read(**options)
    assert str(caught.value).startswith(sentence)
