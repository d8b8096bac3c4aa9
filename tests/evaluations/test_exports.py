import csv
import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callgrade.domain.calls import Transcript
from callgrade.evaluations.exports import FORMULA, Sheet, sheets_of, summary_of, to_csv, to_xlsx
from tests.evaluations.made import transcript
from tests.reviews.made import FORM, proposal


@pytest.mark.parametrize(("language", "head"), [("zh", "评分项"), ("en", "Criteria")])
def test_a_scorecard_as_two_tables(language, head):
    criteria, quotes = sheets_of(proposal(), transcript(), FORM, language)
    assert criteria.head[:2] == ("#", head)
    assert [row[0] for row in criteria.rows] == [1.0, 2.0, 3.0, 4.0]
    assert [row[4:6] for row in criteria.rows] == [(6.0, 6.0), (0.0, 4.0), (-2.0, 0.0), (0.0, 0.0)]
    assert (quotes.rows[-1][5], quotes.rows[-1][3]) == ("保证收益", None)


def test_excel_reads_it_as_chinese():
    content = to_csv(sheets_of(proposal(), transcript(), FORM, "zh")[0])
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert len({len(row) for row in rows}) == 1
    assert rows[0][1] == "评分项"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_no_cell_is_a_formula_and_none_is_lost(said):
    content = to_csv(Sheet("s", ("#",), ((said, "x"),)))
    (_, row) = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    assert row[1] == "x"
    assert not row[0].startswith(FORMULA)
    visible = "".join(c for c in said if c.isprintable() and c not in "\r\n\t")
    assert all(c in row[0] for c in visible)


@pytest.mark.parametrize("said", ["=HYPERLINK(1)", "+1", "-1+2", "@SUM(A1)", "\t=1", "{=1}", "https://example.com"])
def test_a_workbook_holds_texts_as_texts(said):
    made = to_xlsx([("call", said)], [Sheet("s", ("#", "words"), ((1.0, said), (None, "x")))])
    with zipfile.ZipFile(io.BytesIO(made)) as book:
        page = book.read("xl/worksheets/sheet1.xml").decode()
        texts = book.read("xl/sharedStrings.xml").decode()
    assert "<f>" not in page
    assert "hyperlink" not in page
    assert said.strip().replace("&", "&amp;") in texts


def test_what_stands_above_the_table():
    told = dict(summary_of(proposal(), FORM, "zh"))
    assert told["通话"] == "C-1"
    assert told["总分"] == "14 / 20"


def test_a_call_without_turns_has_empty_tables():
    empty = Transcript.model_validate({"call_id": "C-1", "turns": []})
    criteria, quotes = sheets_of(proposal(), empty, FORM, "en")
    assert len(criteria.rows) == 4
    assert all(row[3] is None for row in quotes.rows)
