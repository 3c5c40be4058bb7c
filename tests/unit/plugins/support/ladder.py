# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""One part of a definition, from nothing to nothing."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

import libvirt

from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import Result, apply, dump, predict, snapshot

if t.TYPE_CHECKING:
    Options = dict[str, t.Any]


@dataclass(frozen=True)
class Topic:
    """One part of a definition, and what libvirt's own document has to show of it.

    `omitted` is a definition that says nothing of the part, None if there is no such. What is `carried`
    over stays then in any case. `updates` is how many updates change a running network from the first to the second, None where
    the network has to be started anew.
    `same` says the second thing in other words, `none` that there shall be nothing of it.
    """

    omitted: Options | None
    first: Options
    first_shown: str
    second: Options
    second_shown: str
    same: tuple[Options, ...] = ()
    none: Options | None = None
    carried: bool = False
    updates: int | None = None


def step(driver: libvirt.virConnect, *, changed: bool, **options: t.Any) -> Result:
    """Predict and apply, and compare the two."""
    before = snapshot(driver)
    predicted = predict(name="lab", **options)
    assert snapshot(driver) == before
    real = apply(name="lab", **options)
    assert (predicted.changed, real.changed) == (changed, changed)
    assert predicted.actions == real.actions
    assert predicted.diff == real.diff
    assert (snapshot(driver) == before) is not changed
    return real


def climb(driver: libvirt.virConnect, topic: Topic, *, definition: str) -> None:
    """Create, again, change, again, the same in another way, omit, remove."""
    base = topic.omitted or {}

    def run(options: Options, *, changed: bool) -> Result:
        return step(driver, changed=changed, definition=definition, **{**base, **options})

    # create, and again
    run(topic.first, changed=True)
    assert topic.first_shown in dump(driver, "lab")
    run(topic.first, changed=False)
    # change, and again
    way = ["stop", "start"] if topic.updates is None else ["update"] * topic.updates
    assert run(topic.second, changed=True).actions == ["define", *([] if base.get("state") == "inactive" else way)]
    assert topic.second_shown in dump(driver, "lab")
    assert topic.first_shown not in dump(driver, "lab")
    run(topic.second, changed=False)
    # the same in other words, or in another order
    for same in topic.same:
        run(same, changed=False)
    # omitted: left alone, or back to libvirt's default
    if topic.omitted is not None:
        stays = definition == "merge" or topic.carried
        run({}, changed=not stays)
        assert (topic.second_shown in dump(driver, "lab")) is stays
    # none of it
    if topic.none is not None and definition == "merge":
        run(topic.none, changed=True)
        assert topic.second_shown not in dump(driver, "lab")
        run(topic.none, changed=False)
        run({}, changed=False)
    # removed
    step(driver, changed=True, state="absent")
    step(driver, changed=False, state="absent")
    assert driver.listAllNetworks() == []
