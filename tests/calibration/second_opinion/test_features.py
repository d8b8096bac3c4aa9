"""Words as numbers: by side, without digits, and hashed."""

import numpy as np

from callgrade.calibration.second_opinion.features import PLACES, WIDTH, features
from callgrade.domain.calls import Transcript


def call(*turns):
    return Transcript.model_validate({"call_id": "c", "turns": [{"speaker": who, "text": said} for who, said in turns]})


def test_who_said_it_matters_and_each_side_has_places_of_its_own():
    found = features([call(("agent", "保证收益")), call(("customer", "保证收益")), call(("system", "保证收益"))])
    assert found.shape == (3, WIDTH)
    agent, customer = found[0].indices, found[1].indices
    assert agent.max() < PLACES <= customer.min()
    assert sorted(agent + PLACES) == sorted(customer), "the same words, in the other side's places"
    assert found[2].nnz == 0
    assert np.array_equal(np.unique(found[0].data), [1])


def test_no_number_is_learnt_and_no_run_spans_two_turns_unnoticed():
    one, other = features([call(("agent", "电话13800000000")), call(("agent", "电话１５９１２３４５６７８"))])
    assert (one != other).nnz == 0
    apart, together = features([call(("agent", "保证"), ("agent", "收益")), call(("agent", "保证收益"))])
    assert (apart != together).nnz > 0
