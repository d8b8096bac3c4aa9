"""One module a screen. Add yours to ROUTERS; what of it should be live, to TOPICS."""

from fastapi import APIRouter

from callgrade.web.live import Topic
from callgrade.web.live import router as live
from callgrade.web.pages import (
    account,
    agents,
    alerts,
    appeals,
    assignment,
    autonomy,
    back_tests,
    batches,
    calls,
    dashboards,
    drafts,
    keys,
    preferences,
    prompt_drafts,
    queue,
    record,
    results,
    review,
    rubrics,
    sampling,
    scorecard,
    sign_in,
    standing,
    users,
    words,
)

ROUTERS: list[APIRouter] = [
    preferences.router,
    sign_in.router,
    account.router,
    users.router,
    agents.router,
    keys.router,
    record.router,
    live,
    batches.router,
    queue.router,
    review.router,
    standing.router,
    results.router,
    appeals.router,
    assignment.router,
    sampling.router,
    words.router,
    rubrics.router,
    drafts.router,
    prompt_drafts.router,
    back_tests.router,
    scorecard.router,
    calls.router,
    dashboards.router,
    alerts.router,
    autonomy.router,
]
TOPICS: list[Topic] = [
    *batches.TOPICS,
    *queue.TOPICS,
    *results.TOPICS,
    *appeals.TOPICS,
    *alerts.TOPICS,
]
