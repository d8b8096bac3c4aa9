"""Calls over HTTP: in, found again, heard, erased."""

import json
from typing import Any

import pytest

from tests.api.made import OTHER_RUBRIC, RUBRIC, Service, transcript

SOUND = b"RIFF" + "您好，请问有什么可以帮您？".encode()


def send_recording(service: Service, sound: bytes = SOUND, rubric: str | None = RUBRIC, **metadata: Any) -> Any:
    told = json.dumps({"call_id": "R-1", "agent": {"id": "8031", "team": "sales-2"}, **metadata}, ensure_ascii=False)
    form = {"metadata": (None, told, "application/json"), "audio": ("客户甲.wav", sound, "audio/wav")}
    params = {"rubric": rubric} if rubric else {}
    return service.http.post("/v1/calls", params=params, files=form, headers=service.key())


def test_a_transcript_comes_in_and_its_scorecard_goes_out(service: Service) -> None:
    answer = service.submit()
    assert answer.status_code == 202
    made = answer.json()
    assert made["call_id"] == "C-00001"
    found = service.get(f"/v1/evaluations/{made['evaluation_id']}").json()
    assert (found["status"], found["call"], found["error"]) == ("proposed", made["id"], None)
    assert found["scorecard"]["schema"] == "callgrade.scorecard/1"
    assert found["scorecard"]["call_id"] == "C-00001"
    assert found["scorecard"]["rubric"] == found["rubric"]


def test_the_same_call_again_is_the_same_call(service: Service) -> None:
    first, again = service.submit(), service.submit()
    assert first.json() == again.json()
    assert len(service.get("/v1/calls").json()["items"]) == 1
    assert [kind for kind, *_ in service.queue.handed_in] == ["evaluation"]
    other = service.submit(transcript(queue="another"))
    assert (other.status_code, other.json()["type"]) == (409, "urn:callgrade:problem:conflict")
    assert "queue" in other.json()["detail"]


def test_without_a_rubric_it_is_kept_and_evaluated_later(service: Service) -> None:
    made = service.submit(rubric=None).json()
    assert made["evaluation_id"] is None
    asked = service.http.post(
        f"/v1/calls/{made['id']}/evaluations", json={"rubric": f"{OTHER_RUBRIC}@v1"}, headers=service.key()
    )
    assert asked.status_code == 202
    found = service.get(f"/v1/evaluations/{asked.json()['evaluation_id']}").json()
    assert (found["status"], found["rubric"]["id"]) == ("proposed", OTHER_RUBRIC)


@pytest.mark.parametrize("rubric", ["no-such", f"{RUBRIC}@v99"])
def test_an_unknown_rubric_keeps_nothing(service: Service, rubric: str) -> None:
    answer = service.submit(rubric=rubric)
    assert answer.status_code == 404, answer.text
    assert service.get("/v1/calls").json()["items"] == []


def test_what_is_wrong_with_a_transcript_is_named_and_not_repeated(service: Service) -> None:
    said = "我的卡号是六二二二"
    wrong = transcript(turns=[{"speaker": "clerk", "text": said}])
    answer = service.submit(wrong)
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:callgrade:problem:transcript")
    assert "turns[0].speaker" in answer.json()["detail"]
    assert said not in answer.text


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff\xfe", b"null", b'{"call_id": "a\\ud800", "turns": []}'])
def test_what_is_no_transcript_is_refused(service: Service, body: bytes) -> None:
    headers = {**service.key(), "Content-Type": "application/json"}
    answer = service.http.post("/v1/calls", content=body, headers=headers)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("media_type", ["text/plain", "application/xml", "", "multipart/mixed; boundary=x"])
def test_another_media_type_is_a_415(service: Service, media_type: str) -> None:
    answer = service.http.post(
        "/v1/calls", content=b"x", headers={**service.key(), **({"Content-Type": media_type} if media_type else {})}
    )
    assert answer.status_code == 415


def test_a_recording_is_kept_heard_and_graded(service: Service) -> None:
    answer = send_recording(service, ended_at="2026-11-01T09:31:00+08:00", started_at="2026-11-01T09:30:00+08:00")
    assert answer.status_code == 202, answer.text
    made = answer.json()
    assert service.queue.handed_in == [("evaluation", made["evaluation_id"], "asr", "1")]
    shown = service.get(f"/v1/calls/{made['id']}").json()
    assert shown["transcript_version"] == 1
    assert shown["recording"]["size"] == len(SOUND)
    assert shown["recording"]["ended_at"] == "2026-11-01T01:31:00Z"
    heard = service.get(f"/v1/calls/{made['id']}/transcript").json()
    assert heard["turns"][0]["text"] == "您好，请问有什么可以帮您？"
    assert heard["agent"] == {"id": "8031", "team": "sales-2"}
    assert service.get(f"/v1/evaluations/{made['evaluation_id']}").json()["status"] == "proposed"
    assert (
        send_recording(service, ended_at="2026-11-01T09:31:00+08:00", started_at="2026-11-01T09:30:00+08:00").json()
        == made
    )


def test_a_recording_without_sound_fails_with_the_reason(service: Service) -> None:
    made = send_recording(service, b"this is no recording").json()
    found = service.get(f"/v1/evaluations/{made['evaluation_id']}").json()
    assert (found["status"], found["error"]["type"]) == ("failed", "recording")


def test_the_sound_comes_back_whole_and_in_parts(service: Service) -> None:
    path = f"/v1/calls/{send_recording(service).json()['id']}/audio"
    whole = service.get(path)
    assert (whole.status_code, whole.content) == (200, SOUND)
    assert (whole.headers["content-type"], whole.headers["accept-ranges"]) == ("audio/wav", "bytes")
    for wanted, expected in (("bytes=0-3", SOUND[:4]), ("bytes=4-", SOUND[4:]), ("bytes=-5", SOUND[-5:])):
        part = service.http.get(path, headers={**service.key(), "Range": wanted})
        assert (part.status_code, part.content) == (206, expected)
        assert part.headers["content-range"].endswith(f"/{len(SOUND)}")
    behind = service.http.get(path, headers={**service.key(), "Range": "bytes=9999-"})
    assert behind.status_code == 416
    kept = service.http.get(path, headers={**service.key(), "If-None-Match": whole.headers["etag"]})
    assert (kept.status_code, kept.content) == (304, b"")


def test_a_page_handed_in_as_sound_never_comes_back_as_a_page(service: Service) -> None:
    form = {"metadata": (None, '{"call_id": "R-9"}'), "audio": ("a.html", b"<script>", "text/html")}
    made = service.http.post("/v1/calls", files=form, headers=service.key()).json()
    answer = service.get(f"/v1/calls/{made['id']}/audio")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_recording_over_the_cap_is_refused_before_it_is_whole(service: Service) -> None:
    answer = send_recording(service, b"RIFF" + b"x" * 1_500_000)
    assert answer.status_code == 413, answer.text
    assert service.get("/v1/calls").json()["items"] == []


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"audio": ("a.wav", SOUND)}, "`metadata`"),
        ({"metadata": (None, '{"call_id": "x"}')}, "`audio`"),
        ({"audio": ("a.wav", b""), "metadata": (None, '{"call_id": "x"}')}, "empty"),
        ({"audio": ("a.wav", SOUND), "metadata": (None, "{}")}, "call_id"),
        ({"audio": ("a.wav", SOUND), "metadata": (None, "no json")}, "metadata"),
        ({"audio": ("a.wav", SOUND), "metadata": (None, '{"call_id": "x"}'), "more": (None, "x")}, "exactly one"),
        ({"audio": ("a.wav", SOUND), "metadata": (None, '{"call_id": "x", "turns": []}')}, "turns"),
    ],
)
def test_a_form_that_is_none_says_why(service: Service, form: dict[str, Any], told: str) -> None:
    answer = service.http.post("/v1/calls", files=form, headers=service.key())
    assert answer.status_code == 422
    assert told in answer.json()["detail"]


def test_calls_are_listed_by_pages_and_filtered(service: Service) -> None:
    for number in range(5):
        agent = {"id": f"a{number % 2}", "team": "t"}
        service.submit(transcript(f"C-{number}", agent=agent, queue="q" if number == 3 else None), rubric=None)
    seen, cursor = [], None
    while True:
        page = service.get("/v1/calls", limit=2, **({"cursor": cursor} if cursor else {})).json()
        seen += [call["call_id"] for call in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == ["C-4", "C-3", "C-2", "C-1", "C-0"]
    assert [c["call_id"] for c in service.get("/v1/calls", agent="a1").json()["items"]] == ["C-3", "C-1"]
    assert [c["call_id"] for c in service.get("/v1/calls", queue="q").json()["items"]] == ["C-3"]
    assert [c["call_id"] for c in service.get("/v1/calls", call_id="C-2").json()["items"]] == ["C-2"]
    assert service.get("/v1/calls", since="2026-11-02T00:00:00Z").json()["items"] == []


@pytest.mark.parametrize(
    "params",
    [
        {"cursor": "%%%"},
        {"cursor": "x"},
        {"cursor": "\x00"},
        {"cursor": "AAAA"},
        {"limit": "0"},
        {"limit": "1000000"},
        {"since": "yesterday"},
        {"since": "0.5"},
        {"until": "1793497800"},
        {"since": "0001-01-01T00:00:00+14:00"},
        {"until": "9999-12-31T23:59:59-12:00"},
        {"agent": "a\x00b"},
        {"team": "x" * 201},
    ],
)
def test_a_question_that_cannot_be_is_a_422(service: Service, params: dict[str, str]) -> None:
    answer = service.get("/v1/calls", **params)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), answer.text


def test_what_has_not_changed_is_not_sent_again(service: Service) -> None:
    made = service.submit().json()
    for path in (
        f"/v1/calls/{made['id']}",
        f"/v1/calls/{made['id']}/transcript",
        f"/v1/evaluations/{made['evaluation_id']}",
    ):
        first = service.get(path)
        again = service.http.get(path, headers={**service.key(), "If-None-Match": f'"x", W/{first.headers["etag"]}'})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
        assert service.http.get(path, headers={**service.key(), "If-None-Match": '"x"'}).status_code == 200


def test_an_erased_call_is_gone_with_its_reason(service: Service) -> None:
    made = send_recording(service).json()
    path = f"/v1/calls/{made['id']}"
    done = service.http.delete(path, params={"reason": "客户要求，工单 114"}, headers=service.key())
    assert done.status_code == 200, done.text
    assert (done.json()["transcripts"], done.json()["recordings"], done.json()["scorecards"]) == (1, 1, 1)
    for place in ("", "/transcript", "/audio"):
        answer = service.get(path + place)
        assert (answer.status_code, answer.json()["type"]) == (410, "urn:callgrade:problem:gone")
        assert "客户要求，工单 114" in answer.json()["detail"]
    assert service.http.delete(path, params={"reason": "again"}, headers=service.key()).status_code == 410
    assert send_recording(service).status_code == 410
    assert "您好" not in service.get(f"/v1/evaluations/{made['evaluation_id']}").text


@pytest.mark.parametrize("params", [{}, {"reason": ""}, {"reason": "13800138000"}, {"reason": "a\x00b"}])
def test_an_erasure_needs_a_reason_that_names_nobody(service: Service, params: dict[str, str]) -> None:
    made = service.submit().json()
    answer = service.http.delete(f"/v1/calls/{made['id']}", params=params, headers=service.key())
    assert answer.status_code == 422
    assert service.get(f"/v1/calls/{made['id']}").status_code == 200


def test_a_repeated_request_is_done_once(service: Service) -> None:
    key = {"Idempotency-Key": "2026-11-01/C-1"}
    first = service.submit(transcript("C-1"), **key)
    again = service.submit(transcript("C-1"), **key)
    assert (first.status_code, again.status_code, first.json()) == (202, 202, again.json())
    for answer in (
        service.submit(transcript("C-2"), **key),
        service.submit(transcript("C-1"), rubric=OTHER_RUBRIC, **key),
    ):
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:callgrade:problem:conflict")
    assert service.submit(transcript("C-3"), **{"Idempotency-Key": "with blank"}).status_code == 422


def test_a_request_that_failed_can_be_tried_again_with_its_key(service: Service) -> None:
    key = {"Idempotency-Key": "k"}
    assert service.submit(rubric="no-such", **key).status_code == 404
    assert service.submit(**key).status_code == 202


def test_keys_of_two_clients_do_not_meet(service: Service) -> None:
    key = {"Idempotency-Key": "same"}
    one = service.submit(**key).json()
    two = service.submit(**key, **service.key(client="stranger")).json()
    assert one["id"] != two["id"]
