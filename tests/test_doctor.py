"""The doctor: each finding in its good and its bad case, and the exit code that scripts read."""

import subprocess
import sys

import pytest

from bert_course import doctor
from bert_course.doctor import FAILURE, OK, WARNING
from bert_course.training.hardware import Gpu


@pytest.fixture
def requirements(tmp_path, monkeypatch):
    """Writes requirements.txt and requirements.lock of a made-up course."""
    monkeypatch.setattr(doctor, "ROOT", tmp_path)

    def write(ranges, lock=""):
        (tmp_path / "requirements.txt").write_text(ranges)
        (tmp_path / "requirements.lock").write_text(lock)

    return write


def levels(findings):
    return [finding.level for finding in findings]


def test_this_machine_is_fit():
    assert FAILURE not in levels(doctor.examine())


def test_the_forward_pass_gives_the_stored_numbers():
    assert doctor.check_forward_pass().level == OK


def test_a_backend_that_computes_wrongly_is_found(monkeypatch):
    monkeypatch.setattr(doctor, "forward_pass", lambda: (0.35, 0.03, 0.87, 1.88))
    finding = doctor.check_forward_pass()
    assert finding.level == FAILURE
    assert "computes wrongly" in finding.fix


@pytest.mark.parametrize(
    ("version", "level"), [((3, 10), FAILURE), ((3, 11), OK), ((3, 13), OK), ((3, 14), FAILURE)]
)
def test_python_is_3_11_to_3_13(monkeypatch, version, level):
    monkeypatch.setattr(sys, "version_info", (*version, 0))
    assert doctor.check_python().level == level


def test_a_missing_package_is_a_failure_with_its_pip_line(requirements):
    requirements("no-such-package>=2  # a reason\n")
    (missing, _) = doctor.check_versions()
    assert missing.level == FAILURE
    assert missing.fix == "pip install 'no-such-package>=2'"


def test_a_package_out_of_range_is_a_failure(requirements):
    requirements("numpy>=1,<1.5\n")
    (outside, _) = doctor.check_versions()
    assert outside.level == FAILURE
    assert "is outside" in outside.what


def test_a_package_in_range_that_is_not_the_locked_one_is_a_warning(requirements):
    requirements("numpy>=1\n", lock="numpy==1.0.0\n")
    (differs, _) = doctor.check_versions()
    assert differs.level == WARNING
    assert "tested with 1.0.0" in differs.what


def test_a_requirement_of_another_system_is_left_out(requirements):
    requirements("no-such-package; sys_platform == 'amiga'\n")
    assert levels(doctor.check_versions()) == [OK]


def test_too_little_memory_is_a_warning(monkeypatch):
    monkeypatch.setattr(doctor, "memory_gb", lambda: 2.0)
    assert levels(doctor.check_memory()) == [WARNING]


def test_a_full_disk_is_a_warning(monkeypatch):
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000}))
    assert doctor.check_disk().level == WARNING


def test_a_data_folder_that_is_not_there_is_a_failure(monkeypatch, tmp_path):
    monkeypatch.setenv("BERT_COURSE_DATA", str(tmp_path / "nowhere"))
    assert FAILURE in levels(doctor.check_data())
    monkeypatch.setenv("BERT_COURSE_DATA", str(tmp_path))
    assert FAILURE not in levels(doctor.check_data())


def test_an_idle_gpu_is_a_warning(monkeypatch):
    gpu = Gpu("Tesla T4", 15.0, 7.5)
    monkeypatch.setattr(doctor, "find_gpus", lambda: [gpu])
    advice, idle = doctor.check_gpus()  # the tests compute on the CPU
    assert "mixed_float16" in advice.what
    assert idle.level == WARNING


@pytest.mark.parametrize(("override", "warned"), [(None, True), ("0", False)])
def test_a_gpu_that_rounds_float32_is_a_warning(monkeypatch, override, warned):
    monkeypatch.delenv("NVIDIA_TF32_OVERRIDE", raising=False)
    if override:
        monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", override)
    monkeypatch.setattr(doctor, "find_gpus", lambda: [Gpu("NVIDIA L4", 22.5, 8.9)])
    assert any("TF32" in finding.what for finding in doctor.check_gpus()) == warned


def run_doctor(**environment):
    return subprocess.run(
        [sys.executable, "-m", "bert_course", "doctor"],
        env={**doctor.os.environ, **environment},
        capture_output=True,
        text=True,
    )


def test_a_broken_backend_is_exit_code_1_and_no_traceback():
    result = run_doctor(KERAS_BACKEND="abacus")
    assert result.returncode == 1
    assert "KERAS_BACKEND=abacus" in result.stdout
    assert "Traceback" not in result.stdout + result.stderr


def test_a_fit_machine_is_exit_code_0_and_silence_on_stderr():
    result = run_doctor()
    assert result.returncode == 0
    assert "0 failures" in result.stdout
    assert result.stderr == ""
