"""Calibration runs in the browser: the list, and the report as a page of its own."""

from callgrade.access.keys import ensure_client
from tests.api.test_who_may import calibration_run
from tests.test_role_matrix import calibrated


def test_runs_stand_in_a_list_and_lead_to_their_reports(rooms):
    with rooms.desk.database.writing() as session:
        owner = ensure_client(session).id
        waiting, done = calibration_run(session, owner, model_asked="m", samples=3), calibrated(session, owner)
    browser = rooms.browser("qa_lead")
    listed = browser.get("/calibrations").text
    assert f'href="/calibrations/{done}"' in listed
    assert f'href="/calibrations/{waiting}/progress"' in listed
    assert "每通 3 次" in listed
    assert "未评判 1" in listed
    report = browser.get(f"/calibrations/{done}")
    assert report.status_code == 200
    assert "style-src 'sha256-" in report.headers["content-security-policy"]
    assert "script" not in report.headers["content-security-policy"]
    assert browser.get(f"/calibrations/{waiting}").headers["location"] == f"/calibrations/{waiting}/progress"
    assert rooms.browser("reviewer").get("/calibrations").status_code == 403


def test_without_runs_it_says_how_to_make_one(rooms):
    assert "callgrade calibrate run" in rooms.browser("admin").get("/calibrations").text
