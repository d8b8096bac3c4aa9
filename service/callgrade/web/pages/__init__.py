"""One module a screen. Add yours to ROUTERS; what of it should be live, to TOPICS."""

from fastapi import APIRouter

from callgrade.web.live import Topic
from callgrade.web.live import router as live
from callgrade.web.pages import batches, calls, preferences, queue, review, scorecard

ROUTERS: list[APIRouter] = [
    preferences.router,
    live,
    batches.router,
    queue.router,
    review.router,
    scorecard.router,
    calls.router,
]
TOPICS: list[Topic] = [
    *batches.TOPICS,
    *queue.TOPICS,
]
