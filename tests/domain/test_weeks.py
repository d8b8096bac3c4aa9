import pytest

from callgrade.domain.weeks import Week, expected, is_away


def week(*scores):
    return Week(n=len(scores), total=sum(scores), squares=sum(score**2 for score in scores))


def test_a_hand_worked_interval():
    # means 80, 82, 84, 86 and no spread within: M = 83, s² = 20/3, t(3; 0.975) = 3.182,
    # 83 ± 3.182 · 2.582 · √1.25 = 83 ± 9.186
    past = [week(*[mean] * 5) for mean in (80, 82, 84, 86)]
    found = expected(past, 5, confidence=0.95)
    assert found is not None
    assert (found.usual, found.weeks) == (83, 4)
    assert found.low == pytest.approx(83 - 9.186, abs=0.15)
    assert found.high == pytest.approx(83 + 9.186, abs=0.15)


def test_weeks_that_happened_to_come_out_alike_do_not_make_every_week_an_outlier():
    # each week has the scores 70 and 90, so a mean of 80 exactly, but single scores swing: pooled variance 200,
    # and the mean of two of them by 100: 80 ± 3.182 · 10 · √1.25
    past = [week(70, 90) for _ in range(4)]
    found = expected(past, 2, confidence=0.95)
    assert found is not None
    assert found.high == pytest.approx(80 + 35.6, abs=0.4)
    more = expected(past, 200, confidence=0.95)
    assert more is not None
    assert more.high == pytest.approx(80 + 3.56, abs=0.04)  # the more calls, the less a mean may swing


def test_too_few_weeks_say_nothing():
    assert expected([week(80, 90)] * 3, 5, confidence=0.95) is None
    assert expected([week(80, 90)] * 4, 0, confidence=0.95) is None


@pytest.mark.parametrize(("mean", "least", "away"), [(78, 3, False), (77, 3, True), (77, 4, False), (83, 3, True)])
def test_away_is_outside_and_by_enough_points(mean, least, away):
    outlook = expected([week(*[80] * 5)] * 4, 5, confidence=0.99)
    assert outlook is not None
    assert outlook.low == outlook.high == 80
    assert is_away(week(*[mean] * 5), outlook, least=least) is away
