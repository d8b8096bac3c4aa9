"""A trained file says what it is, runs nothing, and is refused when it is anything else."""

import io
import pickle

import numpy as np
import pytest

from callgrade.calibration.second_opinion import stored
from callgrade.calibration.second_opinion.stored import UntrustworthyError, check_for, read
from callgrade.domain.frozen import LocalText
from tests.calibration.second_opinion.made import BAIT, trained
from tests.reviews.autonomous import FORM


def packed(content, **changes):
    with np.load(io.BytesIO(content), allow_pickle=False) as found:
        arrays = {name: found[name] for name in found.files}
    file = io.BytesIO()
    np.savez_compressed(file, **{**arrays, **changes})
    return file.getvalue()


def test_it_names_its_criterion_its_labels_its_recipe_and_its_digest():
    one = trained()["bait"]
    about, line = read(one.content)
    assert about == one.about
    assert (about.rubric, about.criterion_id, about.recipe) == (
        FORM.reference,
        "bait",
        "char-1-4/binary/hash-16/by-side/log-ratio/1",
    )
    assert about.sha256.startswith("sha256:")
    assert about.library.startswith("scikit-learn ")
    assert (about.source.calls, about.source.digest) == (120, "sha256:x")
    assert len(line.places) == len(line.slope.weights) > 100
    assert BAIT.encode() not in one.content, "words are hashed"


@pytest.mark.parametrize("what", ["weights", "tells", "intercept", "calibrator", "about"])
def test_whatever_is_changed_in_it_makes_it_refused(what):
    content = trained()["bait"].content
    with np.load(io.BytesIO(content), allow_pickle=False) as found:
        value = found[what].copy()
    if what == "about":
        value = np.frombuffer(value.tobytes().replace(b'"firm":0.9', b'"firm":0.5'), np.uint8)
    elif what == "calibrator":
        value = np.frombuffer(value.tobytes().replace(b'"n":120', b'"n":121'), np.uint8)
    else:
        value[0] += 1
    with pytest.raises(UntrustworthyError, match="was changed after it was made"):
        read(packed(content, **{what: value}))


def test_damage_other_shapes_and_code_are_refused():
    content = trained()["bait"].content
    for wrong in (b"", b"PK", content[: len(content) // 2], b"x" * 100, pickle.dumps([1])):
        with pytest.raises(UntrustworthyError, match="cannot be read"):
            read(wrong)
    weights = read(content)[1].slope.weights
    code = np.array([{"os": "system"}], dtype=object)
    with pytest.raises(UntrustworthyError, match="cannot be read"):
        read(packed(content, weights=code))
    with pytest.raises(UntrustworthyError, match="cannot be read"):
        read(packed(content, weights=np.full_like(weights, np.inf)))


def test_another_recipe_is_refused(monkeypatch):
    content = trained()["bait"].content
    monkeypatch.setattr(stored, "RECIPE", "char-1-4/binary/hash-16/by-side/log-ratio/2")
    with pytest.raises(UntrustworthyError, match="train again"):
        read(content)


def test_a_criterion_that_has_changed_is_refused_and_another_one_changes_nothing():
    about = trained()["bait"].about
    warm, bait = FORM.by_id["warm"], FORM.by_id["bait"]
    check_for(
        about, FORM.model_copy(update={"criteria": (warm.model_copy(update={"title": LocalText(zh="改")}), bait)})
    )
    changed = FORM.model_copy(update={"criteria": (warm, bait.model_copy(update={"guidance": LocalText(zh="改")}))})
    with pytest.raises(UntrustworthyError, match="the criterion has changed since"):
        check_for(about, changed)
