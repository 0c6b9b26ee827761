"""Files that are whole or not there, and folders that one process at a time works in."""

import errno
import os

import pytest

from bert_course import files
from bert_course.files import only_one, write_whole


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_written_and_replaced(tmp_path):
    for content in (b"old", b"new and longer", b""):
        write_whole(content, tmp_path / "file")
        assert (tmp_path / "file").read_bytes() == content
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_what_cannot_be_written_leaves_what_was(call, tmp_path, monkeypatch):
    def no_space(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    write_whole(b"old", tmp_path / "file")
    monkeypatch.setattr(os, call, no_space)
    with pytest.raises(OSError, match="No space left"):
        write_whole(b"new", tmp_path / "file")
    assert names(tmp_path) == ["file"]
    assert (tmp_path / "file").read_bytes() == b"old"


def test_a_second_one_is_refused_until_the_first_has_ended(tmp_path):
    with (
        only_one(tmp_path / "lock", "taken"),
        pytest.raises(ValueError, match="taken"),
        only_one(tmp_path / "lock", "taken"),
    ):
        pytest.fail("there were two")
    with only_one(tmp_path / "lock", "taken"), only_one(tmp_path / "another", "taken"):
        pass


def test_a_mistake_gives_the_lock_back(tmp_path):
    with pytest.raises(KeyError), only_one(tmp_path / "lock", "taken"):
        raise KeyError
    with only_one(tmp_path / "lock", "taken"):
        pass


@pytest.mark.skipif(files.fcntl is None, reason="Windows locks in another way")
def test_a_file_system_without_locks_is_no_reason_to_refuse(tmp_path, monkeypatch):
    def no_locks(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(files.fcntl, "flock", no_locks)
    with only_one(tmp_path / "lock", "taken"):
        pass
