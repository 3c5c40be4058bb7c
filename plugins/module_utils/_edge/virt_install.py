# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""virt-install, which knows what a machine for an operating system needs. It is only asked to print it."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError, RequirementError
from ansible_collections.kvmops.network.plugins.module_utils._format import document

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Run = Callable[[list[str]], tuple[int, str, str]]

__all__ = ["print_definition"]

_UNKNOWN_OS = re.compile(r"Unknown OS name")


def print_definition(run: Run, command: Sequence[str], *, name: str) -> str:
    """Return the document that virt-install makes. Raises InputError with virt-install's words if it refuses."""
    code, output, errors = _call(run, command)
    if code != 0:
        raise InputError(_explain(errors or output))
    try:
        root = document.parse_document(output, root="domain")
    except InputError:
        raise InputError(
            "arguments: virt-install prints no definition of one guest with them; leave out what is not its machine."
        ) from None
    if root.findtext("name") != name:
        raise InputError("arguments: with them virt-install makes a guest of another name; leave out what says it.")
    return output


def _call(run: Run, command: Sequence[str]) -> tuple[int, str, str]:
    try:
        return run(list(command))
    except OSError as error:
        raise RequirementError(
            f"virt-install, which says how a new guest is defined, cannot be run on this host ({error.strerror}). Install the "
            "package virtinst (Red Hat, SUSE: virt-install), or use the role kvmops.network.guest.",
            requirement="virt-install",
        ) from None


def _explain(text: str) -> str:
    lines = [line.split("ERROR", 1)[-1].strip() for line in text.splitlines() if line.strip()]
    said = " ".join(dict.fromkeys(lines)).rstrip(".") or "no reason"
    if _UNKNOWN_OS.search(said):
        return f"os_variant: virt-install does not know it ({said}). Give a name that it knows, or generic."
    return f"virt-install does not make such a guest: {said}. Correct os_variant or arguments."
