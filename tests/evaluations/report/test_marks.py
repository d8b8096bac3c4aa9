"""Cutting a turn where quotes begin and end."""

from hypothesis import given
from hypothesis import strategies as st

from callgrade.domain.calls import Token, Turn
from callgrade.evaluations.report.marks import Citation, pieces


def cite(number: int, start: int, end: int, tone: str = "good") -> Citation:
    return Citation(f"c{number}-q1", number, start, end, tone)


def turn(text: str, tokens: tuple[Token, ...] = ()) -> Turn:
    return Turn(speaker="agent", text=text, tokens=tokens)


def test_overlapping_quotes_share_a_piece():
    found = pieces(turn("您可以先试用随时取消"), [cite(1, 3, 8), cite(2, 6, 10, "bad")])
    assert [(piece.text, [c.number for c in piece.cited]) for piece in found] == [
        ("您可以", []),
        ("先试用", [1]),
        ("随时", [1, 2]),
        ("取消", [2]),
    ]
    assert [piece.tone for piece in found] == ["none", "good", "bad", "bad"]
    assert [[c.number for c in piece.ending] for piece in found] == [[], [], [1], [2]]


def test_one_quote_inside_another_and_two_that_are_the_same():
    found = pieces(turn("一二三四五"), [cite(1, 0, 5), cite(2, 1, 3), cite(3, 1, 3)])
    assert [(piece.text, [c.number for c in piece.cited]) for piece in found] == [
        ("一", [1]),
        ("二三", [1, 2, 3]),
        ("四五", [1]),
    ]
    assert [[c.number for c in piece.ending] for piece in found] == [[], [2, 3], [1]]


def test_words_the_recogniser_doubted_are_joined():
    tokens = (Token(0, 1, 0, 1, 0.2), Token(1, 2, 1, 2, 0.3), Token(2, 3, 2, 3, 0.9), Token(3, 4, 3, 4, None))
    assert [(piece.text, piece.unsure) for piece in pieces(turn("一二三四", tokens), [])] == [
        ("一二", True),
        ("三四", False),
    ]


def test_an_empty_turn_has_no_pieces():
    assert pieces(turn(""), [cite(1, 0, 3)]) == ()


spans = st.tuples(st.integers(-5, 40), st.integers(-5, 40))


@given(st.text(max_size=30), st.lists(spans, max_size=8))
def test_nothing_is_lost_or_doubled_and_every_quote_covers_its_own_characters(text, places):
    cited = [cite(number, start, end) for number, (start, end) in enumerate(places)]
    found = pieces(turn(text), cited)
    assert "".join(piece.text for piece in found) == text
    assert all(piece.text for piece in found)
    for citation in cited:
        covered = "".join(piece.text for piece in found if citation in piece.cited)
        inside = 0 <= citation.start < citation.end and citation.start < len(text)
        assert covered == (text[citation.start : citation.end] if inside else "")
        assert sum(citation in piece.ending for piece in found) == inside
