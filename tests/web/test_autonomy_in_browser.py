"""The pages of autonomy as a browser shows them, and as axe does."""

from tests.web.browsing import assert_accessible, shot
from tests.web.reviewing import review
from tests.web.test_autonomy import asked_of_model, granted, judged  # noqa: F401


def test_the_pages_are_accessible_wide_and_narrow(rooms, judged, open_page):  # noqa: F811
    first, second = asked_of_model()
    granted(rooms, first.id)
    granted(rooms, second.id, "assisted")
    page = open_page("/autonomy", "qa_lead")
    assert_accessible(page)
    shot(page, "autonomy", whole=True)
    narrow = open_page("/autonomy", "qa_lead", width=390, dark=True, language="en")
    assert_accessible(narrow)
    shot(narrow, "autonomy-narrow")
    page.get_by_role("link", name=first.title.zh).click()
    assert_accessible(page)
    shot(page, "autonomy-criterion", whole=True)


def test_a_folded_card_opens_and_is_not_what_is_to_be_decided_next(rooms, judged, open_page):  # noqa: F811
    first, _ = asked_of_model()
    granted(rooms, first.id)
    review(rooms, judged)
    page = open_page(f"/calls/{judged.call_id}", "reviewer")
    card = page.locator(f'[data-criterion="{first.id}"]')
    assert not card.get_by_role("group", name="判定").is_visible()
    card.scroll_into_view_if_needed()
    shot(page, "autonomy-review")
    card.locator(".by-itself > summary").click()
    assert card.locator(".proposal").is_visible()
    assert_accessible(page)
    shot(page, "autonomy-review-open")
