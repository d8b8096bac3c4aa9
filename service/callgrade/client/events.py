"""Receiving webhooks: is it callgrade who sends this, and what does it say."""

from collections.abc import Mapping

from callgrade.client.models import Event
from callgrade.domain.errors import NotAuthenticatedError


def verify_event(body: bytes | str, headers: Mapping[str, str], secret: str) -> Event:
    """The event, once its signature holds (Standard Webhooks) and it is less than five minutes old. `body` as it came,
    byte for byte. Answer with any 2xx; events may come twice, with the same `id`.

    Raises NotAuthenticatedError for what was not signed with `secret`.

    >>> verify_event(b"{}", {"webhook-id": "1", "webhook-timestamp": "0", "webhook-signature": "v1,AAAA"}, secret)
    Traceback (most recent call last):
    callgrade.domain.errors.NotAuthenticatedError: the event is not signed as it should be: Message timestamp too old
    """
    from standardwebhooks.webhooks import Webhook, WebhookVerificationError

    try:
        content = Webhook(secret).verify(body, dict(headers))
        return Event.model_validate(content)
    except WebhookVerificationError as error:
        raise NotAuthenticatedError(f"the event is not signed as it should be: {error}") from None
    except ValueError:
        # a header that cannot be taken apart, or a body that is no event
        raise NotAuthenticatedError("the event is not signed as it should be") from None
