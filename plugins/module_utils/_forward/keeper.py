# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The program that keeps the rules of port forwards in the kernel. It needs nothing but Python, and runs on the host by itself.

keeper.py watch     put the rules there, then put back what others take away; for systemd, which is told when they are there
keeper.py put       put the rules there
keeper.py stopped   take them away; for systemd, when it has stopped the one that watches

The module copies this file to the host, beside the files that say which rules there shall be (rules.py): rules.json, rules.nft,
and ip.iptables and ip6.iptables where they are needed. It also asks `faults` itself.

Others rewrite a firewall whenever they like: `nft flush ruleset` is how Debian's nftables.service begins, Docker puts its
rules in front, libvirt makes its table when its first network starts. The kernel tells of each change (netlink(7),
NETLINK_NETFILTER with the group NFNLGRP_NFTABLES), so that nothing has to be asked again and again. It does not tell of rules by
iptables-legacy.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import socket
import subprocess
import sys
import time
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Run = Callable[[list[str]], tuple[int, str, str]]
    Wanted = dict[str, t.Any]

__all__ = ["faults", "forget_bridge", "main", "put", "remove"]

_NAME = "kvmops_port_forwards"  # of our table, and of our chains in the tables of others
_LIBVIRT = "libvirt_network"
_IPTABLES = {"ip": "iptables", "ip6": "ip6tables"}
_SETTINGS = "/proc/sys/net/ipv4/conf"
_QUIET = 0.02  # seconds without a change, after which somebody is taken to have ended
_PATIENCE = 0.2  # seconds in which that is waited for
_PAUSE = 0.1  # seconds between two looks, so that nobody fights for the first place all the time
_RETRY = 1.0  # seconds until what failed is tried again


def faults(wanted: Wanted, run: Run) -> list[str]:
    """Return what is missing of the rules, each thing in some words; nothing where all are in force."""
    found = [] if _own_is_there(wanted, run) else [f"the table 'inet {_NAME}'"]
    for family, rules in sorted(wanted["passing"].items()):
        found += [name for name, is_there, _put in _places(family, wanted, rules, run) if not is_there()]
    return found + [f"route_localnet of {bridge}" for bridge in wanted["bridges"] if _localnet(bridge) == "0"]


def put(wanted: Wanted, folder: str, run: Run) -> list[str]:
    """Put what is missing there; return what that was. Raises OSError with what `nft` or `iptables` said."""
    missing = []
    if not _own_is_there(wanted, run):
        missing.append(f"the table 'inet {_NAME}'")
        _do(run, ["nft", "-f", f"{folder}/rules.nft"])
    for family, rules in sorted(wanted["passing"].items()):
        for name, is_there, put_there in _places(family, wanted, rules, run, folder):
            if not is_there():
                missing.append(name)
                put_there()
    for family in sorted(set(_IPTABLES) - set(wanted["passing"])):
        _leave(family, run)
    for bridge in wanted["bridges"]:
        if _localnet(bridge) == "0":
            missing.append(f"route_localnet of {bridge}")
            _set_localnet(bridge, "1")
    return missing


def remove(wanted: Wanted, run: Run) -> None:
    """Take all away, first what leads to guests. What is not there is passed over. Raises OSError where a part is left."""
    for bridge in wanted["bridges"]:
        forget_bridge(bridge)
    run(["nft", "delete", "table", "inet", _NAME])
    for family in _IPTABLES:
        _leave(family, run)


def forget_bridge(bridge: str) -> None:
    """Give a bridge the setting back that it would have by itself."""
    if _localnet(bridge) is not None:
        _set_localnet(bridge, _localnet("default") or "0")


# --- our own table --------------------------------------------------------------------------------------------------------------


def _own_is_there(wanted: Wanted, run: Run) -> bool:
    entries = _nft(run, "table", "inet", _NAME)
    chains = {entry["chain"]["name"] for entry in entries if "chain" in entry}
    rules = [[entry["rule"]["chain"], entry["rule"].get("comment", "")] for entry in entries if "rule" in entry]
    return f"revision_{wanted['revision']}" in chains and sorted(rules) == sorted(wanted["own"])


# --- our chains in the tables of others -----------------------------------------------------------------------------------------


def _places(
    family: str, wanted: Wanted, rules: list[str], run: Run, folder: str = ""
) -> Iterator[tuple[str, Callable[[], bool], Callable[[], None]]]:
    """Yield the places that there are: a name, what says whether our rules are first there, and what puts them there."""
    mark = f"{_NAME} {wanted['revision']}"
    if _nft(run, "chain", family, _LIBVIRT, "forward"):
        yield (
            f"the first rule of the chain '{family} {_LIBVIRT} forward'",
            lambda: _first_of_libvirt(family, mark, len(rules), run),
            lambda: _put_into_libvirt(family, mark, rules, run),
        )
    if _has_iptables(family, run):
        yield (
            f"the first rule of the chain FORWARD of {_IPTABLES[family]}",
            lambda: _first_of_iptables(family, mark, len(rules), run),
            lambda: _put_into_iptables(family, mark, folder, run),
        )


def _first_of_libvirt(family: str, mark: str, count: int, run: Run) -> bool:
    first = [entry["rule"] for entry in _nft(run, "chain", family, _LIBVIRT, "forward") if "rule" in entry][:1]
    inside = [entry for entry in _nft(run, "chain", family, _LIBVIRT, _NAME) if "rule" in entry]
    return len(inside) == count and [rule.get("comment") for rule in first] == [mark]


def _put_into_libvirt(family: str, mark: str, rules: list[str], run: Run) -> None:
    table = f"{family} {_LIBVIRT}"
    lines = [f"add chain {table} {_NAME}", f"flush chain {table} {_NAME}"]
    lines += [f"add rule {table} {_NAME} {rule} accept" for rule in rules]
    lines += [f"delete rule {table} forward handle {handle}" for handle in _jumps(family, run)]
    lines.append(f'insert rule {table} forward jump {_NAME} comment "{mark}"')
    _do(run, ["nft", "; ".join(lines)])


def _jumps(family: str, run: Run) -> list[int]:
    """Return the handles of the rules in libvirt's chain that lead to ours."""
    rules = [entry["rule"] for entry in _nft(run, "chain", family, _LIBVIRT, "forward") if "rule" in entry]
    return [rule["handle"] for rule in rules if {"jump": {"target": _NAME}} in rule["expr"]]


def _has_iptables(family: str, run: Run) -> bool:
    """Say whether there is a chain FORWARD of iptables; asking iptables itself would make one."""
    if _nft(run, "chain", family, "filter", "FORWARD"):
        return True
    with contextlib.suppress(OSError), open(f"/proc/net/{family}_tables_names", encoding="ascii") as file:
        return "filter" in file.read().split()
    return False


def _lines(family: str, chain: str, run: Run) -> list[str]:
    """Return the rules of a chain of iptables; none where it is not there."""
    try:
        code, output, _errors = run([_IPTABLES[family], "-w", "-S", chain])
    except OSError:
        return []
    return [line for line in output.splitlines() if line.startswith("-A ")] if code == 0 else []


def _first_of_iptables(family: str, mark: str, count: int, run: Run) -> bool:
    first = _lines(family, "FORWARD", run)[:1]
    return first == [f'-A FORWARD -m comment --comment "{mark}" -j {_NAME}'] and len(_lines(family, _NAME, run)) == count


def _put_into_iptables(family: str, mark: str, folder: str, run: Run) -> None:
    _do(run, [f"{_IPTABLES[family]}-restore", "-w", "--noflush", f"{folder}/{family}.iptables"])
    _do(run, [_IPTABLES[family], "-w", "-I", "FORWARD", "1", "-m", "comment", "--comment", mark, "-j", _NAME])
    _drop_jumps(family, run, keep=1)


def _drop_jumps(family: str, run: Run, *, keep: int) -> None:
    """Remove the rules of FORWARD that lead to ours, but for so many first ones."""
    places = [number for number, line in enumerate(_lines(family, "FORWARD", run), 1) if line.endswith(f" -j {_NAME}")]
    for number in reversed(places[keep:]):
        _do(run, [_IPTABLES[family], "-w", "-D", "FORWARD", str(number)])


def _leave(family: str, run: Run) -> None:
    """Remove our chains from the tables of others."""
    if _nft(run, "chain", family, _LIBVIRT, _NAME):
        table = f"{family} {_LIBVIRT}"
        lines = [f"delete rule {table} forward handle {handle}" for handle in _jumps(family, run)]
        _do(run, ["nft", "; ".join([*lines, f"flush chain {table} {_NAME}", f"delete chain {table} {_NAME}"])])
    if _has_iptables(family, run) and run([_IPTABLES[family], "-w", "-n", "-L", _NAME])[0] == 0:
        _drop_jumps(family, run, keep=0)
        for option in ("-F", "-X"):
            _do(run, [_IPTABLES[family], "-w", option, _NAME])


# --- the host -------------------------------------------------------------------------------------------------------------------


def _nft(run: Run, *what: str) -> list[dict[str, t.Any]]:
    """Return what `nft` lists, nothing for what is not there."""
    code, output, _errors = run(["nft", "-j", "list", *what])
    return list(json.loads(output)["nftables"]) if code == 0 else []


def _do(run: Run, command: list[str]) -> None:
    code, output, errors = run(command)
    if code != 0:
        raise OSError(f"'{' '.join(command[:3])}' failed: {' '.join((errors or output).split()).rstrip('.')}")


def _localnet(bridge: str) -> str | None:
    """Return whether loopback addresses are routed over an interface, None where there is none."""
    try:
        with open(f"{_SETTINGS}/{bridge}/route_localnet", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return None


def _set_localnet(bridge: str, value: str) -> None:
    # the bridge may just have gone
    with contextlib.suppress(OSError), open(f"{_SETTINGS}/{bridge}/route_localnet", "w", encoding="ascii") as file:
        file.write(value)


def _run(command: list[str]) -> tuple[int, str, str]:
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


# --- the program ----------------------------------------------------------------------------------------------------------------


def _say(what: object) -> None:
    sys.stderr.write(f"{what}\n")
    sys.stderr.flush()


def _load(folder: str) -> Wanted:
    with open(f"{folder}/rules.json", encoding="ascii") as file:
        wanted: Wanted = json.load(file)
    return wanted


def _put(folder: str) -> None:
    """Put the rules there; one process does so at a time."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        missing = put(_load(folder), folder, _run)
    finally:
        os.close(descriptor)
    if missing:
        _say(f"put there: {', '.join(missing)}")


def _listen() -> list[socket.socket]:
    """Return sockets that tell of each change of the firewall, and of interfaces that come."""
    firewall = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)  # NETLINK_NETFILTER
    firewall.bind((0, 0))
    firewall.setsockopt(270, 1, 7)  # SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, NFNLGRP_NFTABLES
    links = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)  # NETLINK_ROUTE
    links.bind((0, 1))  # RTMGRP_LINK
    for each in (firewall, links):
        each.setblocking(False)
    return [firewall, links]


def _drain(sockets: list[socket.socket]) -> None:
    """Pass over what sockets tell, until nobody has changed anything for a moment."""
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        ready = select.select(sockets, [], [], _QUIET)[0]
        if not ready:
            return
        for each in ready:
            with contextlib.suppress(OSError):  # there was more than fits in
                each.recv(65536)


def _watch(folder: str) -> None:
    sockets = _listen()
    _put(folder)
    _tell_systemd()
    wait: float | None = None
    while True:
        select.select(sockets, [], [], wait)
        _drain(sockets)
        wait = None
        try:
            _put(folder)
        except (OSError, ValueError) as error:
            _say(error)
            wait = _RETRY
        time.sleep(_PAUSE)


def _tell_systemd() -> None:
    """Say that all is there (sd_notify(3))."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if path:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.connect("\0" + path[1:] if path.startswith("@") else path)
            notify.send(b"READY=1")


def main(arguments: list[str]) -> int:
    """Do what the arguments say, for the rules beside this file. Return the exit code."""
    folder = os.path.dirname(os.path.abspath(__file__))
    try:
        if arguments == ["watch"]:
            _watch(folder)
        elif arguments == ["put"]:
            _put(folder)
        elif arguments == ["stopped"]:
            # one that was killed is started again in a second, and finds all as it was
            if os.environ.get("SERVICE_RESULT", "success") == "success":
                remove(_load(folder), _run)
        else:
            _say(__doc__)
            return 2
    except (OSError, ValueError) as error:
        _say(error)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
