"""helpers.command.files: what is replaced in one step."""

import os
import stat

import pytest

from helpers.command.files import replacing, write_whole


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
@pytest.mark.parametrize("mode", [0o640, 0o755])
def test_a_file_that_is_replaced_keeps_its_permissions(tmp_path, mode):
    path = tmp_path / "program"
    path.write_bytes(b"old")
    path.chmod(mode)
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_writer_that_is_stopped_leaves_the_old_file_alone(tmp_path, error):
    path = tmp_path / "notebook"
    path.write_bytes(b"old")

    def write():
        with replacing(path) as part:
            part.write_bytes(b"half")
            raise error

    with pytest.raises(error):
        write()
    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["notebook"]


def test_a_new_file_is_made_with_its_folders(tmp_path):
    path = tmp_path / "a/b/c.txt"
    write_whole(path, b"new")
    write_whole(path.with_name("d.txt"), b"")
    assert path.read_bytes() == b"new"
    assert sorted(one.name for one in path.parent.iterdir()) == ["c.txt", "d.txt"]
