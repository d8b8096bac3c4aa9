"""What differs between two rubrics, as a person reads it in a terminal.

Whatever the rubric's page says in words is compared in these words; what it does not say is shown as it stands in the
file, so that no change can hide.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from rich.text import Text

from callgrade.catalog.diff import Change, RangeChange, RubricDiff, Side, TotalRange
from callgrade.cli.render_rubric import print_details
from callgrade.cli.sheet import Sheet
from callgrade.cli.text_diff import GONE, NEW, compared, compared_lines
from callgrade.domain.rubrics import Rubric
from callgrade.evaluations.rubric_page import Line, Page, make_page
from callgrade.evaluations.rubric_page.page import range_in_words
from callgrade.evaluations.rubric_page.say import Say

Row = tuple[str, list[Text | str]]

GROUPS = (("rubric", "total"), ("section",), ("criterion",), ("programme",), ("list",), ("error",))
SIGNS = {"added": ("+", NEW), "removed": ("−", GONE)}
IN_HEADER = ("id", "version", "status")
OF_THE_TOTAL = {"start": "total", "max": "total", "floor": "total", "combine": "total", None: "total"}


def show_diff(found: RubricDiff, before: Rubric, after: Rubric, language: str) -> None:
    """The ranges of totals first, then every change, in the order of the later file."""
    view = _View(found, before, after, language)
    view.print_head()
    for group in GROUPS:
        changes = [c for c in found.changes if c.of in group and not (c.of == "rubric" and c.field in IN_HEADER)]
        if changes:
            view.print_group(group[0], changes)


class _View:
    def __init__(self, found: RubricDiff, before: Rubric, after: Rubric, language: str):
        self._found, self._old_rubric, self._rubric = found, before, after
        self._before, self._after = make_page(before, language), make_page(after, language)
        self._say, self._sheet = Say(language), Sheet()

    # --- the head -------------------------------------------------------------------------------------

    def print_head(self) -> None:
        say, found = self._say, self._found
        for sign, page, side in (("−", self._before, found.before), ("+", self._after, found.after)):
            self._sheet.text(self._side(page, side), first=f"{sign} ")
        if found.same_content:
            self._sheet.text(say("diff.same"), style="bold green")
            return
        rows: list[Row] = [(say("diff.totals"), [self._range(found.total, "diff.no_range")])]
        titles = {c.id: c.title for page in (self._before, self._after) for c in page.sections}
        rows += [(titles[str(c.id)], [self._range(c, "diff.no_section")]) for c in found.sections]
        self._sheet.gap()
        self._sheet.labelled(rows)
        self._sheet.text(self._summary())

    def _side(self, page: Page, side: Side) -> Text:
        status = self._say(f"status.{side.status}")
        reference = f"{side.id}@{side.version}"
        return Text.assemble(
            (reference, "cyan"), "  ", (page.title, "bold"), f"  {status}  ", (side.digest[:19], "dim")
        )

    def _range(self, change: RangeChange, absent: str) -> Text:
        def words(reached: TotalRange | None) -> str:
            return self._say(absent) if reached is None else range_in_words(reached, self._say)

        before, after = words(change.before), words(change.after)
        if before == after:
            return Text(self._say("diff.as_before", text=after))
        return Text.assemble((before, GONE), " → ", (after, NEW))

    def _summary(self) -> str:
        kinds = {id_: [c.kind for c in of_it] for id_, of_it in _by_id(self._found.changes, "criterion").items()}
        added = sum("added" in these for these in kinds.values())
        removed = sum("removed" in these for these in kinds.values())
        changed = len(kinds) - added - removed
        unchanged = len(self._after.items) - added - changed
        return self._say("diff.summary", added=added, removed=removed, changed=changed, unchanged=unchanged)

    # --- the changes ----------------------------------------------------------------------------------

    def print_group(self, of: str, changes: Sequence[Change]) -> None:
        self._sheet.gap()
        self._sheet.text(self._say(f"diff.of.{of}"), style="bold", first="▌ ")
        if of in ("rubric", "programme"):
            self._sheet.labelled(list(self._rows(of, None, changes)), 2)
            return
        for id_, of_it in _by_id(changes, of).items():
            self._print_thing(of, id_, of_it)

    def _print_thing(self, of: str, id_: str, changes: Sequence[Change]) -> None:
        whole = next((c for c in changes if c.aspect == "presence"), None)
        sign, style = SIGNS[whole.kind] if whole is not None and whole.kind in SIGNS else ("~", "yellow")
        page = self._before if sign == "−" else self._after
        item = page.items.get(id_) if of == "criterion" else None
        title = f"{item.number}. {item.title}" if item else self._title(of, id_, page)
        head = Text.assemble((f"{sign} ", style), (id_, "cyan"), "  ", (title, "bold"))
        if whole is None or item is None:
            self._sheet.text(head, 2)
        else:
            self._sheet.apart(head, Text(item.scale.text), first="  ")
            print_details(self._sheet, item, 4)
        if whole is None:
            self._sheet.labelled(list(self._rows(of, id_, changes)), 4)
        for line in self._page_lines(of, id_, page) if whole is not None and item is None else ():
            self._sheet.text(line.short if of == "section" else line.text, 4, style="dim")

    def _title(self, of: str, id_: str, page: Page) -> str:
        rubric = self._old_rubric if page is self._before else self._rubric
        if of == "error":
            return self._say.text(rubric.error_names.get(int(id_)))
        if of == "list":
            users = (c.id for c in rubric.criteria if id_ in _lists_of(c.model_dump(mode="json")))
            return self._say("diff.used_by", ids=self._say.listed(users))
        return next((chapter.title for chapter in page.sections if chapter.id == id_), "")

    def _rows(self, of: str, id_: str | None, changes: Sequence[Change]) -> Iterator[Row]:
        def field_of(change: Change) -> str:
            in_total = change.of == "total"
            return OF_THE_TOTAL.get(change.field, str(change.field)) if in_total else str(change.field)

        old, new = self._lines(of, self._old_id(id_, changes), self._before), self._lines(of, id_, self._after)
        for field, these in groupby(sorted(changes, key=lambda c: _ORDER.get(field_of(c), 50)), key=field_of):
            yield from self._rows_of_field(field, list(these), old.get(field, []), new.get(field, []))

    def _rows_of_field(self, field: str, changes: list[Change], old: list[str], new: list[str]) -> Iterator[Row]:
        say, colour = self._say, self._sheet.in_colour
        label = self._label(field, changes[0])
        texts = [change for change in changes if _is_text(change)]
        rest = [change for change in changes if change not in texts]
        for change in texts:
            language = change.path.rpartition(".")[2]
            inner = _inside(change)
            text = compared(str(change.before), str(change.after), colour)
            yield (
                say(f"diff.in_{language}", label=label),
                [Text.assemble((f"{inner} ", "dim"), text) if inner else text],
            )
        if field == "id":
            yield label, [say("diff.was", id=str(changes[0].before))]
        elif field == "order":
            yield label, [say("diff.place", before=changes[0].before, after=changes[0].after)]
        elif changes[0].of == "list":
            yield label, [self._words(rest)]
        elif rest and old != new and (old or new):
            yield label, list(compared_lines(old or [say("diff.none")], new or [say("diff.none")], colour))
        elif rest:
            yield label, [self._as_in_the_file(change) for change in rest]

    def _label(self, field: str, change: Change) -> str:
        if change.of == "programme":
            return self._say.known(f"programme.{field}", field)
        if change.of == "list":
            return self._say.known(f"list.{field}", field)
        return self._say.known(f"form.{field}", self._say.known(field, field))

    def _words(self, changes: Iterable[Change]) -> Text:
        text = Text()
        for change in changes:
            if change.kind == "moved":
                text.append(self._say("diff.reordered"), style="dim")
            elif change.kind == "changed":
                text.append_text(self._as_in_the_file(change))
            else:
                sign, style = SIGNS[change.kind]
                word = change.after if change.kind == "added" else change.before
                text.append(f"{sign} {word}  ", style=style)
        text.rstrip()
        return text

    def _as_in_the_file(self, change: Change) -> Text:
        inner = _inside(change)
        text = Text.assemble((f"{inner} ", "dim") if inner else "")
        if change.kind != "added":
            text.append(_raw(change.before), style=GONE)
        text.append(" → " if change.kind in ("changed", "moved") else "")
        if change.kind != "removed":
            text.append(_raw(change.after), style=NEW)
        return text

    # --- what the pages say of it ---------------------------------------------------------------------

    def _lines(self, of: str, id_: str | None, page: Page) -> dict[str, list[str]]:
        """Field → what the page says of it, line by line."""
        said: dict[str, list[str]] = {}
        for line in self._page_lines(of, id_, page):
            said.setdefault(line.about, []).extend(filter(None, (line.text, *line.below)))
        return said

    def _page_lines(self, of: str, id_: str | None, page: Page) -> tuple[Line, ...]:
        appendix = {chapter.id: chapter.lines for chapter in page.appendix}
        if of == "rubric":
            return (*page.lines, *appendix.get("source_notes", ()))
        if of == "programme":
            return appendix.get("programme", ())
        if of == "criterion":
            return page.items[id_].everything if id_ in page.items else ()
        if of == "section":
            return next((chapter.facts for chapter in page.sections if chapter.id == id_), ())
        if of == "list":
            return tuple(line for line in appendix.get("phrase_lists", ()) if line.about == id_)
        return ()

    def _old_id(self, id_: str | None, changes: Iterable[Change]) -> str | None:
        return next((str(change.before) for change in changes if change.kind == "renamed"), id_)


_ORDER = {name: place for place, name in enumerate(("id", "order", "section", "parent", "title", "guidance", "scale"))}


def _by_id(changes: Iterable[Change], of: str) -> dict[str, list[Change]]:
    found: dict[str, list[Change]] = {}
    for change in changes:
        if change.of == of:
            found.setdefault(str(change.id), []).append(change)
    return found


def _is_text(change: Change) -> bool:
    return change.path.endswith((".zh", ".en")) and isinstance(change.before, str) and isinstance(change.after, str)


def _inside(change: Change) -> str:
    """What of the path is left when thing, field and language are known: `levels[good].title`."""
    head = f".{change.field}"
    inner = change.path.partition(head)[2] if head in change.path else ""
    return inner.removesuffix(".zh").removesuffix(".en").removeprefix(".")


def _lists_of(value: object) -> set[str]:
    if isinstance(value, dict):
        named = value.get("lists")
        own = {str(name) for name in named} if isinstance(named, list) else set()
        return own.union(*(_lists_of(inner) for inner in value.values()))
    return set().union(*(_lists_of(inner) for inner in value)) if isinstance(value, list) else set()


def _raw(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
