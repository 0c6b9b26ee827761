"""Published data sets: where their files lie on this machine, and where to fetch them from."""

import hashlib
import http.client
import io
import urllib.request
import zipfile
from typing import NamedTuple

from bert_course import places
from bert_course.files import write_whole

SECONDS = 60  # of silence, after which a server is taken for dead


class Remote(NamedTuple):
    """A published file.

    Attributes:
        address: where it is.
        sha256: how the hash of its bytes begins.
        members: {place below the data folder: name in the archive}, if it is a .zip.
    """

    address: str
    sha256: str
    members: dict = None


SENTEVAL = "https://dl.fbaipublicfiles.com/senteval/senteval_data"
SQUAD = "https://rajpurkar.github.io/SQuAD-explorer/dataset"
WNUT = "https://raw.githubusercontent.com/leondz/emerging_entities_17/master"
EMOTIONS = (
    "https://raw.githubusercontent.com/google-research/google-research/master/goemotions/data"
)
SST2 = Remote(
    "https://dl.fbaipublicfiles.com/glue/data/SST-2.zip",
    "d67e16fb",
    {"sst2/train.tsv": "SST-2/train.tsv", "sst2/dev.tsv": "SST-2/dev.tsv"},
)
REMOTES = {
    "sst2/train.tsv": SST2,
    "sst2/dev.tsv": SST2,
    "mrpc/msr_paraphrase_train.txt": Remote(f"{SENTEVAL}/msr_paraphrase_train.txt", "60a9b090"),
    "mrpc/msr_paraphrase_test.txt": Remote(f"{SENTEVAL}/msr_paraphrase_test.txt", "a04e2710"),
    "squad/train-v1.1.json": Remote(f"{SQUAD}/train-v1.1.json", "35276639"),
    "squad/dev-v2.0.json": Remote(f"{SQUAD}/dev-v2.0.json", "80a5225e"),
    "wnut17/wnut17train.conll": Remote(f"{WNUT}/wnut17train.conll", "731820e1"),
    "wnut17/emerging.dev.conll": Remote(f"{WNUT}/emerging.dev.conll", "e053b752"),
    "wnut17/emerging.test.annotated": Remote(f"{WNUT}/emerging.test.annotated", "2aa79b76"),
    "goemotions/train.tsv": Remote(f"{EMOTIONS}/train.tsv", "1c254a14"),
    "goemotions/dev.tsv": Remote(f"{EMOTIONS}/dev.tsv", "575489c0"),
    "goemotions/test.tsv": Remote(f"{EMOTIONS}/test.tsv", "0587b2dd"),
    "goemotions/labels.txt": Remote(f"{EMOTIONS}/emotions.txt", "45c3ef86"),
}


def fetch_bytes(address):
    """The bytes at an address of the web."""
    with urllib.request.urlopen(address, timeout=SECONDS) as answer:
        return answer.read()


def find_file(names, download=False, fetch=fetch_bytes):
    """The path of the first of these files that this machine has, or that is downloaded.

    Args:
        names: places below the folder of real data or the cache, any of which will do.
        download: whether to fetch what is not there; it is kept in the cache.
        fetch: address -> bytes.
    """
    folders = [folder for folder in (places.real_data(), places.cache()) if folder]
    for name in names:
        for folder in folders:
            if (folder / name).is_file():
                return folder / name
    offered = [name for name in names if name in REMOTES]
    if download and offered:
        return _download(offered[0], fetch)
    way_out = f", or allow the download from {REMOTES[offered[0]].address}" if offered else ""
    raise ValueError(
        f"Real data is read from {names[0]} below the folder that BERT_COURSE_DATA names, or below "
        f"{places.cache()}: put the file there{way_out}. Received: no such file"
    )


def _download(name, fetch):
    remote = REMOTES[name]
    by_hand = f"try again later, or bring {name} by hand to {places.cache()}"
    try:
        content = fetch(remote.address)
    except (OSError, http.client.HTTPException) as error:
        raise ValueError(
            f"A download needs a network that reaches the address: {by_hand}. "
            f"Received: {remote.address} ({error})"
        ) from None
    found = hashlib.sha256(content).hexdigest()
    if not found.startswith(remote.sha256):
        raise ValueError(
            f"What is downloaded must have the sha256 that begins {remote.sha256}, or it is not "
            f"the published file: {by_hand}. Received: {found[:16]}… from {remote.address}"
        )
    _keep(content, name, remote)
    return places.cache() / name


def _keep(content, name, remote):
    """Write the file, or all wanted members of the archive, into the cache."""
    contents = {name: content}
    if remote.members:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            contents = {place: archive.read(member) for place, member in remote.members.items()}
    try:
        for place, content in contents.items():
            path = places.cache() / place
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(content, path)
    except OSError as error:
        raise ValueError(
            "Downloads are kept in the folder that BERT_COURSE_CACHE names, which must be one that "
            f"can be written to. Received: {places.cache()} ({error.strerror})"
        ) from None
