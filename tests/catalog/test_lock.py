"""What is published stays as it was published."""

import json
from pathlib import Path

import pytest

from callgrade.catalog import digest, list_rubrics, load_rubric
from callgrade.catalog.lock import LOCK, hold_to_lock, locked
from callgrade.catalog.resources import resource_folder
from callgrade.domain.errors import RubricError

PUBLISHED = [entry.reference for entry in list_rubrics() if entry.status == "published"]


def test_the_lock_holds_every_published_version_and_no_other() -> None:
    assert sorted(locked()) == sorted(PUBLISHED)
    written = (resource_folder("rubrics") / LOCK).read_text("utf-8")
    assert written == json.dumps(dict(sorted(locked().items())), indent=2) + "\n"


@pytest.mark.parametrize("reference", PUBLISHED)
def test_a_published_rubric_is_what_was_published(reference: str) -> None:
    assert digest(load_rubric(reference)) == locked()[reference]


@pytest.fixture
def one_locked(monkeypatch: pytest.MonkeyPatch) -> str:
    reference = "monitoring-sheet-40@v1"
    monkeypatch.setattr("callgrade.catalog.lock.locked", lambda: {reference: "sha256:" + "0" * 64})
    return reference


def test_a_changed_file_is_refused_at_load(one_locked: str) -> None:
    with pytest.raises(RubricError, match="is published and has been changed"):
        load_rubric(one_locked)


def test_a_published_version_without_a_lock_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    rubric = load_rubric("monitoring-sheet-40").model_copy(update={"status": "published"})
    monkeypatch.setattr("callgrade.catalog.lock.locked", dict)
    with pytest.raises(RubricError, match=f"stands not in {LOCK}"):
        hold_to_lock(rubric, digest(rubric), "file.yaml")
    hold_to_lock(rubric.model_copy(update={"status": "draft"}), digest(rubric), "file.yaml")


def test_a_rubric_of_ones_own_has_no_lock(one_locked: str, tmp_path: Path) -> None:
    shipped = resource_folder("rubrics") / "monitoring-sheet-40" / "v1.yaml"
    path = tmp_path / "monitoring-sheet-40" / "v1.yaml"
    path.parent.mkdir()
    path.write_text(shipped.read_text("utf-8"), "utf-8")
    assert load_rubric(path).reference == one_locked
