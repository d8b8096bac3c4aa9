"""Work that goes on beside what is served."""

import threading
import time

from callgrade.calibration.long_work import LongWork
from callgrade.domain.errors import ConflictError


def ended(work: LongWork, name: str) -> bool:
    for _ in range(1000):
        if not work.is_under_way(name):
            return True
        time.sleep(0.01)
    return False


class Slow(set[str]):
    """Somebody else has a turn between the look and what follows from it."""

    def __contains__(self, name: object) -> bool:
        found = super().__contains__(name)
        time.sleep(0.05)
        return found


def test_what_two_begin_at_once_is_begun_once():
    work, go_on, begun, done = LongWork(), threading.Event(), list[bool](), list[int]()
    work._under_way = Slow()

    def begin():
        begun.append(work.begin("back-test", lambda: (go_on.wait(10), done.append(1))))

    both = [threading.Thread(target=begin) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    go_on.set()
    assert ended(work, "back-test")
    assert (sorted(begun), done) == ([False, True], [1])


def test_what_went_wrong_is_told_until_it_is_begun_again_and_a_bug_tells_nothing_that_was_said():
    work = LongWork()

    def refused():
        raise ConflictError("the holdout is worn out")

    def broken():
        raise RuntimeError("客户说：我的卡号是六二二二")

    for name, failing in (("refused", refused), ("broken", broken)):
        assert work.begin(name, failing)
        assert ended(work, name)
    assert work.failure("refused") == "the holdout is worn out"
    assert work.failure("broken") == "internal error (RuntimeError)"
    assert work.begin("refused", lambda: None)
    assert ended(work, "refused")
    assert work.failure("refused") is None
