import re
import subprocess
import sys

import pytest

from callgrade.stats.results import Why


@pytest.mark.parametrize("why", list(Why))
def test_every_reason_is_there_in_both_languages(why):
    assert why.words("en") == str(why)
    assert re.search("[\u4e00-\u9fff]", why.words("zh"))


def test_the_package_itself_is_light():
    code = "import callgrade.stats, sys; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
