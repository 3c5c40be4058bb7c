# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Files are written whole or not at all, with their folder, and read as they are."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge.files import read_files, read_text, remove_file, write_file
from ansible_collections.kvmops.network.plugins.module_utils._errors import RequirementError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class TestRead:
    """read_files."""

    def test_what_is_there_and_what_is_not(self, tmp_path: Path) -> None:
        there, not_there = tmp_path / "a", tmp_path / "b" / "c"
        there.write_bytes(b"\xff\0\n")
        assert read_files([str(there), str(not_there)]) == {str(there): b"\xff\0\n", str(not_there): None}

    def test_nothing(self) -> None:
        assert read_files([]) == {}

    def test_a_folder(self, tmp_path: Path) -> None:
        with pytest.raises(RequirementError) as caught:
            read_files([str(tmp_path)])
        assert str(caught.value) == f"{tmp_path} cannot be read: Is a directory. Run the task as root (become: true)."

    def test_something_below_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "a").touch()
        with pytest.raises(RequirementError, match="/a/b cannot be read: Not a directory"):
            read_files([str(tmp_path / "a" / "b")])


class TestWrite:
    """write_file."""

    @pytest.mark.parametrize("mode", [0o644, 0o600])
    @pytest.mark.parametrize("mask", [0o000, 0o077])
    def test_content_and_permissions(self, tmp_path: Path, mode: int, mask: int) -> None:
        path = tmp_path / "new" / "folder" / "a.conf"
        before = os.umask(mask)
        try:
            write_file(str(path), b"text\n", mode=mode)
        finally:
            os.umask(before)
        assert path.read_bytes() == b"text\n"
        assert stat.S_IMODE(path.stat().st_mode) == mode
        assert names(path.parent) == ["a.conf"]

    def test_over_an_old_one(self, tmp_path: Path) -> None:
        path = tmp_path / "a.conf"
        path.write_bytes(b"something long before")
        path.chmod(0o666)
        number = path.stat().st_ino
        write_file(str(path), b"text\n", mode=0o600)
        assert path.read_bytes() == b"text\n"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.stat().st_ino != number  # another file took its place, in one step
        assert names(tmp_path) == ["a.conf"]

    def test_what_was_left_unfinished_is_in_nobodys_way(self, tmp_path: Path) -> None:
        (tmp_path / "a.conf.kvmops-new").write_bytes(b"half")
        write_file(str(tmp_path / "a.conf"), b"text\n", mode=0o644)
        assert names(tmp_path) == ["a.conf"]

    def test_nobodys_link_is_followed(self, tmp_path: Path) -> None:
        other = tmp_path / "other"
        other.write_bytes(b"precious")
        for name in ("a.conf", "a.conf.kvmops-new"):
            (tmp_path / name).symlink_to(other)
        write_file(str(tmp_path / "a.conf"), b"text\n", mode=0o644)
        assert other.read_bytes() == b"precious"
        assert not (tmp_path / "a.conf").is_symlink()

    def test_nobody_slips_in_between(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        other = tmp_path / "other"
        other.write_bytes(b"precious")
        unlink = os.unlink

        def slow(path: str) -> None:
            with contextlib.suppress(FileNotFoundError):
                unlink(path)
            os.symlink(other, path)

        monkeypatch.setattr(os, "unlink", slow)
        with pytest.raises(FileExistsError):
            write_file(str(tmp_path / "a.conf"), b"text\n", mode=0o644)
        monkeypatch.undo()
        assert other.read_bytes() == b"precious"

    def test_the_old_one_stays_where_the_new_one_does_not_fit(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(_descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        path = tmp_path / "a.conf"
        path.write_bytes(b"old")
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left on device"):
            write_file(str(path), b"new", mode=0o644)
        assert path.read_bytes() == b"old"

    def test_it_lasts(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """First the bytes, then the name, then the folder."""
        seen: list[str] = []
        sync, replace = os.fsync, os.replace

        def fsync(descriptor: int) -> None:
            seen.append(f"sync {os.path.basename(os.readlink(f'/proc/self/fd/{descriptor}'))}")
            sync(descriptor)

        def rename(old: str, new: str) -> None:
            seen.append("rename")
            replace(old, new)

        monkeypatch.setattr(os, "fsync", fsync)
        monkeypatch.setattr(os, "replace", rename)
        write_file(str(tmp_path / "a.conf"), b"new", mode=0o644)
        assert seen == ["sync a.conf.kvmops-new", "rename", f"sync {tmp_path.name}"]


class TestRemove:
    """remove_file."""

    def test_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "a").touch()
        (tmp_path / "b").touch()
        remove_file(str(tmp_path / "a"))
        assert names(tmp_path) == ["b"]

    def test_what_is_not_there(self, tmp_path: Path) -> None:
        remove_file(str(tmp_path / "a"))
        remove_file(str(tmp_path / "b" / "c"))
        assert names(tmp_path) == []

    def test_a_link_and_not_what_it_leads_to(self, tmp_path: Path) -> None:
        (tmp_path / "a").touch()
        (tmp_path / "b").symlink_to(tmp_path / "a")
        remove_file(str(tmp_path / "b"))
        assert names(tmp_path) == ["a"]

    def test_an_empty_folder_of_additions_goes(self, tmp_path: Path) -> None:
        folder = tmp_path / "network" / "10-eth0.network.d"
        folder.mkdir(parents=True)
        (folder / "kvmops-mv0.conf").touch()
        remove_file(str(folder / "kvmops-mv0.conf"))
        assert names(tmp_path / "network") == []

    def test_one_with_something_in_it_stays(self, tmp_path: Path) -> None:
        folder = tmp_path / "network" / "10-eth0.network.d"
        folder.mkdir(parents=True)
        for name in ("kvmops-mv0.conf", "own.conf"):
            (folder / name).touch()
        remove_file(str(folder / "kvmops-mv0.conf"))
        assert names(folder) == ["own.conf"]

    @pytest.mark.parametrize("folder", ["udev/rules.d", "network/plain", "system/a.service.d"])
    def test_other_folders_stay(self, tmp_path: Path, folder: str) -> None:
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "a").touch()
        remove_file(str(tmp_path / folder / "a"))
        assert names(tmp_path / folder) == []

    def test_a_folder_is_no_file(self, tmp_path: Path) -> None:
        (tmp_path / "a").mkdir()
        with pytest.raises(OSError, match=r"Is a directory|Operation not permitted"):
            remove_file(str(tmp_path / "a"))


def test_a_text_that_nobody_has_to_have(tmp_path: Path) -> None:
    (tmp_path / "odd").write_bytes(b"caf\xe9\n")
    assert read_text(str(tmp_path / "odd")) == "caf\udce9\n"
    assert read_text(str(tmp_path / "none")) == ""
    assert read_text(str(tmp_path)) == ""
