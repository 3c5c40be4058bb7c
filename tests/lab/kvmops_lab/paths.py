# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""Where the lab keeps what it makes, and what it calls it: every name on the machine starts with the same prefix."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .errors import LabError

DEFAULT_DIRECTORY = "/var/lib/kvmops-lab"
_PREFIX = re.compile(r"^[a-z][a-z0-9-]{0,30}$")

SOURCE = Path(__file__).resolve().parent.parent
CHECKOUT = SOURCE.parent.parent


@dataclass(frozen=True)
class Paths:
    """One lab. Two labs with different directories have different names for everything and do not meet."""

    state: Path
    prefix: str
    cache: Path = Path("/var/cache/kvmops-lab")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Paths:
        state = Path(environment.get("KVMOPS_LAB_DIR") or DEFAULT_DIRECTORY)
        if not state.is_absolute() or len(state.parts) < 3 or not _PREFIX.match(state.name):
            raise LabError(
                f"KVMOPS_LAB_DIR is {str(state)!r}: give an absolute path like {DEFAULT_DIRECTORY}, "
                "whose last part is of small letters, digits and hyphens, since everything is named after it."
            )
        return cls(state=state, prefix=state.name)

    @property
    def run(self) -> Path:
        return Path("/run") / self.prefix

    @property
    def hosts(self) -> Path:
        return self.state / "hosts"

    @property
    def lan(self) -> Path:
        return self.state / "lan"

    @property
    def ssh(self) -> Path:
        return self.state / "ssh"

    @property
    def locks(self) -> Path:
        return self.run / "locks"

    @property
    def ssh_control(self) -> Path:
        return self.run / "ssh"

    @property
    def logs(self) -> Path:
        return self.run / "logs"

    @property
    def cache_locks(self) -> Path:
        return self.cache / "locks"

    @property
    def cache_users(self) -> Path:
        """A link to the state of each lab that uses the cache."""
        return self.cache / "labs"

    @property
    def layers(self) -> Path:
        return self.cache / "layers"

    @property
    def lan_namespace(self) -> str:
        return f"{self.prefix}-lan"

    def host_namespace(self, name: str) -> str:
        return f"{self.prefix}-host-{name}"


def current() -> Paths:
    return Paths.from_environment(os.environ)
