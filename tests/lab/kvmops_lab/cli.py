# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""The command line of the lab: which words there are. What they do is in commands.py."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import TypeAlias

from . import commands, domain, namespace, paths
from .errors import LabError
from .image import IMAGES, RELEASES

Words: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

_LAB_FAILED = 125  # as with docker: not an exit code of what was run inside


def main(arguments: Sequence[str]) -> int:
    os.umask(0o022)
    own, program = split_at_dashes(arguments)
    options = _parser().parse_args(own)
    options.program = program
    try:
        _leave_the_lan()
        return int(options.action(options))
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return _LAB_FAILED
    except KeyboardInterrupt:
        return 130


def split_at_dashes(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """What comes after `--` is a command for somebody else, with options of its own."""
    words = list(arguments)
    if "--" not in words:
        return words, []
    at = words.index("--")
    return words[:at], words[at + 1 :]


def _leave_the_lan() -> None:
    """Commands may be called from inside `lab run`; containers and images are made from the machine's own network."""
    if namespace.is_current(paths.current().lan_namespace):
        namespace.enter_that_of(os.environ.get(commands.OUTSIDE, "1"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lab", description="Real hypervisors, guests and a LAN for tests, on this machine.")
    words = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_host_commands(words)
    _add_lan_commands(words)
    _add_guest_commands(words.add_parser("guest", help="guests on a host").add_subparsers(required=True, metavar="COMMAND"))
    return parser


def _add_host_commands(words: Words) -> None:
    up = words.add_parser("up", help="bring up hosts; those that are up stay as they are")
    up.set_defaults(action=commands.up)
    up.add_argument("--release", choices=RELEASES, default=RELEASES[0])
    up.add_argument("--image", choices=IMAGES, default=IMAGES[0])
    wanted = up.add_mutually_exclusive_group()
    wanted.add_argument("--count", type=int, default=1, help="so many, named after their release")
    wanted.add_argument("--name", action="extend", nargs="+", metavar="NAME", help="these")

    listing = words.add_parser("list", help="show the hosts and their guests")
    listing.set_defaults(action=commands.list_hosts)
    listing.add_argument("--json", action="store_true")

    enter = words.add_parser("enter", help="a shell in a host, or the command after --")
    enter.set_defaults(action=commands.enter)
    enter.add_argument("host", metavar="HOST")

    for name, action, text in (
        ("reboot", commands.reboot, "an orderly shutdown and a start on the same disk"),
        ("stop", commands.stop, "an orderly shutdown"),
        ("cut", commands.cut, "a power cut"),
        ("start", commands.start, "start a host that was stopped or cut"),
    ):
        word = words.add_parser(name, help=text)
        word.set_defaults(action=action)
        word.add_argument("hosts", nargs="+", metavar="HOST")

    down = words.add_parser("down", help="remove these hosts, or everything the lab made except images")
    down.set_defaults(action=commands.down)
    down.add_argument("hosts", nargs="*", metavar="HOST")

    images = words.add_parser("images", help="build the images that are missing")
    images.set_defaults(action=commands.images)
    images.add_argument("--release", choices=RELEASES, default=RELEASES[0])
    images.add_argument("--rebuild", action="store_true", help="also those that are there")


def _add_lan_commands(words: Words) -> None:
    words.add_parser("inventory", help="print an Ansible inventory of the running hosts").set_defaults(action=commands.inventory)
    words.add_parser("run", help="run the command after -- in the LAN").set_defaults(action=commands.run)


def _add_guest_commands(words: Words) -> None:
    start = words.add_parser("start", help="define a guest (when networks are given) and start it")
    start.set_defaults(action=commands.guest_start)
    _add_host_and_guest(start)
    start.add_argument(
        "--network",
        action="extend",
        nargs="+",
        default=[],
        metavar="NET",
        help="a NIC in each of these: a network, bridge:NAME or direct:INTERFACE",
    )
    for name, text in (
        ("--address", "static addresses for the NICs, in the same order; `dhcp` for those that have none"),
        ("--gateway", "default gateways that go with the addresses; `none` for those that have none"),
        ("--mac", "MAC addresses of the NICs, in the same order"),
    ):
        start.add_argument(name, action="extend", nargs="+", default=[], metavar=name[2:].upper(), help=text)
    start.add_argument("--machine", choices=domain.MACHINES, help=f"{domain.MACHINES[0]} when omitted; q35 has eight free ports")
    start.add_argument("--agent", action="store_true", help="with QEMU's guest agent and its channel")
    start.add_argument("--memory", type=int, default=128, help="MiB")
    start.add_argument("--wait", action="store_true", help="until every NIC has an IPv4 address")
    start.add_argument("--timeout", type=float, default=90, help="seconds to wait")
    start.add_argument("--json", action="store_true", help="print the guest's NICs and addresses as JSON (with --wait)")

    stop = words.add_parser("stop", help="switch a guest off")
    stop.set_defaults(action=commands.guest_stop)
    _add_host_and_guest(stop)

    listing = words.add_parser("list", help="show the guests of a host")
    listing.set_defaults(action=commands.guest_list)
    listing.add_argument("host", metavar="HOST")
    listing.add_argument("--json", action="store_true")

    ask = words.add_parser("ask", help="run the shell command after -- inside a guest; its output and exit code are the answer")
    ask.set_defaults(action=commands.guest_ask)
    _add_host_and_guest(ask)
    ask.add_argument("--timeout", type=float, default=60, help="seconds after which the guest kills the command")
    ask.add_argument("--json", action="store_true", help="print code, output and errors as JSON, and exit with 0")


def _add_host_and_guest(word: argparse.ArgumentParser) -> None:
    word.add_argument("host", metavar="HOST")
    word.add_argument("guest", metavar="GUEST")
