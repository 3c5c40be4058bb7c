# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""The image `hypervisor`: what the collection's own role makes of a bare host, run by Ansible over SSH."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from . import bare, command, extras, inventory, lan, lifecycle, namespace
from .errors import LabError
from .host import Host, Record, builder
from .layer import Layer, build_group, files_below, key_of
from .paths import CHECKOUT, SOURCE, Paths

KIND = "hypervisor"

_ROLE = CHECKOUT / "roles/hypervisor"
_PLAYBOOK = SOURCE / "hypervisor.yml"
_COLLECTIONS = CHECKOUT / ".build/collections"
_ANSIBLE_PLAYBOOK = CHECKOUT / ".venv/bin/ansible-playbook"

# What a host collects while it runs and what belongs to one host only.
_NOT_KEPT = (
    "dev",
    "etc/hostname",
    "etc/hosts",
    "etc/machine-id",
    "etc/resolv.conf",
    "etc/ssh/ssh_host_ed25519_key",
    "etc/ssh/ssh_host_ed25519_key.pub",
    "proc",
    "root",
    "run",
    "sys",
    "tmp",
    "var/lib/libvirt/secrets/secrets-encryption-key",  # good only with the machine-id and the secret that it was made with
    "var/lib/systemd/credential.secret",
    "var/lib/systemd/random-seed",
    "var/log/journal",
    "var/tmp",
)


def layer(release: str, lowest: Path) -> Layer:
    files = [Path(__file__), Path(extras.__file__), _PLAYBOOK, *files_below(_ROLE), *files_below(extras.FOLDER)]
    return Layer(KIND, release, key_of(texts=[lowest.name], files=files, relative_to=CHECKOUT))


def build(release: str, paths: Paths, root: Path, *, lowest: Path, guest_files: Path) -> None:
    host = builder(paths, release)
    try:
        lan.ensure(paths)
        lifecycle.create(host, Record(release=release, image=bare.KIND, layers=(str(lowest),), guest_files=str(guest_files)))
        lifecycle.start(host)
        _run_role(release, paths, host)
        lifecycle.stop(host)
        root.rmdir()
        command.output(["mv", str(host.container.disk), str(root)])
    finally:
        lifecycle.remove(host)
    for name in _NOT_KEPT:
        _delete(root / name)
    extras.apply_to_hypervisor(root)


def _run_role(release: str, paths: Paths, host: Host) -> None:
    if not _ANSIBLE_PLAYBOOK.exists():
        raise LabError(f"There is no {_ANSIBLE_PLAYBOOK}. Run: make setup")
    hosts_file = paths.run / f"{host.name}.yml"
    hosts_file.write_text(inventory.render(paths, [host]))
    _link_collection()
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(_COLLECTIONS), "ANSIBLE_NOCOLOR": "1"}
    play = [str(_ANSIBLE_PLAYBOOK), "--inventory", str(hosts_file), str(_PLAYBOOK)]
    program = build_group(KIND, release).command([*namespace.inside(paths.lan_namespace), *play])
    command.logged(program, log=paths.logs / f"image-{KIND}-{release}.log", env=environment, cwd=SOURCE)


def _link_collection() -> None:
    """Ansible finds a collection by the names of its folders."""
    link = _COLLECTIONS / "ansible_collections/kvmops/network"
    link.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        link.symlink_to("../../../..")


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
