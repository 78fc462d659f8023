"""The doctor finds what is missing, says it in words, and says how to get it."""

from pathlib import Path

import pytest
from courses import ROOT, SET

from rnncourse.grading import doctor, machine
from rnncourse.grading.__main__ import main
from rnncourse.grading.machine import MISSING, NOTE, OK


def test_a_machine_and_a_course_that_are_ready(walls, course, capsys):
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    for line in ("a sandbox starts", f"the gradebook knows {SET}", "RNNCOURSE_SEED is set", "exercises/ is what"):
        assert f"ok       {line}" in out
    assert out.endswith("Grading can go on.\n")


def test_a_machine_without_bubblewrap(course, capsys, monkeypatch):
    monkeypatch.setenv("PATH", str(ROOT))
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "missing  bwrap is not installed\n" in out
    assert "→ Debian, Ubuntu: apt install bubblewrap; Fedora: dnf install bubblewrap; Arch: pacman -S bubblewrap" in out
    assert "a sandbox starts" not in out
    assert "Grading cannot go on" in out
    assert "bwrap is not installed" in main(["grade", "ps2"]), "grade refuses to start without walls"


def test_a_bubblewrap_that_does_not_start(tmp_path, monkeypatch):
    for name in ("bwrap", "setpriv"):
        (tmp_path / name).write_text("#!/bin/sh\necho No permissions to create new namespace >&2\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    (finding,) = (found for found in machine.walls(Path("/")) if found.state == MISSING)
    assert "bubblewrap does not start here" in finding.says and "No permissions" in finding.says


def test_other_systems_are_sent_to_a_container(monkeypatch):
    monkeypatch.setattr(machine.sys, "platform", "darwin")
    (finding,) = machine.walls(Path("/"))
    assert finding.state == MISSING and "container" in finding.cure


SETTINGS = {
    "kernel/unprivileged_userns_clone": (
        "0",
        "user namespaces are switched off (kernel.unprivileged_userns_clone = 0)",
    ),
    "user/max_user_namespaces": ("0", "user namespaces are switched off (user.max_user_namespaces = 0)"),
    "kernel/apparmor_restrict_unprivileged_userns": ("1", "AppArmor restricts user namespaces"),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_kernel_that_forbids_user_namespaces(tmp_path, name):
    value, sentence = SETTINGS[name]
    path = tmp_path / "proc/sys" / name
    path.parent.mkdir(parents=True)
    path.write_text(f"{value}\n")
    (finding,) = machine.namespaces(tmp_path)
    assert finding.state == NOTE and finding.says.startswith(sentence) and finding.cure


def test_a_kernel_that_allows_them(tmp_path):
    (finding,) = machine.namespaces(tmp_path)
    assert finding.state == OK


def test_a_course_that_lacks_all(course, monkeypatch):
    monkeypatch.delenv("RNNCOURSE_SEED")
    monkeypatch.setattr(doctor, "FREE", 2**80)
    Path("gradebook.db").unlink()
    Path(f"exercises/{SET}/rnn.ipynb").write_text("{}")
    findings = {found.says: found for found in doctor.course_of(course)}
    missing = [says for says, found in findings.items() if found.state == MISSING]
    assert len(missing) == 3
    assert missing[0] == f"exercises/ is not what solutions/ gives: {SET}/rnn.ipynb differs"
    assert missing[1] == "the gradebook knows no problem set of this course"
    assert missing[2].endswith("of disk are free")
    assert findings["RNNCOURSE_SEED is not set: students can draw the hidden cases themselves"].state == NOTE
    assert all(found.cure for found in findings.values() if found.state == MISSING)


def test_an_exchange_that_is_there(course, tmp_path):
    course.config.Exchange.root = str(tmp_path)
    assert f"the exchange {tmp_path} can be written to" in {found.says for found in doctor.course_of(course)}
