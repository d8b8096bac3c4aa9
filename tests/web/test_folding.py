"""What templates put out, and what of it is worked out once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError
from markupsafe import Markup, escape

from callgrade.catalog.rubrics import load_rubric
from callgrade.web.environment import environment, remembered
from callgrade.web.folding import escaped
from callgrade.web.review_cards import choices_of
from callgrade.web.words import words_in


class Itself:
    """Something that knows how it stands in HTML."""

    def __html__(self) -> str:
        return "<i>itself</i>"


class Shouted(str):
    """A text that is told differently: `str()` of it is what has to be escaped."""

    def __str__(self) -> str:
        return "<SHOUTED>"


@given(st.text() | st.sampled_from("&<>'\"") | st.integers() | st.booleans() | st.none() | st.floats())
def test_what_is_put_out_is_escaped_as_the_library_escapes_it(value):
    assert escaped(value) == escape(value)
    assert escaped(Markup(str(value))) == str(value)


def test_neither_a_text_of_another_class_nor_an_object_slips_through():
    assert escaped(Shouted("<b>")) == escape(Shouted("<b>"))
    assert escaped(Itself()) == "<i>itself</i>"


def test_templates_escape_with_it():
    made = environment("en", words_in("en", "Asia/Shanghai"))
    page = made.from_string("{% macro twice(it) %}{{ it }}{{ it }}{% endmacro %}{{ it }} {{ twice(it) }} {{ 7 }}")
    assert page.root_render_func.__globals__["escape"] is escaped
    assert page.render(it="<&'\">") == "&lt;&amp;&#39;&#34;&gt; " + 2 * "&lt;&amp;&#39;&#34;&gt;" + " 7"


def test_what_is_not_there_is_an_error_and_no_empty_place():
    made = environment("en", words_in("en", "Asia/Shanghai"))
    with pytest.raises(UndefinedError):
        made.from_string("{{ nobody }}").render()


def test_the_choices_of_a_form_are_written_once_and_as_each_time():
    made = environment("zh", words_in("zh", "Asia/Shanghai"))
    options = made.get_template("review/_options.html").module.options
    for criterion in load_rubric("hotline-400@v1").criteria:
        choices = choices_of(criterion, "zh")
        first = remembered(options, choices, True)
        assert first == options(choices, True)
        assert remembered(options, choices, True) is first
        assert remembered(options, choices, False) == options(choices, False) != first
