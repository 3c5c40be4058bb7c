# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""All contestants make the same networks."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import jinja2
from kvmops_benchmark import bare_script
from kvmops_benchmark.networks import network, networks

from ansible_collections.kvmops.network.plugins.module_utils._network.definition import definition_from_xml

TEMPLATES = Path(__file__).resolve().parents[2] / "benchmark/playbooks/templates"


def test_names_bridges_and_subnets_are_each_networks_own() -> None:
    wanted = networks(1000)
    assert len({entry["name"] for entry in wanted}) == 1000
    assert len({entry["bridge"]["name"] for entry in wanted}) == 1000
    assert max(len(entry["bridge"]["name"]) for entry in wanted) <= 15
    subnets = {ipaddress.ip_interface(f"{ip['address']}/{ip['prefix']}").network for entry in wanted for ip in entry["ips"]}
    assert len(subnets) == 1000


def test_script_and_template_say_the_same_as_the_options() -> None:
    options = network(300)
    template = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES)).get_template("network.xml.j2")
    from_template = definition_from_xml(template.render(item=options))
    assert definition_from_xml(bare_script.XML.format(**options)) == from_template
    assert {key: from_template[key] for key in options} == options
