"""Calibration runs over HTTP."""

from callgrade.access.keys import ensure_client
from callgrade.db.tables import CalibrationRun
from tests.api.made import Service
from tests.api.test_who_may import calibration_run
from tests.web.golden import FORM, golden_set

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


def test_one_is_begun_once_and_cancelled(service: Service) -> None:
    with service.database.writing() as session:
        set_id = golden_set(session, ensure_client(session).id)[0]
    wanted = {"rubric": FORM.reference, "set": "own", "judge": "rules"}
    answers = [service.http.post("/v1/calibrations", json=wanted, headers=service.key()) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    run = answers[0].json()
    assert answers[1].json()["id"] == run["id"]
    assert (run["status"], run["set_id"], run["model_asked"]) == ("queued", set_id, None)
    assert service.queue.handed_in[-1][:2] == ("calibration", run["id"])
    there = f"/v1/calibrations/{run['id']}/cancel"
    assert service.http.post(there, headers=service.key()).json()["status"] == "cancelled"
    assert service.http.post(there, headers=service.key()).status_code == 409


def test_the_holdout_is_read_by_who_says_how_often_it_was(service: Service) -> None:
    with service.database.writing() as session:
        golden_set(session, ensure_client(session).id)
    wanted = {"rubric": FORM.reference, "set": "own", "judge": "rules", "split": "holdout"}

    def status(**more: object) -> int:
        return service.http.post("/v1/calibrations", json={**wanted, **more}, headers=service.key()).status_code

    assert [status(), status(why="x"), status(readings=0)] == [422, 422, 422]
    assert [status(why="x", readings=3), status(why="x", readings=0)] == [409, 202]


def test_golden_sets_are_told_in_figures_alone(service: Service) -> None:
    with service.database.writing() as session:
        set_id = golden_set(session, ensure_client(session).id)[0]
    told = service.get(f"/v1/golden-sets/{set_id}").json()
    assert (told["calls"], told["labels"], told["digest"]) == ({"dev": 1, "holdout": 1}, 4, None)
    assert {one["rater"]: (one["kind"], one["blind"]) for one in told["raters"]} == {
        "rater-0": ("person", 2),
        "rater-1": ("person", 2),
    }
    assert service.get("/v1/golden-sets").json()["items"] == [told]
    assert "g-2" not in str(told)
