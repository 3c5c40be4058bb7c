# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._guest.arguments import check_arguments, virt_install_command


def command(*arguments: str) -> list[str]:
    return virt_install_command(
        uri="qemu:///system", name="web", vcpus=2, memory=2048, os_variant="debian12", arguments=arguments
    )


def test_each_option_is_one_word() -> None:
    assert check_arguments(["--graphics", "none", "--boot=uefi"]) == ("--graphics=none", "--boot=uefi")
    assert check_arguments([]) == ()
    assert check_arguments(None) is None


def test_the_command() -> None:
    assert command("--graphics=none") == [
        "virt-install",
        "--connect=qemu:///system",
        "--name=web",
        "--vcpus=2",
        "--memory=2048",
        "--os-variant=debian12",
        "--disk=none",
        "--network=none",
        "--boot=hd,cdrom",
        "--install=no_install=yes",
        "--graphics=none",
        "--noautoconsole",
        "--print-xml",
    ]


@given(st.lists(st.text(max_size=12) | st.sampled_from(["--graphics", "--graphics=none", "--name=x", "--disk", "-n", "none"])))
def test_what_is_passed_on_begins_with_an_option_that_is_allowed(arguments: list[str]) -> None:
    try:
        checked = check_arguments(arguments)
    except InputError:
        return
    assert checked is not None
    for argument in checked:
        assert argument.startswith("--graphics=")
        assert argument.isprintable()
