# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""Which disk is made for a guest. It reads, and changes nothing."""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.plugins.module_utils._edge.images import Image, check_directory, read_image
from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._guest.plan import DiskPlan
from ansible_collections.kvmops.network.plugins.module_utils._guest.sizes import size_text
from ansible_collections.kvmops.network.plugins.module_utils._guest.wanted import newest_size

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._guest.definition import GuestDefinition
    from ansible_collections.kvmops.network.plugins.module_utils._guest.plan import GuestPlan
    from ansible_collections.kvmops.network.plugins.module_utils._guest.request import GuestRequest
    from ansible_collections.kvmops.network.plugins.module_utils._guest.survey import GuestSurvey

__all__ = ["check_size", "plan_new_disk"]


def plan_new_disk(survey: GuestSurvey, plan: GuestPlan, after: GuestDefinition) -> None:
    """Say which disk is made. One that is there is the guest's from before, and is taken as it is."""
    request, disk = plan.request, after.disk
    if disk is None:
        return
    check_directory("disk.directory", disk.path.rpartition("/")[0] or "/")
    survey.check_unused("disk.directory", disk.path)
    there = read_image(survey.run, "disk.directory", disk.path)
    source = read_image(survey.run, "image", request.image) if request.image is not None else None
    size = request.disk.size or max(newest_size(), source.size if source is not None else 0)
    if there is not None:
        _check_kept(request, there, disk.format)
        plan.disk_size = there.size
        plan.warnings.append(f"The disk {disk.path} is there already, and the guest '{request.name}' gets it with what is on it.")
        return
    if not (request.iso or request.image or request.kernel):
        raise InputError(
            f"iso: missing; the guest '{request.name}' has nothing to boot from, since there is no disk {disk.path} "
            "yet. Give iso, image or kernel."
        )
    if source is not None:
        _check_source(source, size)
    use = request.image_use or (after.mark.image_use if after.mark is not None else "")
    plan.disk = DiskPlan(Image(disk.path, disk.format, size), source, use)
    plan.disk_size = size
    made = {"": "empty", "copy": f"a copy of {request.image}", "backing": f"on top of {request.image}"}[use]
    plan.add("make disk", f"{disk.path}, {size_text(size)}, {made}")


def _check_kept(request: GuestRequest, there: Image, format_: str) -> None:
    if there.format != format_:
        raise InputError(
            f"disk.format: {there.path} is there already and is of the format {there.format}, not {format_}; say so, or "
            "move it away."
        )
    if request.disk.size is not None and request.disk.size != there.size:
        raise InputError(
            f"disk.size: {there.path} is there already and has {size_text(there.size)}, not "
            f"{size_text(request.disk.size)}; leave disk.size out, change it with 'qemu-img resize', or move it away."
        )


def _check_source(source: Image, size: int) -> None:
    if source.backing:
        raise InputError(
            f"image: {source.path} is only the difference from {source.backing}; make it whole first with 'qemu-img convert'."
        )
    if size < source.size:
        raise InputError(
            f"disk.size: {size_text(size)} is less than the {size_text(source.size)} of {source.path}; give as much at least, or "
            "leave it out."
        )


def check_size(survey: GuestSurvey, plan: GuestPlan) -> None:
    """Refuse another size than the disk has."""
    wanted, disk = plan.request.disk.size, plan.before.disk if plan.before is not None else None
    if disk is None or wanted is None:
        return
    there = read_image(survey.run, "disk.size", disk.path)
    if there is not None and there.size != wanted:
        raise InputError(
            f"disk.size: {disk.path} has {size_text(there.size)}, not {size_text(wanted)}; change it with 'qemu-img "
            "resize' while the guest is off, or leave disk.size as it is."
        )
