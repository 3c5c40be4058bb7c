# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""What each word of the command line does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from itertools import zip_longest

from . import domain, guest, image, lan, leftovers, lifecycle, namespace, requirements, table
from . import inventory as ansible_inventory
from . import paths as lab_paths
from . import up as bring_up
from .description import describe
from .errors import LabError
from .host import Host, all_hosts
from .locks import lock
from .paths import Paths

# The process that `lab run` keeps outside of the LAN, for commands of the lab that are called inside.
OUTSIDE = "KVMOPS_LAB_OUTSIDE"


@contextmanager
def _lab(*, alone: bool = False) -> Iterator[Paths]:
    """Commands run side by side, except for the one that takes everything down."""
    requirements.require_root()
    paths = lab_paths.current()
    with lock(paths.locks, "lab", shared=not alone):
        yield paths


def up(options: Namespace) -> int:
    with _lab() as paths:
        names = options.name or bring_up.default_names(release=options.release, kind=options.image, count=options.count)
        bring_up.bring_up(paths, names=names, release=options.release, kind=options.image)
        _print_hosts([Host(paths, name) for name in names], as_json=False)
    return 0


def list_hosts(options: Namespace) -> int:
    with _lab() as paths:
        _print_hosts(all_hosts(paths), as_json=options.json)
    return 0


def enter(options: Namespace) -> int:
    with _lab() as paths:
        host = Host(paths, options.host)
        host.known_record()
        program = host.container.entering(options.program or ["bash", "--login"])
    os.execvp(program[0], program)


def reboot(options: Namespace) -> int:
    with _lab() as paths:
        bring_up.in_parallel(_reboot, [Host(paths, name) for name in options.hosts])
    return 0


def stop(options: Namespace) -> int:
    with _lab() as paths:
        bring_up.in_parallel(_stop, [Host(paths, name) for name in options.hosts])
    return 0


def cut(options: Namespace) -> int:
    with _lab() as paths:
        for name in options.hosts:
            lifecycle.cut_power(Host(paths, name))
    return 0


def start(options: Namespace) -> int:
    with _lab() as paths:
        lan.ensure(paths)
        bring_up.in_parallel(lifecycle.start, [Host(paths, name) for name in options.hosts])
    return 0


def down(options: Namespace) -> int:
    if not options.hosts:
        with _lab(alone=True) as paths:
            leftovers.remove_everything(paths)
        return 0
    with _lab() as paths:
        known = leftovers.host_names(paths)
        for name in options.hosts:
            if name in known:
                lifecycle.remove(Host(paths, name))
    return 0


def images(options: Namespace) -> int:
    with _lab() as paths:
        requirements.require_machine()
        requirements.raise_inotify_limit()
        for kind in reversed(image.IMAGES):
            layers = image.ensure(paths, release=options.release, image=kind, rebuild=options.rebuild)
            print(f"{kind} {options.release}: {layers[0]}")
        print(f"guest: {image.ensure_guest_files(paths)}")
    return 0


def inventory(_options: Namespace) -> int:
    with _lab() as paths:
        print(ansible_inventory.render(paths, [host for host in all_hosts(paths) if host.is_running()]), end="")
    return 0


def run(options: Namespace) -> int:
    if not options.program:
        raise LabError("Say which command to run: lab run -- COMMAND…")
    with _lab() as paths:
        lan.ensure(paths)
        program = [*namespace.inside(paths.lan_namespace), *options.program]
    # this process stays, so that commands of the lab that are called inside find their way out
    return subprocess.run(program, env={**os.environ, OUTSIDE: str(os.getpid())}, check=False).returncode


def guest_start(options: Namespace) -> int:
    nics = nics_from(options)
    machine = _machine_from(options)
    with _lab() as paths:
        host = Host(paths, options.host)
        host.known_record()
        guest.start(host, options.guest, nics=nics, memory=options.memory, machine=machine, agent=options.agent)
        if options.wait:
            _print_nics(guest.wait_for_addresses(host, options.guest, timeout=options.timeout), as_json=options.json)
    return 0


def guest_stop(options: Namespace) -> int:
    with _lab() as paths:
        host = Host(paths, options.host)
        host.known_record()
        guest.stop(host, options.guest)
    return 0


def guest_list(options: Namespace) -> int:
    with _lab() as paths:
        host = Host(paths, options.host)
        host.known_record()
        found = guest.guests(host)
    if options.json:
        print(json.dumps([asdict(entry) for entry in found], indent=2))
    else:
        rows = [(entry.name, entry.state, " ".join(f"{source}={mac}" for mac, source in entry.nics.items())) for entry in found]
        print(table.render(("guest", "state", "NICs"), rows))
    return 0


def guest_ask(options: Namespace) -> int:
    if not options.program:
        raise LabError("Say what to ask: lab guest ask HOST GUEST -- SHELL COMMAND")
    with _lab() as paths:
        host = Host(paths, options.host)
        host.known_record()
        answer = guest.ask(host, options.guest, " ".join(options.program), timeout=options.timeout)
    if options.json:
        print(json.dumps(asdict(answer)))
        return 0
    sys.stdout.write(answer.output)
    sys.stderr.write(answer.errors)
    return answer.code


def nics_from(options: Namespace) -> list[domain.Nic]:
    """The lists of options side by side: the first address belongs to the first network, and so on."""
    domain.check_sources(options.network)
    for name in ("address", "gateway", "mac"):
        if len(getattr(options, name)) > len(options.network):
            raise LabError(f"There are more --{name} than --network: each belongs to the network in the same place.")
    columns = (options.network, options.mac, options.address, options.gateway)
    nics = [
        domain.Nic(
            source=source,
            mac=mac or domain.mac_address(options.host, options.guest, number),
            address=None if address == "dhcp" else address,
            gateway=None if gateway == "none" else gateway,
        )
        for number, (source, mac, address, gateway) in enumerate(zip_longest(*columns))
    ]
    for nic in nics:
        domain.check_nic(nic)
    return nics


def _machine_from(options: Namespace) -> str:
    if not options.network and (options.machine or options.agent):
        raise LabError("A guest is started as it is defined when no --network is given: --machine and --agent need one.")
    return options.machine or domain.MACHINES[0]


def _reboot(host: Host) -> None:
    _stop(host)
    lifecycle.start(host)


def _stop(host: Host) -> None:
    host.known_record()
    guest.stop_all(host)
    lifecycle.stop(host)


def _print_hosts(hosts: list[Host], *, as_json: bool) -> None:
    descriptions = [describe(host) for host in hosts]
    if as_json:
        print(json.dumps([asdict(found) for found in descriptions], indent=2))
    else:
        print(
            table.render(
                ("host", "release", "image", "state", "address", "init", "guests"), [found.row() for found in descriptions]
            )
        )


def _print_nics(nics: list[guest.NicState], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps([asdict(nic) for nic in nics], indent=2))
    else:
        print(table.render(("NIC", "MAC", "addresses"), [(nic.name, nic.mac, " ".join(nic.addresses)) for nic in nics]))
