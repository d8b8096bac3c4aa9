"""Calibration runs over HTTP."""

from callgrade.access.keys import ensure_client
from callgrade.db.tables import CalibrationRun
from tests.api.made import Service
from tests.api.test_who_may import calibration_run

REPORT = {"schema": "callgrade.calibration/1", "criteria": []}


def test_runs_are_listed_and_read_with_their_reports(service: Service) -> None:
    with service.database.writing() as session:
        owner = ensure_client(session).id
        first = calibration_run(session, owner)
        golden = session.get_one(CalibrationRun, first).set_id
        told = {"set_id": golden, "split": "dev", "rubric_version": "v1", "rubric_digest": "x", "created_by": "system"}
        session.add(CalibrationRun(client_id=owner, rubric_id="other", status="done", report=REPORT, **told))
    newest = service.get("/v1/calibrations", limit=1).json()
    assert [run["rubric_id"] for run in newest["items"]] == ["other"]
    rest = service.get("/v1/calibrations", cursor=newest["next_cursor"]).json()
    assert [run["id"] for run in rest["items"]] == [first]
    assert rest["next_cursor"] is None
    of_one = service.get("/v1/calibrations", rubric="other").json()["items"]
    assert [run["status"] for run in of_one] == ["done"]
    assert service.get(f"/v1/calibrations/{of_one[0]['id']}").json()["report"] == REPORT
    assert service.get(f"/v1/calibrations/{first}").json()["report"] is None
