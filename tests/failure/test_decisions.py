"""A reviewer's server is killed while they decide: what was shown as saved is there afterwards, once."""

import threading
from collections.abc import Sequence

import httpx
import pytest
from sqlalchemy import select

from callgrade.access.keys import ensure_client
from callgrade.access.signing_in import SignIns
from callgrade.db.tables import User
from callgrade.reviews.tables import DECISION
from callgrade.settings import Settings
from callgrade.web.dependencies import session_cookie
from tests.failure.harness import PATIENCE_S, RUBRIC, Service, Site, call, until

CALLS, KILLS, SAVED_EACH = 3, 3, 5
FORM = {"Sec-Fetch-Site": "same-origin", "HX-Request": "true"}


class Reviewer:
    """Decides one criterion after the other, at whatever server is up, until told to stop."""

    def __init__(self, token: str, service: Service, places: Sequence[tuple[str, str]]):
        self.service, self._places = service, places
        self.saved: list[tuple[str, str]] = []
        self.unanswered = 0
        self._cookies = {session_cookie(Settings()): token}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._decide_all)

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._over.set()
        self._thread.join()

    def _decide_all(self) -> None:
        for review, criterion in self._places:
            while not self._over.is_set() and not self._decided(review, criterion):
                self._over.wait(0.05)
            if self._over.is_set():
                return

    def _decided(self, review: str, criterion: str) -> bool:
        told = {"kind": "cannot_judge", "reason": f"{review} {criterion}", "expected": "0"}
        try:
            place = f"{self.service.url}/reviews/{review}/criteria/{criterion}/decisions"
            answer = httpx.post(place, data=told, headers=FORM, cookies=self._cookies, timeout=10, trust_env=False)
        except httpx.TransportError:
            self.unanswered += 1
            return False
        if answer.status_code == 200:
            self.saved.append((review, criterion))
        # 409: it was stored just before the server died, and nobody could say so
        assert answer.status_code in (200, 409), answer.text
        return True


def signed_in(site: Site, login: str) -> str:
    with site.database.writing() as session:
        user = User(login=login, role="reviewer", client_id=ensure_client(session).id)
        session.add(user)
        session.flush()
        return SignIns(site.database).welcome(session, user)


def asked_for(site: Site, service: Service, login: str) -> list[tuple[str, str]]:
    """(review, criterion) of calls that were graded and given to somebody."""
    places = list[tuple[str, str]]()
    with site.client(service) as client, site.http(service) as line:
        for place in range(CALLS):
            made = client.calls.submit_transcript(call(place), rubric=RUBRIC).evaluation_id
            card = client.evaluations.wait(made, timeout_s=PATIENCE_S, poll_s=0.3).scorecard
            answer = line.post("/v1/reviews", json={"evaluation": made, "why": "picked", "reviewer": login})
            assert answer.status_code == 201, answer.text
            places += [(answer.json()["id"], judgement.criterion_id) for judgement in card.judgements]
    return places


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_a_killed_server_loses_no_decision_that_was_shown_as_saved(begin):
    site = begin()
    service = site.service()
    token = signed_in(site, "wang")
    reviewer = Reviewer(token, service, asked_for(site, service, "wang"))
    reviewer.begin()
    for round_ in range(1, KILLS + 1):
        until(lambda wanted=round_ * SAVED_EACH: len(reviewer.saved) >= wanted, "decisions to be saved")
        reviewer.service.kill()
        reviewer.service = site.service()
    until(lambda: len(reviewer.saved) > KILLS * SAVED_EACH, "decisions after the last kill")
    reviewer.end()
    with site.database.reading() as session:
        rows = session.execute(select(DECISION.c.review_id, DECISION.c.criterion_id, DECISION.c.reason)).all()
    stored = [(row.review_id, row.criterion_id) for row in rows]
    assert len(stored) == len(set(stored))
    assert set(reviewer.saved) <= set(stored)
    assert len(stored) - len(reviewer.saved) <= KILLS
    assert reviewer.unanswered >= KILLS
    assert all(row.reason == f"{row.review_id} {row.criterion_id}" for row in rows)
