"""Webhooks: being told instead of asking. What is sent is signed (Standard Webhooks) and sent at least once."""

from typing import Annotated

from fastapi import APIRouter, Body, Request

from callgrade.api.dependencies import IdempotencyKey, Serving, WebhooksReader, WebhooksWriter, once_of
from callgrade.api.documentation import errors
from callgrade.api.paging import Cursor, Limit, Page, decoded, encoded, page_of
from callgrade.api.present import delivery_shown, webhook_shown
from callgrade.api.schemas import DeliveryShown, Redelivery, ServerId, WebhookMade, WebhookShown, WebhookWanted
from callgrade.evaluations import webhooks

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])


@router.post("", status_code=201, responses=errors(409, 410, 413, 422))
def add_webhook(
    wanted: WebhookWanted,
    request: Request,
    principal: WebhooksWriter,
    services: Serving,
    idempotency_key: IdempotencyKey = None,
) -> WebhookMade:
    """The answer holds the secret that signs what is sent; it is shown here alone."""
    services.check_address(wanted.url)
    once = once_of(request, idempotency_key, wanted.model_dump_json())
    with services.database.writing() as session:
        row = webhooks.add(session, principal, wanted.url, wanted.events, once)
    return WebhookMade(**webhook_shown(row).model_dump(), secret=row.secret)


@router.get("", responses=errors(422))
def list_webhooks(
    principal: WebhooksReader, services: Serving, limit: Limit = 50, cursor: Cursor = None
) -> Page[WebhookShown]:
    with services.database.reading() as session:
        rows = webhooks.list_all(session, principal.client_id)
    return page_of([webhook_shown(row) for row in rows], cursor, limit, key=lambda shown: shown.id)


@router.get("/{id}", responses=errors(404, 422))
def read_webhook(id_: ServerId, principal: WebhooksReader, services: Serving) -> WebhookShown:
    with services.database.reading() as session:
        return webhook_shown(webhooks.find(session, principal.client_id, id_))


@router.delete("/{id}", status_code=204, responses=errors(404, 422))
def remove_webhook(id_: ServerId, principal: WebhooksWriter, services: Serving) -> None:
    """With the log of its deliveries. What was not sent yet is not sent any more."""
    with services.database.writing() as session:
        webhooks.remove(session, principal, id_)


@router.get("/{id}/deliveries", responses=errors(404, 422))
def list_deliveries(
    id_: ServerId, principal: WebhooksReader, services: Serving, limit: Limit = 50, cursor: Cursor = None
) -> Page[DeliveryShown]:
    """The newest first."""
    after = decoded(cursor) if cursor is not None else None
    with services.database.reading() as session:
        rows, more = webhooks.deliveries(session, principal.client_id, id_, after=after, limit=limit)
    return Page(items=[delivery_shown(row) for row in rows], next_cursor=encoded(rows[-1].id) if more else None)


@router.post("/{id}/test", name="test_webhook", status_code=202, responses=errors(404, 409, 410, 422))
def send_test(
    id_: ServerId,
    request: Request,
    principal: WebhooksWriter,
    services: Serving,
    idempotency_key: IdempotencyKey = None,
) -> DeliveryShown:
    """Sends the event `webhook.test`."""
    with services.database.writing() as session:
        return delivery_shown(webhooks.send_test(session, principal, id_, once_of(request, idempotency_key, "")))


@router.post("/{id}/redeliver", status_code=202, responses=errors(404, 409, 410, 413, 422))
def redeliver(
    id_: ServerId,
    wanted: Annotated[Redelivery, Body()],
    request: Request,
    principal: WebhooksWriter,
    services: Serving,
    idempotency_key: IdempotencyKey = None,
) -> DeliveryShown:
    """Sends a past delivery once more, with the same event id."""
    once = once_of(request, idempotency_key, wanted.model_dump_json())
    with services.database.writing() as session:
        return delivery_shown(webhooks.redeliver(session, principal, id_, wanted.delivery_id, once))
