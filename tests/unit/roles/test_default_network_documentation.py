# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""What the role default_network tells its users."""

from __future__ import annotations

from pathlib import Path

import yaml

ROLE = Path(__file__).resolve().parents[3] / "roles/default_network"


# seed 000-3, 000-15
def test_it_says_what_a_nat_network_suits_and_what_not() -> None:
    spec = yaml.safe_load((ROLE / "meta/argument_specs.yml").read_text())
    text = " ".join(" ".join(spec["argument_specs"]["main"]["description"]).split())
    assert "suits desktops and tests" in text
    assert "for servers that they shall reach, plug the guests into a bridge of the host" in text
