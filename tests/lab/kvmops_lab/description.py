# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""What `lab list` tells about a host."""

from __future__ import annotations

from dataclasses import dataclass

from . import guest
from .errors import LabError
from .host import Host


@dataclass(frozen=True)
class Description:
    name: str
    release: str
    image: str
    state: str
    address: str | None
    init: int | None
    guests: list[guest.GuestState] | None  # None where libvirt does not answer

    def row(self) -> list[str]:
        names = "no answer"
        if self.guests is not None:
            names = " ".join(found.name if found.state == "running" else f"({found.name})" for found in self.guests)
        return [self.name, self.release, self.image, self.state, self.address or "-", str(self.init or "-"), names or "-"]


def describe(host: Host) -> Description:
    record = host.known_record()
    init = host.container.init()
    return Description(
        name=host.name,
        release=record.release,
        image=record.image,
        state="stopped" if init is None else "running",
        address=host.address(),
        init=init,
        guests=[] if init is None else _guests(host),
    )


def _guests(host: Host) -> list[guest.GuestState] | None:
    try:
        return guest.guests(host)
    except LabError:
        return None
