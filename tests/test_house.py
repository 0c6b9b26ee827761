"""Rules of the repository: what it says in two places agrees, and it speaks only of itself."""

import re
import subprocess
import tomllib
from itertools import product
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from bert_course.doctor import SUPPORTED_PYTHON

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
COLAB = "tests/data/colab_constraints_2026-08-19.txt"
PYTHONS = ["3.11", "3.12", "3.13"]
PLATFORMS = [("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64"), ("win32", "AMD64")]


def read_requirements(name):
    lines = [line.split("#")[0].strip() for line in (ROOT / name).read_text("utf-8").splitlines()]
    return [Requirement(line) for line in lines if line]


def by_name(requirements):
    return {canonicalize_name(r.name): r for r in requirements}


REQUIREMENTS = read_requirements("requirements.txt")
LOCK = read_requirements("requirements.lock")


@pytest.mark.parametrize("line", PYPROJECT["project"]["dependencies"])
def test_the_package_and_the_course_want_the_same_range(line):
    wanted = Requirement(line)
    assert by_name(REQUIREMENTS)[canonicalize_name(wanted.name)].specifier == wanted.specifier


def is_exact(requirement):
    return [s.operator for s in requirement.specifier] == ["=="] and "*" not in str(requirement)


def test_the_lock_has_only_exact_versions():
    assert [str(r) for r in LOCK if not is_exact(r)] == []


@pytest.mark.parametrize("line", ["keras>=3.13", "keras", "keras==3.*", "keras==3.13,<4"])
def test_what_an_exact_version_is_not(line):
    assert not is_exact(Requirement(line))


@pytest.mark.parametrize(("python", "platform"), list(product(PYTHONS, PLATFORMS)))
def test_the_lock_gives_every_machine_what_the_course_needs(python, platform):
    system, processor = platform
    machine = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": system,
        "platform_machine": processor,
        "platform_system": {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}[system],
        "os_name": "nt" if system == "win32" else "posix",
    }
    # The package is installed without a network, so what builds it has to be in the lock too.
    wanted = REQUIREMENTS + [Requirement(r) for r in PYPROJECT["build-system"]["requires"]]
    for requirement in [r for r in wanted if not r.marker or r.marker.evaluate(machine)]:
        name = canonicalize_name(requirement.name)
        pins = [r for r in LOCK if canonicalize_name(r.name) == name]
        pins = [r for r in pins if not r.marker or r.marker.evaluate(machine)]
        assert len(pins) == 1, f"{len(pins)} versions of {name} in the lock: run `make lock`"
        (version,) = [s.version for s in pins[0].specifier]
        assert version in requirement.specifier, f"{pins[0]}: run `make lock`"


def test_the_course_replaces_nothing_that_colab_ships():
    ranges = by_name(REQUIREMENTS)
    shipped = {name: r for name, r in by_name(read_requirements(COLAB)).items() if name in ranges}
    assert {"tensorflow", "keras", "keras-hub", "tensorflow-text", "numpy"} <= set(shipped)
    for name, pin in shipped.items():
        (version,) = [s.version for s in pin.specifier]
        assert version in ranges[name].specifier, f"Colab has {pin}; wanted: {ranges[name]}"


def test_the_same_pythons_everywhere():
    allowed = Requirement(f"python{PYPROJECT['project']['requires-python']}").specifier
    assert [v for v in (f"3.{minor}" for minor in range(30)) if v in allowed] == PYTHONS
    assert [f"{major}.{minor}" for major, minor in SUPPORTED_PYTHON] == [PYTHONS[0], PYTHONS[-1]]
    assert f"\nPYTHONS = {' '.join(PYTHONS)}\n" in (ROOT / "Makefile").read_text("utf-8")
    conda = (ROOT / "environment.yml").read_text("utf-8")
    assert re.search(r"- python=(\S+)", conda)[1] in PYTHONS


def test_conda_takes_its_packages_from_the_requirements():
    assert "      - -r requirements.txt\n" in (ROOT / "environment.yml").read_text("utf-8")


# Written in pieces, so that this file does not hold what it forbids.
FORBIDDEN = {
    "a path of one machine": "|".join(f"/{top}/" for top in ("work", "root", "farm")),
    "the host of a package registry": "|".join(
        f"{name}[.]{domain}"
        for name, domain in [
            ("pypi", "org"),
            ("python" + "hosted", "org"),
            ("registry[.]npmjs", "org"),
            ("deb[.]debian", "org"),
        ]
    ),
}


def forbidden_in(content):
    return [
        f"{what}: {found[0].decode()}"
        for what, pattern in FORBIDDEN.items()
        if (found := re.search(pattern.encode(), content))
    ]


def test_nothing_forbidden_stands_in_any_file():
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        answer = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout, so there is no list of the files that belong to it")
    paths = [ROOT / name for name in answer.stdout.split("\0") if name]
    found = {str(p): forbidden_in(p.read_bytes()) for p in paths if p.is_file()}
    assert {name: finds for name, finds in found.items() if finds} == {}


@pytest.mark.parametrize(
    "pieces",
    [
        ("data in /", "work", "/shared"),
        ("/", "root", "/.cache/course"),
        ("--index-url https://", "pypi", ".org/simple"),
        ("https://files.", "python" + "hosted", ".org"),
    ],
)
def test_what_is_forbidden_is_found(pieces):
    assert len(forbidden_in("".join(pieces).encode())) == 1
