# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Run every test of ansible-test sanity on a copy of the collection, and fail if one did not run.

ansible-test needs the collection at a real path .../ansible_collections/NAMESPACE/NAME in a git repository. It gets a
home directory of its own, so that nothing is left in the user's. It runs on the Python of .venv; the others are
covered where the managed hosts' own Pythons are, in the lab's images.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from ansible_test._internal.host_configs import NativePythonConfig
from ansible_test._internal.python_requirements import get_venv_packages

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".build/sanity/home"
LOG = ROOT / ".build/sanity/log"
COPY = ROOT / ".build/sanity/ansible_collections/kvmops/network"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"

# Programs of our own, held to other rules by `make lint`.
NOT_ANSIBLE = (
    "tests/benchmark",
    "tests/demo",
    "tests/forward",
    "tests/lab",
    "tests/macvtap",
    "tests/tools",
    "tests/types",
    "tests/uplink",
)

SHOWN = re.compile(r"Running|ERROR|FATAL|See documentation")
LEFT_OUT = re.compile(r"WARNING: .*(skipp|not found|missing)", re.IGNORECASE)

# ansible-test downloads get-pip.py from a host of its own; what it is used for, Python can do by itself.
GET_PIP = """\
import subprocess, sys
if __name__ == "__main__":
    subprocess.check_call([sys.executable, "-m", "ensurepip", "--default-pip"], stdout=subprocess.DEVNULL)
    arguments = [a for a in sys.argv[1:] if a not in ("--no-setuptools", "--no-wheel")]
    sys.exit(subprocess.call([sys.executable, "-m", "pip", "install", *arguments]))
"""


def prepare_home() -> None:
    version = get_venv_packages(NativePythonConfig(version=PYTHON, path=sys.executable))["pip"]
    cache = HOME / ".ansible/test/cache"
    cache.mkdir(parents=True, exist_ok=True)
    (cache / f"get_pip_{version.replace('.', '_')}.py").write_text(GET_PIP)
    for shared in (".cache", ".config"):  # pip's cache and settings
        if not (HOME / shared).is_symlink():
            (HOME / shared).symlink_to(Path.home() / shared)


def copy_collection() -> None:
    list_files = ["git", "ls-files", "-co", "--exclude-standard", "-z", ".", *(f":!{name}" for name in NOT_ANSIBLE)]
    listing = subprocess.check_output(list_files, cwd=ROOT, text=True)
    shutil.rmtree(COPY, ignore_errors=True)
    for name in filter(None, listing.split("\0")):
        if os.path.lexists(ROOT / name):  # not deleted since the last commit
            (COPY / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, COPY / name, follow_symlinks=False)
    subprocess.check_call(["git", "init", "--quiet"], cwd=COPY)


def ansible_test_sanity(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["ansible-test", "sanity", "--color", "no", *arguments],
        cwd=COPY,
        env={**os.environ, "HOME": str(HOME)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run_all() -> list[str]:
    log = []
    with ansible_test_sanity("--local", "--python", PYTHON) as process, LOG.open("w") as file:
        assert process.stdout
        for line in process.stdout:
            log.append(line)
            file.write(line)
            if SHOWN.match(line) or LEFT_OUT.match(line):
                print(line, end="", flush=True)
    if process.returncode:
        sys.exit(f"ansible-test failed; its whole output is in {LOG.relative_to(ROOT)}")
    return log


def check_all_ran(log: list[str]) -> None:
    listed = set(re.findall(r"^[a-z][a-z0-9-]+$", ansible_test_sanity("--list-tests").communicate()[0], re.MULTILINE))
    ran = set(re.findall(r'^Running sanity test "(.+?)"', "".join(log), re.MULTILINE))
    left_out = [line.strip() for line in log if LEFT_OUT.match(line)]
    if left_out or not ran or ran != listed:
        sys.exit("\n".join(["Not everything was tested:", *left_out, *sorted(listed ^ ran)]))
    print(f"{len(ran)} sanity tests passed on Python {PYTHON}")


if __name__ == "__main__":
    prepare_home()
    copy_collection()
    check_all_ran(run_all())
