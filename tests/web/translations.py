"""The catalogue of the pages' words, brought up to date with what the pages say.

    python -m tests.web.translations            # adds what is new, drops what is gone, lists what has no Chinese yet
    python -m tests.web.translations --fill < chinese.json      # the same, with {"English": "中文", …}

A message with a plural is filled by its singular. Chinese has one form for all numbers.
"""

import io
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from callgrade.web import words

WEB = Path(words.__file__).parent
METHODS = [("**.py", "python"), ("**.html", "jinja2.ext:babel_extract")]
OPTIONS = {"**.html": {"trimmed": "true", "encoding": "utf-8", "silent": "false", "trim_blocks": "true"}}
KEYWORDS: dict[str, Any] = {"_": None, "gettext": None, "N_": None, "ngettext": (1, 2)}
HEADER = r"""# What the pages say, in Chinese. `python -m tests.web.translations` adds what is new.
msgid ""
msgstr ""
"Language: zh_CN\n"
"Plural-Forms: nplurals=1; plural=0;\n"
"MIME-Version: 1.0\n"
"Content-Type: text/plain; charset=utf-8\n"
"Content-Transfer-Encoding: 8bit\n"

"""


def said() -> Catalog:
    """Everything the pages' code and templates say."""
    found = Catalog(charset="utf-8")
    for file, _line, message, _comments, context in extract_from_dir(WEB, METHODS, OPTIONS, KEYWORDS):
        found.add(message, locations=[(file, 0)], context=context)
    return found


def known() -> Catalog:
    if not words.CATALOGUE.exists():
        return Catalog(locale="zh_CN", charset="utf-8")
    with words.CATALOGUE.open("rb") as file:
        return read_po(file, locale="zh_CN")


def updated(catalogue: Catalog, chinese: dict[str, str]) -> Catalog:
    made = Catalog(locale="zh_CN", fuzzy=False, charset="utf-8")
    for message in said():
        if not message.id:
            continue
        one = first(message.id)
        before = catalogue.get(message.id) or catalogue.get(one)
        text = chinese.get(one) or (first(before.string) if before else "")
        made.add(message.id, (text,) if isinstance(message.id, (tuple, list)) else text, flags=message.flags)
    return made


def first(text: Any) -> str:
    return text[0] if isinstance(text, (tuple, list)) else text


def faults(catalogue: Catalog) -> Iterator[str]:
    """What keeps a page from being wholly Chinese, and what nobody says any more."""
    wanted = {first(message.id): message for message in said() if message.id}
    there = {first(message.id): message for message in catalogue if message.id}
    yield from (f"not in the catalogue: {one!r}" for one in wanted.keys() - there.keys())
    yield from (f"said nowhere: {one!r}" for one in there.keys() - wanted.keys())
    for one in wanted.keys() & there.keys():
        text = first(there[one].string)
        if not text:
            yield f"no Chinese: {one!r}"
        elif there[one].fuzzy:
            yield f"fuzzy: {one!r}"
        elif names(text) != names(one) | names(
            first(wanted[one].id[1:] or "") if isinstance(wanted[one].id, tuple) else ""
        ):
            yield f"other values in it than in the English: {one!r} → {text!r}"


def names(text: str) -> set[str]:
    return set(re.findall(r"%\((\w+)\)s", text))


def main() -> None:
    chinese = json.load(sys.stdin) if "--fill" in sys.argv[1:] else {}
    catalogue = updated(known(), chinese)
    words.CATALOGUE.parent.mkdir(exist_ok=True)
    text = io.BytesIO()
    write_po(text, catalogue, width=110, sort_output=True, no_location=True, omit_header=True)
    # whole or not at all: others may be writing words at the same time
    new = words.CATALOGUE.with_suffix(".new")
    new.write_bytes(HEADER.encode() + text.getvalue())
    new.replace(words.CATALOGUE)
    missing = [first(message.id) for message in catalogue if message.id and not first(message.string)]
    print(f"{len(catalogue)} messages; without Chinese: {len(missing)}")
    print(json.dumps(dict.fromkeys(sorted(missing), ""), ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
