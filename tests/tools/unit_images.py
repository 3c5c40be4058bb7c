# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Import the modules and run their unit tests on lab hosts, with each release's own Python, libvirt and lxml.

The hosts get the working tree, the part of Ansible that modules run with, and the packages of requirements/images.txt,
all of which is gone with the hosts. Arguments that are not this program's go to pytest: `--release bullseye -k ranges`.

The oldest release runs all. On newer ones runs what a host is needed for: what talks to a real daemon, or with the system. The
rest runs there where a release or arguments for pytest are given, as `make proof` does. What needs a host waits a lot, and the
rest runs beside it.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import ansible
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / ".build/unit-images"
REQUIREMENTS = ROOT / "requirements/images.txt"
RELEASES = ("bullseye", "bookworm", "trixie")

# What runs on managed hosts; plugins of other kinds run on the controller, which has the development tools' Python.
MANAGED = ("module_utils", "modules")
UNIT = "tests/unit/plugins"
NEEDS_A_HOST = ("module_utils/_edge", "module_utils/*/*_kernel.py", "modules/*_daemon*.py", "modules/*_documents.py")

HOME = "/opt/unit"  # on the hosts
COLLECTION = "ansible_collections/kvmops/network"
TIMEOUT = 1200  # seconds; a few times what a busy machine needs

VERSIONS = """
import platform, libvirt, lxml
number = libvirt.getVersion()
print(platform.python_version(), f"{number // 1_000_000}.{number // 1_000 % 1_000}.{number % 1_000}", lxml.__version__)
"""

installing = threading.Lock()


class Failed(Exception):
    """Something on the way did not work; the text is its output."""


@dataclass(frozen=True)
class Host:
    release: str

    @property
    def name(self) -> str:
        return f"unit-{self.release}"

    def bring_up(self) -> None:
        lab("down", self.name)  # what a killed run left
        lab("up", "--name", self.name, "--release", self.release)

    def run(self, *program: str, stdin: bytes = b"") -> str:
        return lab("enter", self.name, "--", *program, stdin=stdin)

    def python(self, *arguments: str) -> str:
        # the second lets the tests that need a daemon of their own have this one
        environment = [f"PYTHONPATH={HOME}:{HOME}/packages", "KVMOPS_UNIT_ON_A_LAB_HOST=yes"]
        if os.environ.get("CI"):
            environment.append("CI=true")
        return self.run("env", f"--chdir={HOME}/{COLLECTION}", *environment, "python3", *arguments)


def lab(*arguments: str, stdin: bytes = b"") -> str:
    return output([str(ROOT / "tests/lab/lab"), *arguments], stdin=stdin)


def output(command: t.Sequence[str], *, stdin: bytes = b"") -> str:
    try:
        ended = subprocess.run(
            command, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired as error:
        text = (error.output or b"").decode(errors="replace")
        raise Failed(f"{text}\nThis did not end in {TIMEOUT} s: {shlex.join(command)}") from None
    text = ended.stdout.decode(errors="replace")
    if ended.returncode:
        raise Failed(f"{text}\nThis ended with {ended.returncode}: {shlex.join(command)}")
    return text


# --- what the hosts get -------------------------------------------------------------------------------------------------------


def packages_for(python: str) -> Path:
    """Return a folder with the pinned packages for a version of Python, installed unless it is there."""
    folder = BUILT / f"python-{python}"
    # pip would read the markers as those of the Python that it runs on itself
    environment = {"python_full_version": python, "python_version": python.rpartition(".")[0]}
    lines = [line for line in REQUIREMENTS.read_text().splitlines() if line and not line.startswith("#")]
    requirements = [Requirement(line) for line in lines]
    pins = [f"{one.name}{one.specifier}" for one in requirements if one.marker is None or one.marker.evaluate(environment)]
    stamp = folder / "stamp"  # written last: a folder that was begun, or made for other requirements, is made anew
    with installing:
        if not stamp.exists() or stamp.read_text().split() != pins:
            shutil.rmtree(folder, ignore_errors=True)
            target = ["--target", str(folder), "--python-version", python, "--only-binary=:all:", "--no-deps", "--no-compile"]
            output([sys.executable, "-m", "pip", "install", "--quiet", *target, *pins])
            stamp.write_text("\n".join(pins))
    return folder


def collection_files() -> dict[str, Path]:
    wanted = ["plugins", "pyproject.toml", "tests/unit"]
    listing = subprocess.check_output(["git", "ls-files", "-co", "--exclude-standard", "-z", *wanted], cwd=ROOT, text=True)
    names = [name for name in listing.split("\0") if name and (ROOT / name).exists()]
    return {f"{COLLECTION}/{name}": ROOT / name for name in names}


def ansible_files() -> dict[str, Path]:
    """Return what Ansible sends along with a module; of the package's own file it sends the version and the authors."""
    package = Path(ansible.__file__).parent
    files = {str(file.relative_to(package.parent)): file for file in package.glob("module_utils/**/*.py")}
    return {"ansible/__init__.py": package / "release.py", **files}


def archive(files: dict[str, Path], packages: Path) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, file in files.items():
            tar.add(file, name)
        tar.add(packages, "packages")
    return packed.getvalue()


# --- what happens on them -----------------------------------------------------------------------------------------------------


def modules() -> list[str]:
    files = sorted((ROOT / "plugins/modules").glob("[!_]*.py"))
    if not files:
        raise Failed("There is no module in plugins/modules.")
    return [f"{COLLECTION}/plugins/modules/{file.stem}".replace("/", ".") for file in files]


def runs_of(release: str, *, asked_for: bool, pytest_arguments: t.Sequence[str]) -> list[list[str]]:
    """Return the arguments of each pytest that runs on a release beside the others."""
    everything = [f"{UNIT}/{kind}" for kind in MANAGED]
    if pytest_arguments:
        return [[*everything, *pytest_arguments]]
    on_host = [str(path.relative_to(ROOT)) for pattern in NEEDS_A_HOST for path in sorted((ROOT / UNIT).glob(pattern))]
    if asked_for or release == RELEASES[0]:
        return [on_host, [*everything, *(f"--ignore={path}" for path in on_host)]]
    return [on_host]


def run_pytest(host: Host, arguments: t.Sequence[str]) -> int:
    """Return how many tests passed. Raises Failed with the whole output."""
    log = host.python("-m", "pytest", "--quiet", "--hypothesis-profile=images", *arguments)
    passed = re.search(r"^([1-9]\d*) passed.*$", log, re.MULTILINE)
    if not passed:
        raise Failed(f"{log}\nNo test passed.")
    if "skipped" in passed[0]:
        raise Failed(f"{log}\nTests were skipped, and a lab host has all that they need.")
    return int(passed[1])


def run_release(release: str, runs: t.Sequence[list[str]], files: dict[str, Path]) -> str:
    """Return the summary of a release. Raises Failed with the whole output."""
    began = time.monotonic()
    host = Host(release)
    host.bring_up()
    python, libvirt, lxml = host.run("python3", "-c", VERSIONS).splitlines()[-1].split()
    host.run("mkdir", "--parents", HOME)
    host.run("tar", "-x", "--no-same-owner", "-C", HOME, stdin=archive(files, packages_for(python)))
    imported = modules()
    for module in imported:  # each in a process of its own, as with Ansible
        host.python("-W", "error", "-c", f"import {module}")
    with ThreadPoolExecutor(max_workers=len(runs)) as workers:
        passed = sum(workers.map(lambda arguments: run_pytest(host, arguments), runs))
    took = time.monotonic() - began
    return f"Python {python}, libvirt {libvirt}, lxml {lxml}: {len(imported)} modules imported, {passed} passed in {took:.0f} s"


def report(release: str, runs: t.Sequence[list[str]], files: dict[str, Path]) -> bool:
    """Run a release, say how it went, and return whether all was well."""
    try:
        summary = run_release(release, runs, files)
    except Failed as error:
        print(f"{error}\n{release}: FAILED", flush=True)
        return False
    print(f"{release}: {summary}", flush=True)
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description="Run the modules' unit tests on lab hosts.")
    parser.add_argument("--release", choices=RELEASES, action="append", help="only this one; may be repeated")
    options, pytest_arguments = parser.parse_known_args()
    releases = options.release or RELEASES
    runs = {release: runs_of(release, asked_for=bool(options.release), pytest_arguments=pytest_arguments) for release in releases}
    files = {**collection_files(), **ansible_files()}
    signal.signal(signal.SIGTERM, lambda *_arguments: sys.exit(1))
    with ThreadPoolExecutor(max_workers=len(releases)) as workers:
        try:
            went_well = list(workers.map(lambda release: report(release, runs[release], files), releases))
        finally:
            lab("down", *(Host(release).name for release in releases))
    return 0 if all(went_well) else 1


if __name__ == "__main__":
    sys.exit(main())
