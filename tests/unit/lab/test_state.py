# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from kvmops_lab import host, inventory, trees
from kvmops_lab.errors import LabError
from kvmops_lab.paths import CHECKOUT, Paths
from kvmops_lab.requirements import needed_packages


@pytest.fixture
def paths(tmp_path) -> Paths:
    return Paths(state=tmp_path / "lab", prefix="lab", cache=tmp_path / "cache")


def add_host(paths: Paths, name: str, *, release: str = "trixie", image: str = "hypervisor") -> host.Host:
    added = host.Host(paths, name)
    added.folder.mkdir(parents=True)
    added.write_record(
        host.Record(release=release, image=image, layers=("/layers/top", "/layers/low"), guest_files="/layers/guest")
    )
    return added


def test_everything_is_named_after_the_directory() -> None:
    paths = Paths.from_environment({"KVMOPS_LAB_DIR": "/srv/other-lab"})
    assert (paths.lan_namespace, paths.host_namespace("a"), str(paths.run)) == (
        "other-lab-lan",
        "other-lab-host-a",
        "/run/other-lab",
    )
    assert Paths.from_environment({}).prefix == "kvmops-lab"


@pytest.mark.parametrize("directory", ["lab", "/", "/lab", "/srv/My Lab"])
def test_a_directory_that_cannot_be_a_name_is_refused(directory: str) -> None:
    with pytest.raises(LabError, match="KVMOPS_LAB_DIR"):
        Paths.from_environment({"KVMOPS_LAB_DIR": directory})


def test_hosts_are_read_back_and_half_made_ones_are_not_hosts(paths) -> None:
    for name in ("trixie-10", "trixie-2", "bare", "build-trixie"):
        add_host(paths, name)
    (paths.hosts / "half-made").mkdir()
    assert [found.name for found in host.all_hosts(paths)] == ["bare", "trixie-2", "trixie-10"]
    with pytest.raises(LabError, match=r"Hosts: bare, trixie-2, trixie-10\."):
        host.Host(paths, "half-made").known_record()


def test_layers_are_in_use_by_the_hosts_of_every_lab(paths, tmp_path) -> None:
    other = Paths(state=tmp_path / "other", prefix="other", cache=paths.cache)
    add_host(other, "build-trixie")
    assert host.layers_in_use(paths) == set()
    host.register_lab(other)
    assert host.layers_in_use(paths) == {Path("/layers/top"), Path("/layers/low"), Path("/layers/guest")}


@pytest.mark.parametrize("name", ["", "A", "1a", "a_b", "a" * 32, "build-trixie", "../x"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(LabError, match="no name for a host"):
        host.check_name(name)


def test_the_inventory_is_yaml_with_a_group_per_release_and_image(paths, monkeypatch) -> None:
    hosts = [add_host(paths, "trixie-1"), add_host(paths, "old", release="bullseye", image="bare"), add_host(paths, "mute")]
    addresses = {"trixie-1": "10.77.0.11", "old": "10.77.0.12", "mute": None}
    monkeypatch.setattr(host.Host, "address", lambda self: addresses[self.name])
    tree = yaml.safe_load(inventory.render(paths, hosts))["all"]
    assert {name: sorted(group["hosts"]) for name, group in tree["children"].items()} == {
        "hypervisors": ["old", "trixie-1"],
        "release_trixie": ["trixie-1"],
        "release_bullseye": ["old"],
        "image_hypervisor": ["trixie-1"],
        "image_bare": ["old"],
    }
    assert tree["hosts"]["old"]["ansible_host"] == "10.77.0.12"
    assert "-oHostKeyAlias=old " in tree["hosts"]["old"]["ansible_ssh_common_args"]


def test_an_inventory_without_hosts_has_an_empty_group(paths) -> None:
    assert yaml.safe_load(inventory.render(paths, []))["all"]["children"] == {"hypervisors": {"hosts": {}}}


def test_mounts_below_a_folder_are_found_and_others_are_not() -> None:
    line = "36 35 98:0 / {} rw,noatime master:1 - ext3 /dev/root rw"
    points = ["/", "/srv/a", r"/srv/a/with\040space", "/srv/ab"]
    text = "\n".join(line.format(point) for point in points)
    assert trees.mounts_below(Path("/srv/a"), text) == ["/srv/a", "/srv/a/with space"]


def test_a_record_on_disk_is_json(paths) -> None:
    add_host(paths, "a")
    assert json.loads((paths.hosts / "a/host.json").read_text())["layers"] == ["/layers/top", "/layers/low"]


def test_the_packages_that_the_lab_needs_are_named() -> None:
    assert "mmdebstrap" in needed_packages()
    assert all(" " not in name for name in needed_packages())


def test_the_checkout_is_the_collection() -> None:
    assert (CHECKOUT / "galaxy.yml").is_file()
