"""What comes with every answer of the pages, and who may send them a form."""

import re

import pytest

from callgrade.web.security import POLICY
from callgrade.web.static_files import FOLDER, FOR_GOOD, assets
from tests.web.style import RAISED, add_style

DIRECTIVES = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "media-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
}
INLINE = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE)


class TestHeaders:
    def test_a_page_may_load_nothing_from_elsewhere_and_is_not_kept(self, rooms) -> None:
        for path, status in (("/calls", 200), ("/nothing", 404), ("/batches", 200)):
            answer = rooms.browser("qa_lead").get(path)
            assert answer.status_code == status
            assert set(answer.headers["content-security-policy"].split("; ")) == DIRECTIVES
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["referrer-policy"] == "same-origin"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["x-frame-options"] == "DENY"
            assert answer.headers["cross-origin-opener-policy"] == "same-origin"
            assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"])

    def test_nothing_on_a_page_needs_more_than_that(self, rooms) -> None:
        add_style(rooms.service.app)
        for path in ("/style", "/calls", "/batches", "/nothing", "/style/500"):
            text = rooms.browser("qa_lead").get(path).text
            assert INLINE.findall(text) == []
            assert re.findall(r"""(?:src|href)="(?!/|#)[^"]+\"""", text) == []

    def test_pages_are_packed_for_whoever_unpacks(self, rooms) -> None:
        browser = rooms.browser("qa_lead")
        packed = browser.get("/calls", headers={"Accept-Encoding": "gzip"})
        plain = browser.get("/calls", headers={"Accept-Encoding": "identity"})
        assert packed.headers["content-encoding"] == "gzip"
        assert "content-encoding" not in plain.headers
        assert "Accept-Encoding" in plain.headers["vary"]
        cut = re.compile(r"<code>[0-9a-f]{32}</code>")
        assert cut.sub("", packed.text) == cut.sub("", plain.text)
        assert int(packed.headers["content-length"]) < len(plain.content) / 2

    def test_the_api_answers_as_it_did(self, rooms) -> None:
        for path in ("/v1/nothing", "/v1/calls", "/v1"):
            answer = rooms.browser("qa_lead").get(path)
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert rooms.browser().get("/healthz").json() == {"status": "ok"}
        assert "/batches" not in rooms.service.app.openapi()["paths"]


class TestForms:
    """A cookie goes along with every request, so where a form came from is what counts."""

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({"Sec-Fetch-Site": "same-origin"}, 303),
            ({"Sec-Fetch-Site": "cross-site"}, 403),
            ({"Sec-Fetch-Site": "same-site"}, 403),
            ({"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"}, 403),
            ({"Origin": "http://testserver"}, 303),
            ({"Origin": "http://testserver:81"}, 403),
            ({"Origin": "http://testserver.example.com"}, 403),
            ({"Origin": "null"}, 403),
            ({"Origin": ""}, 403),
            ({}, 403),
        ],
    )
    def test_only_ours_are_carried_out(self, rooms, headers, status) -> None:
        browser = rooms.browser("qa_lead")
        del browser.headers["Sec-Fetch-Site"]
        answer = browser.post("/preferences", data={"theme": "dark"}, headers=headers)
        assert answer.status_code == status
        assert ("set-cookie" in answer.headers) == (status == 303)

    def test_a_proxy_may_name_us_otherwise(self, rooms) -> None:
        told = rooms.desk.settings.desk.model_copy(update={"url": "https://qa.example.com"})
        settings = rooms.desk.settings.model_copy(update={"desk": told})
        object.__setattr__(rooms.desk, "settings", settings)
        browser = rooms.browser()
        del browser.headers["Sec-Fetch-Site"]
        sent = {"Origin": "https://qa.example.com"}
        assert browser.post("/preferences", data={"theme": "dark"}, headers=sent).status_code == 303

    def test_a_form_that_is_too_large_is_not_read(self, rooms) -> None:
        for body in (b"x" * 1_100_000, iter([b"x" * 600_000, b"y" * 600_000])):
            answer = rooms.browser("qa_lead").post(
                "/preferences", content=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
            )
            assert answer.status_code == 413
            assert "内容过大" in answer.text


class TestStaticFiles:
    def test_each_is_kept_for_good_under_a_name_of_its_content(self, rooms) -> None:
        for asset in assets().values():
            answer = rooms.browser().get(asset.url)
            assert answer.status_code == 200
            assert answer.headers["cache-control"] == FOR_GOOD
            assert answer.headers["content-type"] == asset.media_type
            assert answer.headers["content-encoding"] == "gzip"
            assert answer.content == asset.content

    def test_a_page_of_the_version_before_gets_todays_and_does_not_keep_it(self, rooms) -> None:
        answer = rooms.browser().get("/static/htmx.min.000000000000.js")
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        assert answer.content == (FOLDER / "htmx.min.js").read_bytes()

    @pytest.mark.parametrize("name", ["HTMX.md", "../app.py", "%2e%2e/app.py", "app.css", "x", "x.y", "x.000.css"])
    def test_nothing_else_is_there(self, rooms, name) -> None:
        assert rooms.browser().get(f"/static/{name}").status_code == 404

    def test_htmx_is_the_one_that_was_published(self) -> None:
        import hashlib

        digest = hashlib.sha256((FOLDER / "htmx.min.js").read_bytes()).hexdigest()
        assert digest in (FOLDER / "HTMX.md").read_text("utf-8")

    def test_what_every_page_needs_is_small(self) -> None:
        """Packed, in bytes. A review page may weigh 60,000 cold; this is what the shell takes of it."""
        sizes = {name: len(asset.packed) for name, asset in assets().items()}
        assert sizes["app.css"] <= 6_500
        assert sizes["desk.js"] <= 6_500
        assert sizes["htmx.min.js"] <= 17_000

    def test_an_empty_page_is_small(self, rooms) -> None:
        answer = rooms.browser("qa_lead").get("/calls", headers={"Accept-Encoding": "gzip"})
        assert int(answer.headers["content-length"]) <= 4_000


class TestErrors:
    @pytest.fixture(autouse=True)
    def _style(self, rooms) -> None:
        add_style(rooms.service.app)

    @pytest.mark.parametrize("status", sorted(RAISED))
    def test_as_a_page(self, rooms, status) -> None:
        answer = rooms.browser("reviewer").get(f"/style/{status}")
        assert answer.status_code == int(status)
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert f"<code>{answer.headers['x-request-id']}</code>" in answer.text
        assert answer.text.count("<h1>") == 1
        assert "投诉" not in answer.text
        assert "db.internal" not in answer.text

    @pytest.mark.parametrize("status", sorted(RAISED))
    def test_as_a_part_of_one(self, rooms, status) -> None:
        answer = rooms.browser("reviewer").post(f"/style/{status}", headers={"HX-Request": "true"})
        assert answer.status_code == int(status)
        assert answer.headers["x-problem"]
        assert "<html" not in answer.text
        assert answer.headers["x-request-id"] in answer.text

    def test_as_json_for_a_script(self, rooms) -> None:
        answer = rooms.browser("reviewer").get("/style/409", headers={"Accept": "application/json"})
        assert answer.headers["content-type"] == "application/problem+json"
        told = answer.json()
        assert (told["type"], told["status"]) == ("urn:callgrade:problem:conflict", 409)
        assert told["request_id"] == answer.headers["x-request-id"]

    def test_what_somebody_knows_about_it_is_told_to_who_may_mend_it(self, rooms) -> None:
        assert "the decision is at version 3 already" in rooms.browser("reviewer").get("/style/409").text

    def test_when_to_come_back(self, rooms) -> None:
        assert rooms.browser("reviewer").get("/style/429").headers["retry-after"] == "40"
        down = rooms.browser("reviewer").get("/style/503")
        assert down.headers["retry-after"] == "5"
        assert 'data-until-ready="5"' in down.text

    def test_who_is_not_signed_in_signs_in_and_comes_back(self, rooms) -> None:
        answer = rooms.browser().get("/calls?team=a&order=oldest")
        assert answer.status_code == 303
        assert answer.headers["location"] == "/sign-in?next=%2Fcalls%3Fteam%3Da%26order%3Doldest"

    def test_who_has_a_form_in_hand_keeps_it(self, rooms) -> None:
        plain = rooms.browser().post("/batches/0/cancel")
        assert plain.status_code == 401
        assert "在新标签页登录" in plain.text
        part = rooms.browser().post("/batches/0/cancel", headers={"HX-Request": "true"})
        assert (part.status_code, part.headers["x-problem"]) == (401, "not-authenticated")
        assert 'action="/sign-in"' in part.text

    def test_a_method_or_a_value_that_cannot_be(self, rooms) -> None:
        browser = rooms.browser("qa_lead")
        assert browser.delete("/calls").status_code == 405
        wrong = browser.get("/calls?lowest=abc")
        assert wrong.status_code == 422
        assert "请检查填写的内容" in wrong.text

    def test_a_role_that_may_not(self, rooms) -> None:
        answer = rooms.browser("reviewer").get("/batches")
        assert answer.status_code == 403
        assert "您无权打开" in answer.text


def test_the_policy_is_the_one_that_was_agreed() -> None:
    assert set(POLICY.split("; ")) == DIRECTIVES
