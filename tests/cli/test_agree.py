"""`callgrade agree`: its figures, its words, and what it says of wrong files."""

import json

import pytest

from callgrade.cli.agree_render import WORDS
from callgrade.stats.agreement import cohen_kappa
from callgrade.stats.ratings import Ratings

EXAMPLE = "examples/ratings.csv"
SCALES = ("--scale", "greeting=no,yes", "--scale", "empathy=1..5:0.5")
HEAD = "item,rater,rating\n"


@pytest.fixture
def agree(run, tmp_path):
    """agree(text of a file, *options) → (exit status, standard output, standard error)."""

    def command(text, *words, language="en"):
        path = tmp_path / "ratings.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return run("agree", path, *words, language=language)

    return command


def test_the_example_in_json(run):
    status, out, _ = run("agree", EXAMPLE, *SCALES, "--json")
    assert status == 0
    empathy, greeting = json.loads(out)["criteria"]
    assert (empathy["criterion"], empathy["kind"], empathy["items"], empathy["raters"]) == (
        "empathy",
        "ordinal",
        120,
        ["li", "wang"],
    )
    assert list(empathy["figures"]) == [
        "percent_agreement",
        "cohen_kappa",
        "weighted_kappa_linear",
        "weighted_kappa_quadratic",
        "krippendorff_alpha",
        "gwet_ac1",
        "gwet_ac2_quadratic",
    ]
    assert empathy["bias"]["wang"]["low"] > 0  # who is made to be kinder
    assert (greeting["kind"], greeting["drawn"], greeting["scale"]) == ("nominal", "agents", ["no", "yes"])
    kappa = greeting["figures"]["cohen_kappa"]
    assert kappa["low"] < kappa["value"] < kappa["high"]
    assert sum(greeting["prevalence"].values()) == pytest.approx(1)
    assert greeting["advice"]["missing"] == greeting["advice"]["items_for_kappa_0.10"] - 120


def test_figures_are_those_of_the_statistics(agree):
    first, second = [1, 2, 2, 1, 2, 2, 1, 1], [1, 2, 1, 1, 2, 2, 2, 1]
    rows = [f"c{i},{who},{v}" for who, column in (("a", first), ("b", second)) for i, v in enumerate(column)]
    _, out, _ = agree(HEAD + "\n".join(rows), "--scale", "1..3", "--json")
    found = json.loads(out)["criteria"][0]
    expected = cohen_kappa(Ratings.from_columns({"a": first, "b": second}, categories=[1, 2, 3])).value
    assert found["figures"]["cohen_kappa"]["value"] == pytest.approx(expected)
    assert found["drawn"] == "items"
    assert found["prevalence"]["3"] == 0
    assert found["advice"]["enough_for_a_verdict"] is False


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["No verdict", "Cohen's kappa", "constant and equal: undefined", "3 100%"]),
        ("zh", ["不下结论", "一致率 100 %", "偏差"]),
    ],
)
def test_constant_raters_are_told_why_in_both_languages(agree, language, words):
    status, out, _ = agree(HEAD + "1,a,3\n1,b,3\n2,a,3\n2,b,3\n", "--scale", "1..5", language=language)
    assert status == 0
    assert all(word in out for word in words)
    assert "nan" not in out


def test_three_raters_have_fleiss_and_a_measure_has_icc(agree):
    three = HEAD + "\n".join(f"{i},{r},{(i * r) % 3 + 1}" for i in range(9) for r in (1, 2, 3))
    _, out, _ = agree(three, "--scale", "1,2,3", "--json")
    assert "fleiss_kappa" in json.loads(out)["criteria"][0]["figures"]
    _, out, _ = agree(HEAD + "1,a,2.5\n1,b,3\n2,a,1\n2,b,1.25\n3,a,4\n3,b,4.5\n", "--kind", "interval", "--json")
    found = json.loads(out)["criteria"][0]
    assert list(found["figures"]) == ["percent_agreement", "krippendorff_alpha", "icc_2_1"]
    assert (found["scale"], found["advice"]) == (None, None)


def test_a_scale_from_the_file_is_said_to_be_one(agree):
    text = HEAD + "1,a,yes\n1,b,no\n2,a,yes\n2,b,yes\n"
    status, out, _ = agree(text, "--kind", "nominal")
    assert status == 0
    assert "the scale was taken from the file" in out


@pytest.mark.parametrize(
    ("text", "scale", "said"),
    [
        ("", "1..5", ":1: no header"),
        (HEAD, "1..5", "holds no ratings"),
        ("item;rater;rating\n1;a;2\n", "1..5", ":1: columns are separated by semicolons"),
        ("item,rater\n1,a\n", "1..5", ":1: no column rating"),
        ("item,rater,rating,item\n1,a,2,1\n", "1..5", ":1: the column item stands twice"),
        (HEAD + "1,a\n", "1..5", ":2: 2 cells"),
        (HEAD + "1,a,2\n,a,2\n", "1..5", ":3: no item"),
        (HEAD + "1,a,x\n", "1..5", ":2: x is no number"),
        (HEAD + "1,a,nan\n", "1..5", ":2: nan is no number"),
        (HEAD + "1,a,3.5\n", "1..5", ":2: 3.5 is not on the scale 1, 2, 3, 4, 5: mend it, or allow half points"),
        (HEAD + "1,a,9\n", "1..5", ":2: 9 is not on the scale"),
        (HEAD + "1,a,maybe\n", "no,yes", ":2: maybe is not on the scale no, yes"),
        (HEAD + "1,a,3\n1,a,4\n", "1..5", ":3: a has rated 1 already in line 2"),
        ("item,rater,rating,agent\n1,a,3,k\n1,b,4,m\n", "1..5", ":3: 1 has another agent in line 2"),
        (HEAD + '1,"a,3\n', "1..5", "quotation mark"),
        (HEAD + "1,a,3\n", "tone=1..5", "no column criterion"),
        ("item,rater,rating,criterion\n1,a,3,x\n", "tone=1..5", "no criterion tone"),
        ("评分".encode("gb18030"), "1..5", "is not UTF-8"),
    ],
)
def test_a_wrong_file_is_named_with_its_line_and_what_to_do(agree, text, scale, said):
    status, out, err = agree(text, "--scale", scale)
    assert status == 1
    assert out == ""
    assert said in err
    assert "ratings.csv" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "say what the ratings can be"),
        (("--scale", "5..1"), "rises"),
        (("--scale", "1..5:0.3"), "do not reach 5"),
        (("--scale", "1,,2"), "at least two"),
        (("--scale", "1,1"), "twice"),
        (("--scale", "1,1.0"), "twice"),
        (("--scale", "1..2..3"), "at least two"),
        (("--scale", "0..1000"), "1001 values"),
        (("--scale", "1..5", "--scale", "1..3"), "already"),
        (("--scale", "no,yes", "--kind", "interval"), "needs numbers"),
    ],
)
def test_a_wrong_scale_is_wrong_usage(agree, words, said):
    status, _, err = agree(HEAD + "1,a,1\n", *words)
    assert status == 2
    assert said in " ".join(err.split())


@pytest.mark.parametrize(
    ("rows", "kind", "said"),
    [("1,a,x\n1,b,x\n", "nominal", "only one value"), ("1,a,good\n1,b,bad\n", "ordinal", "lowest first")],
)
def test_a_scale_that_cannot_be_guessed_is_asked_for(agree, rows, kind, said):
    status, _, err = agree(HEAD + rows, "--kind", kind)
    assert status == 1
    assert said in err


def test_a_missing_file(run):
    status, _, err = run("agree", "nowhere.csv", "--scale", "1..5")
    assert status == 1
    assert "nowhere.csv: cannot be read" in err


def test_every_word_is_there_in_both_languages():
    assert all(chinese and english for chinese, english in WORDS.values())


def test_half_points_and_missing_ratings(agree):
    rows = "1,a,3.5\n1,b,3\n2,a,\n2,b,4\n3,a,1.5\n3,b,1.5\n"
    _, out, _ = agree(HEAD + rows, "--scale", "1..5:0.5", "--json")
    found = json.loads(out)["criteria"][0]
    assert (found["items"], found["pairable_items"], found["ratings"]) == (3, 2, 5)
