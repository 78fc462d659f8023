"""Downloads become submissions: whose each is, which counts, and what never gets in."""

import io
import os
import shutil
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from courses import ROOT, SET

from rnncourse.grading import downloads
from rnncourse.grading.collect import collect
from rnncourse.grading.course import Course
from rnncourse.grading.downloads import NoDownloads, files
from rnncourse.grading.names import Names

LINK = 0o120777 << 16


@pytest.fixture
def course(tmp_path, monkeypatch):
    root = tmp_path / "course"
    for folder in ("solutions", "exercises"):
        shutil.copytree(ROOT / folder / SET, root / folder / SET)
    shutil.copy(ROOT / "nbgrader_config.py", root)
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "config"))
    return Course(root)


@pytest.fixture
def place(tmp_path):
    """place(files, times): a folder with these files, whose times are hours of 20 November 2026 in UTC."""

    def build(contents, **hours):
        for name, content in contents.items():
            path = tmp_path / "downloads" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            hour = hours.get(path.name.partition(".")[0], 12)
            when = datetime(2026, 11, 20, hour, tzinfo=UTC).timestamp()
            os.utime(path, (when, when))
        return tmp_path / "downloads"

    return build


def zipped(contents):
    """A zip of (name, content) or (name, content, hour) or (name, content, hour, external attributes)."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content, *more in contents:
            local = datetime(2026, 11, 20, *(more[:1] or [12]), tzinfo=UTC).astimezone()
            info = zipfile.ZipInfo(name, local.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = more[1] if len(more) > 1 else 0o644 << 16
            archive.writestr(info, content)
    return file.getvalue()


def handed_in(course):
    """What lies in submitted/: by student, the notebook and its time."""
    found = {}
    for path in sorted((course.root / "submitted").glob(f"*/{SET}/rnn.ipynb")):
        found[path.parts[-3]] = path.read_bytes(), (path.parent / "timestamp.txt").read_text()[11:13]
    return found


OWNERS = {
    "ada/rnn.ipynb": "ada",
    "ada/ps2-rnn/rnn.ipynb": "ada",
    "ps2/ada/rnn.ipynb": "ada",
    "student1_rnn.ipynb": "student1",
    "anna_maria_rnn.ipynb": "anna_maria",
    "ada/RNN (1).ipynb": "ada",
    "Ada Lovelace_1234_assignsubmission_file_/rnn.ipynb": "Ada Lovelace",
    "Ada Lovelace_1234_assignsubmission_file_rnn.ipynb": "Ada Lovelace",
    "Müller-Lüdenscheid Zoë_1_assignsubmission_file_/sub/rnn.ipynb": "Müller-Lüdenscheid Zoë",
    "lovelaceada_1234_5678_rnn.ipynb": "lovelaceada",
    "lovelaceada_LATE_1234_5678_rnn-2.ipynb": "lovelaceada",
    "PS 2_ada_attempt_2026-11-20-12-00-00_rnn.ipynb": "ada",
    "ada_ps2-rnn/final/rnn.ipynb": "ada",
    "Zoe\u0308/rnn.ipynb": "Zo\u00eb",
}


@pytest.mark.parametrize("path", OWNERS)
def test_whose_a_file_is(path):
    assert Names(SET, ["rnn"], []).owner(tuple(path.split("/"))) == (OWNERS[path], "rnn")


# What a student may call a file does not make it another student's.
OWNERS |= {
    "Ada_1_assignsubmission_file_/Ben_2_assignsubmission_file_/rnn.ipynb": "Ada",
    "Ada_1_assignsubmission_file_Ben_2_assignsubmission_file_rnn.ipynb": "Ada",
    "ada_1_2_PS_ben_attempt_2026-11-20-12-00-00_rnn.ipynb": "ada",
    "ada_1_2_ben_3_4_rnn.ipynb": "ada",
}

NOBODYS = {
    "rnn.ipynb": "its name says nothing of a student",
    "ada/lstm.ipynb": "no notebook of this problem set; expected rnn.ipynb",
    "ada/notes.txt": "no notebook of this problem set",
    "<script>/rnn.ipynb": "is no name of a student",
    "../rnn.ipynb": "is no name of a student",
    f"{'a' * 200}_rnn.ipynb": "is no name of a student",
}


@pytest.mark.parametrize("path", NOBODYS)
def test_what_is_nobodys_says_why(path):
    assert NOBODYS[path] in Names(SET, ["rnn"], []).owner(tuple(path.split("/")))


def test_a_folder_around_all_others_is_no_student():
    flat = [("submissions", "ada_rnn.ipynb"), ("submissions", "ben_rnn.ipynb")]
    names = Names(SET, ["rnn"], flat)
    assert [names.owner(path) for path in flat] == [("ada", "rnn"), ("ben", "rnn")]
    one = [("ada", "old_rnn.ipynb")]
    assert Names(SET, ["rnn"], one).owner(one[0]) == ("ada", "rnn")


def test_two_students_of_one_name_are_not_taken_for_one():
    paths = [(f"Ada Lee_{number}_assignsubmission_file_", "rnn.ipynb") for number in (1, 2)]
    names = Names(SET, ["rnn"], [*paths, ("Bo_3_assignsubmission_file_", "rnn.ipynb")])
    assert [names.owner(path) for path in paths] == [
        "more than one student is called Ada Lee: rename their folders or files"
    ] * 2
    assert names.owner(("Bo_3_assignsubmission_file_", "rnn.ipynb")) == ("Bo", "rnn")
    twice = [("ada_LATE_1_8_rnn.ipynb",), ("ada_1_9_rnn-1.ipynb",)]
    assert Names(SET, ["rnn"], twice).owner(twice[0]) == ("ada", "rnn"), "two attempts of one student"


def test_no_student_can_make_another_one_seem_two():
    paths = [
        ("Ada_1_assignsubmission_file_", "Ben_9_assignsubmission_file_", "rnn.ipynb"),
        ("Ben_2_assignsubmission_file_", "rnn.ipynb"),
    ]
    assert [Names(SET, ["rnn"], paths).owner(path) for path in paths] == [("Ada", "rnn"), ("Ben", "rnn")]


def test_a_name_cannot_steer_the_terminal(course, place):
    found = collect(course, SET, place({"a\x1b[2J\n.txt": b"", "ada/rnn.ipynb": b""}))
    assert found.aside == ["a\ufffd[2J\ufffd.txt: no notebook of this problem set; expected rnn.ipynb"]


def test_a_folder_that_cannot_be_written_to_does_not_stop_the_others(course, place):
    (course.root / "submitted" / "ada" / SET / "timestamp.txt").mkdir(parents=True)
    (course.root / "submitted" / "ben" / SET).mkdir(parents=True)
    (course.root / "submitted" / "ben" / SET / "timestamp.txt").write_bytes(b"\xff")
    found = collect(course, SET, place({"ada/rnn.ipynb": b"A", "ben/rnn.ipynb": b"B"}))
    assert found.taken == {"ben"} and "ada/rnn.ipynb: it could not be written" in found.aside[0]


def test_a_folder_of_students_is_collected_with_its_times(course, place):
    here = place({"ada/rnn.ipynb": b"A", "ben_rnn.ipynb": b"B", "cem/notes.txt": b"C"}, ben_rnn=14)
    found = collect(course, SET, here)
    assert found.taken == {"ada", "ben"}
    assert handed_in(course) == {"ada": (b"A", "12"), "ben": (b"B", "14")}
    assert found.aside == ["cem/notes.txt: no notebook of this problem set; expected rnn.ipynb"]
    again = collect(course, SET, here)
    assert (again.taken, again.stood) == (set(), {"ada", "ben"})


def test_a_folder_that_is_taken_for_none_of_the_students_is_named(course, place):
    found = collect(course, SET, place({"ada/ben/rnn.ipynb": b"B", "ada/carol/rnn.ipynb": b"C"}))
    assert found.taken == {"ben", "carol"}
    assert found.notes == ["ada: the one folder around all; students are those within it"]


def test_the_zip_of_a_class_is_collected_alone_or_in_a_folder(course, place):
    moodle = "{}_1_assignsubmission_file_/rnn.ipynb"
    data = zipped([(moodle.format("ada"), b"A", 9), (moodle.format("ben"), b"B", 10), ("__MACOSX/x/rnn.ipynb", b"")])
    here = place({"class.zip": data, "readme.txt": b""})
    for path in (here, here / "class.zip"):
        found = collect(course, SET, path)
        assert found.taken | found.stood == {"ada", "ben"} and not found.aside
        assert handed_in(course) == {"ada": (b"A", "09"), "ben": (b"B", "10")}


def test_two_zips_of_classes_in_a_folder_are_to_be_collected_one_by_one(course, place):
    data = zipped([("ada_1_assignsubmission_file_/rnn.ipynb", b"A")])
    found = collect(course, SET, place({"one.zip": data, "two.zip": data}))
    assert not found.taken and all(line.endswith("collect that zip by itself") for line in found.aside)


def test_a_students_zip_has_the_time_of_the_zip_not_what_it_says_inside(course, place):
    here = place({"ada.zip": zipped([("work/rnn.ipynb", b"A", 1)]), "ben/ps2.zip": zipped([("rnn.ipynb", b"B", 1)])})
    assert collect(course, SET, here).taken == {"ada", "ben"}
    assert handed_in(course) == {"ada": (b"A", "12"), "ben": (b"B", "12")}


def test_of_two_files_the_newest_counts_and_it_says_so(course, place):
    here = place({"ada/rnn.ipynb": b"old", "ada/rnn (1).ipynb": b"new", "ada/rnn-2.ipynb": b"older"}, **{"rnn (1)": 15})
    found = collect(course, SET, here)
    assert handed_in(course) == {"ada": (b"new", "15")}
    assert found.notes and all("two files for rnn.ipynb; the newest counts" in note for note in found.notes)
    assert found.notes[-1].endswith("ada/rnn (1).ipynb")


def test_a_newer_submission_is_never_overwritten(course, place):
    collect(course, SET, place({"ada/rnn.ipynb": b"new"}, rnn=18))
    assert collect(course, SET, place({"ada/rnn.ipynb": b"old"}, rnn=9)).stood == {"ada"}
    assert handed_in(course) == {"ada": (b"new", "18")}
    collect(course, SET, place({"ada/rnn.ipynb": b"last"}, rnn=20))
    assert handed_in(course) == {"ada": (b"last", "20")}


def test_the_same_file_downloaded_later_is_not_late(course, place):
    collect(course, SET, place({"ada/rnn.ipynb": b"same"}, rnn=9))
    collect(course, SET, place({"ada/rnn.ipynb": b"same"}, rnn=18))
    assert handed_in(course) == {"ada": (b"same", "09")}


def test_links_are_not_followed(course, place, tmp_path):
    (tmp_path / "secret").write_bytes(b"secret")
    here = place({"ada/rnn.ipynb": b"A", "ben/x": b""})
    (here / "ben" / "rnn.ipynb").symlink_to(tmp_path / "secret")
    (here / "cem").symlink_to(here / "ada")
    (course.root / "submitted" / "ada").mkdir(parents=True)
    (course.root / "submitted" / "ada" / SET).symlink_to(tmp_path)
    found = collect(course, SET, here)
    assert not found.taken and not (tmp_path / "rnn.ipynb").exists()
    assert "ada/rnn.ipynb: submitted/ada is a link" in found.aside
    assert {line for line in found.aside if "a link, a pipe" in line} == {
        "ben/rnn.ipynb: a link, a pipe or a device",
        "cem: a link, a pipe or a device",
    }


EVIL = {
    "a path that climbs": [("../../evil/rnn.ipynb", b"x")],
    "a path from the root": [("/evil/rnn.ipynb", b"x")],
    "a path of Windows": [("..\\..\\evil\\rnn.ipynb", b"x")],
    "a drive of Windows": [("C:/evil/rnn.ipynb", b"x")],
    "a link": [("evil/rnn.ipynb", b"/etc/passwd", 12, LINK)],
    "a swollen notebook": [("evil/rnn.ipynb", b"0" * 2000)],
    "a zip within a zip within a zip": [("evil.zip", zipped([("b.zip", zipped([("rnn.ipynb", b"x")]))]))],
    "a damaged zip": [("evil.zip", zipped([("rnn.ipynb", b"x" * 99)])[:-30])],
    "no zip": [("evil.zip", b"no zip")],
}


@pytest.mark.parametrize("what", EVIL)
def test_what_is_evil_in_a_zip_is_left_aside_and_the_others_are_taken(course, place, tmp_path, monkeypatch, what):
    monkeypatch.setattr(downloads, "BYTES", 1000)
    before = {path for path in tmp_path.rglob("*") if "evil" in path.name}
    found = collect(course, SET, place({"class.zip": zipped([*EVIL[what], ("ada/rnn.ipynb", b"A")])}))
    assert found.taken == {"ada"} and len(found.aside) == 1
    assert handed_in(course) == {"ada": (b"A", "12")}
    assert {path for path in tmp_path.rglob("*") if "evil" in path.name} == before


def test_a_zip_can_swell_only_so_far_in_all(place, monkeypatch):
    monkeypatch.setattr(downloads, "INNER", (5, 2500))
    many = [(f"{k}/rnn.ipynb", b"0" * 1000) for k in range(4)]
    here = place({"ada.zip": zipped(many), "ben.zip": zipped([(f"{k}", b"") for k in range(6)])})
    found = list(files(here))
    assert [len(file.data) for file in found] == [1000, 1000, 0, 0, 0]
    assert [bool(file.refused) for file in found] == [False, False, True, True, True]
    assert found[-1].refused == "a zip of 6 entries; at most 5 are read"


def test_what_is_too_large_is_not_unpacked(place, monkeypatch):
    here = place({"ada.zip": zipped([("rnn.ipynb", b"0" * 2000)]), "ada.txt": b""}) / "ada.zip"
    monkeypatch.setattr(downloads, "BYTES", 1000)
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("it was unpacked"))
    (file,) = files(here)
    assert file.refused.startswith("larger than")


def test_an_entry_holds_no_more_than_it_says(place, monkeypatch):
    data = bytearray(zipped([("rnn.ipynb", b"0" * 2000)]))
    at = data.index(b"PK\x01\x02") + 24
    data[at : at + 4] = (900).to_bytes(4, "little")
    monkeypatch.setattr(downloads, "BYTES", 1000)
    (file,) = files(place({"ada.zip": bytes(data), "ada.txt": b""}) / "ada.zip")
    assert len(file.data) <= 900 and file.refused


def test_an_encrypted_entry_is_left_aside(place):
    data = bytearray(zipped([("rnn.ipynb", b"x" * 50)]))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    (file,) = files(place({"ada.zip": bytes(data), "ada.txt": b""}) / "ada.zip")
    assert "encrypted" in file.refused


def test_an_entry_without_a_time_gets_none(course, place):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo("ada/rnn.ipynb"), b"A")
    collect(course, SET, place({"class.zip": file.getvalue()}))
    assert (course.root / "submitted" / "ada" / SET / "rnn.ipynb").read_bytes() == b"A"
    assert not (course.root / "submitted" / "ada" / SET / "timestamp.txt").exists()


def test_a_place_without_downloads_is_named(tmp_path):
    (tmp_path / "x").write_text("")
    for path, sentence in ((tmp_path / "none", "found nothing at"), (tmp_path / "x", "got neither")):
        with pytest.raises(NoDownloads, match=sentence):
            list(files(Path(path)))
