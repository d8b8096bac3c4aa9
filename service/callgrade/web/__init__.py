"""The pages: what people work at in a browser. A thin door to the same services as the JSON API.

How to add a page

1. Write `web/pages/<room>.py` with `router = APIRouter()`, and add it to `ROUTERS` in `web/pages/__init__.py`.
2. A handler is a plain `def` with typed dependencies, one service call and one return:

       @router.get("/batches")
       def batches(request: Request, visitor: Annotated[Principal, needs("batches:read")], desk: Desked) -> Response:
           return page(request, "batches/list.html", visitor, rows=rows)

   Changes are `@router.post` and end in `redirect(request, "/batches", told=…)`; asked by htmx (`by_htmx(request)`)
   they answer `fragment(request, "batches/_row.html", visitor, row=row)`. A page with a live part ends in
   `page_or_part`. Errors are raised; `web/problems.py` shows them.
3. Templates extend `base.html`; `ui` holds what pages are made of (`parts.html`, to be seen at `/style` in the tests).
4. Every text is English in `_("…")` or `{% trans %}`; in Python `_ = words_of(request).gettext`, and `N_` where no
   reader is known yet. Then `python -m tests.web.translations` puts it into `web/locale/zh_CN.po`, where you write the
   Chinese. What was said in a call, names and ids go through `ui.said`.
5. Where the menu should lead there, add a line to `web/navigation.py`.
6. What should be live: a `Topic` in `web/pages/__init__.py`, and `hx-trigger="desk:<topic> from:body"` in the page.
"""
