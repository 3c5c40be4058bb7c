# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Whether ifupdown configures a link, from which files, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._bridge.host import Management
from ansible_collections.kvmops.network.plugins.module_utils._bridge.record import Identity, Origin
from ansible_collections.kvmops.network.plugins.module_utils._edge import ifupdown
from ansible_collections.kvmops.network.plugins.module_utils._errors import RefusedError
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._bridge.builders import device


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(ifupdown, "_FILES", tuple(f"{tmp_path}{pattern}" for pattern in ifupdown._FILES))
    monkeypatch.setattr(ifupdown, "_PROGRAMS", tuple(f"{tmp_path}{program}" for program in ifupdown._PROGRAMS))
    (tmp_path / "etc/network/interfaces.d").mkdir(parents=True)
    (tmp_path / "usr/sbin").mkdir(parents=True)
    (tmp_path / "usr/sbin/ifup").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("auto eth0\niface eth0 inet dhcp\n", True),
        ("  iface\teth0 inet6 auto\n", True),
        ("iface eth0.7 inet dhcp\n", False),
        ("iface eth01 inet dhcp\n", False),
        ("iface xeth0 inet dhcp\n", False),
        ("# iface eth0 inet dhcp\n", False),
        ("auto eth0\n", False),
        ("iface ethX0 inet dhcp\n", False),
        ("source /etc/network/interfaces.d/*\n", False),
        ("\xff\niface eth0 inet dhcp\n", True),
        ("", False),
    ],
)
@pytest.mark.parametrize("name", ["interfaces", "interfaces.d/setup"])
def test_stanzas(root: Path, name: str, text: str, expected: bool) -> None:
    (root / "etc/network" / name).write_text(text, encoding="latin-1")
    assert ifupdown.manages(device("eth0")) == expected


def test_a_name_is_no_pattern(root: Path) -> None:
    (root / "etc/network/interfaces").write_text("iface ethX7 inet dhcp\n")
    assert not ifupdown.manages(device("eth.7"))
    (root / "etc/network/interfaces").write_text("iface eth.7 inet dhcp\n")
    assert ifupdown.manages(device("eth.7"))


def test_without_the_program_nobody_reads_the_file(root: Path) -> None:
    (root / "etc/network/interfaces").write_text("iface eth0 inet dhcp\n")
    (root / "usr/sbin/ifup").unlink()
    assert not ifupdown.manages(device("eth0"))


def test_a_folder_in_the_place_of_a_file(root: Path) -> None:
    (root / "etc/network/interfaces.d/folder").mkdir()
    assert not ifupdown.manages(device("eth0"))


class Ifupdown:
    """A host of ifupdown under a temporary folder: files, processes, and what its programs say."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.said = "ifup version 0.8.44\nCopyright (c) 1999-2009 Anthony Towns\n"
        self.state = "eth0=eth0\n"
        self.write("/etc/network/interfaces", f"source {root}/etc/network/interfaces.d/*\n")
        self.write("/etc/network/interfaces.d/eth0", "auto eth0\niface eth0 inet dhcp\n")
        self.write("/proc/7/comm", "dhclient\n")
        self.write("/proc/7/cmdline", "dhclient\0-4\0eth0\0")

    def __call__(self, command: list[str]) -> tuple[int, str, str]:
        return 0, {"ifup": self.said, "ifquery": self.state}[command[0]], ""

    def write(self, path: str, text: str) -> None:
        place = self.root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    def read(self) -> Management:
        return ifupdown.read_management(self, device("eth0"), "br0")


@pytest.fixture
def host(root: Path, monkeypatch: pytest.MonkeyPatch) -> Ifupdown:
    for name in ("_DHCLIENT_CONF", "_DHCPCD_RUN", "_DUID_FILES"):
        monkeypatch.setattr(ifupdown, name, tuple(f"{root}{path}" for path in getattr(ifupdown, name)))
    for name in ("_MAIN", "_PROCESSES", "_DHCPCD_CONF", "FOLDER"):
        monkeypatch.setattr(ifupdown, name, f"{root}{getattr(ifupdown, name)}")
    return Ifupdown(root)


def test_a_lease_of_dhclient(host: Ifupdown) -> None:
    path = f"{host.root}/etc/network/interfaces.d/eth0"
    assert host.read() == Management("ifupdown", Origin("eth0", path, "auto eth0\niface eth0 inet dhcp\n"))


def test_a_lease_of_dhcpcd(host: Ifupdown) -> None:
    host.write("/proc/7/comm", "dhcpcd\n")
    host.write("/run/dhcpcd/eth0.pid", "7\n")
    host.write("/etc/dhcpcd.conf", "# clientid\nduid\n")
    host.write("/var/lib/dhcpcd/duid", "00:01:00:01:32:9c:e3:9b:02:77:42:6d:2c:ca\n")
    assert host.read().identity == Identity(
        dhcp4="ff0012345600010001329ce39b0277426d2cca", dhcp6="00010001329ce39b0277426d2cca", iaid=0x00123456
    )
    host.write("/etc/dhcpcd.conf", "clientid\n")
    assert host.read().identity == Identity()
    host.write("/etc/dhcpcd.conf", "duid\n")
    host.write("/var/lib/dhcpcd/duid", "nonsense\n")
    assert host.read().identity == Identity()


def test_a_fixed_address_needs_no_client(host: Ifupdown) -> None:
    host.write("/proc/7/comm", "sh\n")
    host.write("/etc/network/interfaces.d/eth0", "iface eth0 inet static\n")
    assert host.read().identity == Identity()


def test_stanzas_in_several_files(host: Ifupdown) -> None:
    host.write("/etc/network/interfaces.d/six", "iface eth0 inet6 auto\n")
    host.write("/etc/network/interfaces.d/other", "iface eth1 inet dhcp\n")
    origin = host.read().origin
    assert origin.path.endswith("/interfaces.d/eth0")
    assert origin.text == "auto eth0\niface eth0 inet dhcp\n\niface eth0 inet6 auto\n"


def test_files_that_read_each_other(host: Ifupdown) -> None:
    host.write("/etc/network/interfaces.d/more", "source ../interfaces\nsource more\n")
    assert host.read().origin.text == "auto eth0\niface eth0 inet dhcp\n"


def test_only_files_that_it_reads_count(host: Ifupdown) -> None:
    host.write("/etc/network/interfaces", "source-directory interfaces.d\n")
    host.write("/etc/network/interfaces.d/eth0.bak", "iface eth0 inet ppp\n")
    assert "ppp" not in host.read().origin.text


@pytest.mark.parametrize(
    ("path", "text", "sentence"),
    [
        (
            "/etc/network/interfaces",
            "iface eth0 inet dhcp\nsource /etc/network/interfaces.d/*.cfg\n",
            "ifupdown does not read @/etc/network/interfaces.d/kvmops-br0, where the bridge would be written down. Add the line "
            "'source @/etc/network/interfaces.d/*' to @/etc/network/interfaces.",
        ),
        (
            "/etc/dhcp/dhclient.conf",
            'send host-name "x";\ninterface "eth0" {\n}\n',
            "@/etc/dhcp/dhclient.conf has a part for the interface eth0 alone, which the bridge would not have. Write it there "
            "for all interfaces first.",
        ),
        (
            "/etc/dhcpcd.conf",
            "duid\ninterface eth0\n",
            "@/etc/dhcpcd.conf has a part for the interface eth0 alone, which the bridge would not have. Write it there for all "
            "interfaces first.",
        ),
        (
            "/proc/7/cmdline",
            "dhclient\0-4\0eth1\0",
            "eth0 has its address from a DHCP server, and neither dhclient nor dhcpcd asks for it. Install isc-dhcp-client or "
            "dhcpcd-base, and run 'ifdown eth0; ifup eth0'.",
        ),
        (
            "/etc/network/interfaces.d/more",
            "iface br0 inet manual\n",
            "name: ifupdown's files have a stanza for br0 already, which was not made by host_bridge. Choose another name, or "
            "take the stanza out.",
        ),
    ],
)
def test_files_that_are_refused(host: Ifupdown, path: str, text: str, sentence: str) -> None:
    host.write(path, text)
    with pytest.raises(RefusedError) as caught:
        host.read()
    assert str(caught.value) == sentence.replace("@", str(host.root))


@pytest.mark.parametrize(
    ("state", "known"), [("", "that it is down"), ("eth0=work\n", "'eth0=work'"), ("unknown\n", "'unknown'")]
)
def test_what_is_not_up_is_refused(host: Ifupdown, state: str, known: str) -> None:
    host.state = state
    with pytest.raises(RefusedError) as caught:
        host.read()
    assert str(caught.value) == (
        f"ifupdown has a stanza for eth0, and says {known}, so that somebody else may have configured it. Bring it up by "
        "'ifup eth0' first, or take the stanza out."
    )


@pytest.mark.parametrize(
    ("said", "first"), [("ifupdown2:3.0.0-1\n", "ifupdown2:3.0.0-1"), ("ifupdown-ng 0.12\nx", "ifupdown-ng 0.12")]
)
def test_another_ifup_is_refused(host: Ifupdown, said: str, first: str) -> None:
    host.said = said
    with pytest.raises(RefusedError) as caught:
        host.read()
    assert str(caught.value) == (
        f"The ifup of this host is not that of Debian's ifupdown (it says '{first}'), for which alone there is a back end. Let "
        "another program manage the uplink."
    )


def test_an_ifup_that_does_not_run() -> None:
    def run(_command: list[str]) -> tuple[int, str, str]:
        raise FileNotFoundError(2, "No such file or directory")

    with pytest.raises(RefusedError, match="it says 'No such file or directory'"):
        ifupdown.read_management(run, device("eth0"), "br0")
