"""The trained file: who made what of which labels, and the weights. It holds arrays and JSON, and runs no code when it
is read (NumPy's archive, without pickled objects)."""

import hashlib
import io
import json
import zipfile
from typing import Any

import numpy as np
from pydantic import ValidationError

from callgrade.calibration.second_opinion.features import RECIPE, WIDTH
from callgrade.calibration.second_opinion.fitting import Line, Slope
from callgrade.domain.autonomy import criterion_digests
from callgrade.domain.errors import ConflictError
from callgrade.domain.identity import ByIdentity
from callgrade.domain.rubrics import Rubric
from callgrade.domain.second_opinion import Opinion
from callgrade.stats.reliability import Calibrator

NAMES = ("about", "calibrator", "intercept", "places", "tells", "weights")
LARGEST = 16_000_000
"""Bytes of each array, before anything is read: far more than any file of ours has."""


class UntrustworthyError(ConflictError):
    """A trained file that is not what it says it is, or is for something else. It is not asked."""


def write(about: Opinion, line: Line) -> tuple[Opinion, bytes]:
    """The file, and what it says of itself with the digest of everything in it."""
    arrays = {
        "calibrator": _text(line.calibrator.as_dict()),
        "intercept": np.array([line.slope.intercept], np.float64),
        "places": np.asarray(line.places, np.int32),
        "tells": np.asarray(line.slope.tells, np.float32),
        "weights": np.asarray(line.slope.weights, np.float32),
    }
    signed = about.model_copy(update={"sha256": _digest(about, arrays)})
    file = io.BytesIO()
    np.savez_compressed(file, about=_text(signed.model_dump(mode="json", by_alias=True)), **arrays)
    return signed, file.getvalue()


def read(content: bytes) -> tuple[Opinion, Line]:
    """Raises UntrustworthyError for a file that is damaged, was changed by anybody, or was made by another recipe."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if any(one.file_size > LARGEST for one in packed.infolist()):
                raise UntrustworthyError("the second opinion's file is larger than any of ours")
        with np.load(io.BytesIO(content), allow_pickle=False) as found:
            arrays = {name: found[name] for name in NAMES}
        about = Opinion.model_validate(json.loads(arrays.pop("about").tobytes()))
        line = _line(arrays)
    except (OSError, ValueError, KeyError, EOFError, TypeError, IndexError, zipfile.BadZipFile, ValidationError):
        raise UntrustworthyError("the second opinion's file cannot be read: train it again") from None
    if _digest(about, arrays) != about.sha256:
        raise UntrustworthyError("the second opinion's file was changed after it was made: train it again")
    if about.recipe != RECIPE:
        raise UntrustworthyError(f"the second opinion was trained by {about.recipe}, and this is {RECIPE}: train again")
    return about, line


def check_for(about: Opinion, rubric: Rubric) -> None:
    """Raises UntrustworthyError where the criterion has changed since it was trained."""
    digest = criterion_digests(ByIdentity(rubric)).get(about.criterion_id)
    if digest != about.criterion_digest:
        raise UntrustworthyError(
            f"the second opinion on {about.criterion_id} is of {about.rubric}, and the criterion has changed since: "
            "train it again"
        )


def _line(arrays: dict[str, Any]) -> Line:
    places, tells, weights, intercept = (arrays[name] for name in ("places", "tells", "weights", "intercept"))
    if not places.shape == tells.shape == weights.shape or places.ndim != 1 or intercept.shape != (1,):
        raise ValueError("places and weights do not go together")
    if places.dtype.kind != "i" or {tells.dtype.kind, weights.dtype.kind, intercept.dtype.kind} != {"f"}:
        raise ValueError("no numbers")
    if len(places) and not (places.min() >= 0 and places.max() < WIDTH):
        raise ValueError("a place that there is not")
    if not all(np.isfinite(one).all() for one in (tells, weights, intercept)):
        raise ValueError("no numbers")
    slope = Slope(tells, weights, float(intercept[0]))
    return Line(places, slope, Calibrator.from_dict(json.loads(arrays["calibrator"].tobytes())))


def _digest(about: Opinion, arrays: dict[str, Any]) -> str:
    told = hashlib.sha256(_plain(about.model_dump(mode="json", by_alias=True, exclude={"sha256"})))
    for name in sorted(arrays):
        told.update(b"\0" + name.encode() + b"\0" + arrays[name].tobytes())
    return f"sha256:{told.hexdigest()}"


def _text(content: Any) -> Any:
    return np.frombuffer(_plain(content), np.uint8)


def _plain(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
