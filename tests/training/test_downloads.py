"""Where published files are found, and what a download must be."""

import hashlib
import http.client
import io
import urllib.error
import zipfile

import pytest

from bert_course.training import downloads
from bert_course.training.downloads import Remote, fetch_bytes, find_file

NAME = "pets/cats.tsv"
CONTENT = b"label\ttext\n"


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """(folder of real data, cache), both empty; a file is published of which neither has a copy."""
    monkeypatch.setenv("BERT_COURSE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("BERT_COURSE_CACHE", str(tmp_path / "cache"))
    begins = hashlib.sha256(CONTENT).hexdigest()[:8]
    remote = Remote("https://cats.example/cats.tsv", begins)
    monkeypatch.setattr(downloads, "REMOTES", {NAME: remote})
    return tmp_path / "data", tmp_path / "cache"


def put(folder, name=NAME, content=CONTENT):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def forbidden(address):
    raise AssertionError(f"nothing was to be fetched, least of all {address}")


def test_real_data_comes_before_the_cache_and_the_first_name_before_others(folders):
    data, cache = folders
    in_cache = put(cache)
    assert find_file([NAME], True, forbidden) == in_cache
    in_data = put(data)
    assert find_file([NAME], True, forbidden) == in_data
    other = put(cache, "pets/dogs.tsv")
    assert find_file(["pets/dogs.tsv", NAME], True, forbidden) == other


def test_without_the_file_and_without_leave_to_download(folders):
    message = r"read from pets/cats.tsv below .*cache.*allow the download from https://cats.example"
    with pytest.raises(ValueError, match=message):
        find_file([NAME], fetch=forbidden)


def test_a_file_that_nobody_offers(folders):
    with pytest.raises(ValueError, match=r"read from pets/dogs.tsv below .*put the file there\. R"):
        find_file(["pets/dogs.tsv"], True, forbidden)


def test_a_download_is_kept_in_the_cache(folders):
    path = find_file([NAME], True, lambda address: CONTENT)
    assert path == folders[1] / NAME
    assert path.read_bytes() == CONTENT
    assert find_file([NAME], True, forbidden) == path
    assert [found.name for found in path.parent.iterdir()] == ["cats.tsv"]


def test_a_download_with_another_hash_is_not_kept(folders):
    with pytest.raises(ValueError, match=r"sha256 that begins .*by hand.*Received: .* from https:"):
        find_file([NAME], True, lambda address: CONTENT + b"!")
    assert not (folders[1] / NAME).exists()


@pytest.mark.parametrize(
    "error",
    [
        urllib.error.URLError("no route"),
        TimeoutError("no route"),
        ConnectionResetError("no route"),
        http.client.IncompleteRead(b"no route"),
        urllib.error.HTTPError("https://cats.example", 404, "no route", {}, None),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_network_that_fails(folders, error):
    def fetch(address):
        raise error

    message = r"needs a network.*bring pets/cats.tsv by hand to .*cache.*https://cats.example"
    with pytest.raises(ValueError, match=message):
        find_file([NAME], True, fetch)


def test_an_archive_is_taken_apart(folders, monkeypatch):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in ("Pets/c.tsv", "Pets/d.tsv", "../escaped.tsv"):
            archive.writestr(name, name)
    members = {NAME: "Pets/c.tsv", "pets/dogs.tsv": "Pets/d.tsv"}
    begins = hashlib.sha256(file.getvalue()).hexdigest()[:8]
    remote = Remote("https://cats.example/pets.zip", begins, members)
    monkeypatch.setattr(downloads, "REMOTES", dict.fromkeys(members, remote))
    assert find_file([NAME], True, lambda address: file.getvalue()).read_text() == "Pets/c.tsv"
    assert find_file(["pets/dogs.tsv"], True, forbidden).read_text() == "Pets/d.tsv"
    assert sum(path.is_file() for path in folders[1].parent.rglob("*")) == 2


def test_a_cache_that_cannot_be_written(folders):
    folders[1].write_text("a file, where a folder should be")
    with pytest.raises(ValueError, match=r"BERT_COURSE_CACHE names.*Received: .*cache"):
        find_file([NAME], True, lambda address: CONTENT)


def test_what_is_fetched_are_the_bytes_at_the_address(tmp_path):
    assert fetch_bytes(put(tmp_path).as_uri()) == CONTENT
