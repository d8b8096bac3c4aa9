"""Run by `make smoke` in the environment that holds nothing but the wheel: is it light, and did it score?"""

import importlib.util
import json
import sys
from pathlib import Path

import callgrade
from callgrade.web.environment import TEMPLATES
from callgrade.web.static_files import assets
from callgrade.web.words import translations

card = json.loads(Path(sys.argv[1]).read_text("utf-8"))
heavy = [name for name in ("torch", "funasr", "litellm", "playwright", "xllamacpp") if importlib.util.find_spec(name)]
quotes = [item["quote"] for judgement in card["judgements"] for item in judgement["evidence"]]

assert "site-packages" in callgrade.__file__, callgrade.__file__
assert not heavy, f"the core installs {heavy}"
assert {"app.css", "desk.js", "htmx.min.js"} <= set(assets())
assert (TEMPLATES / "base.html").exists()
assert translations("zh").gettext("Batches") == "批次"
assert "先试用，不满意随时取消" in quotes, quotes
print(f"smoke: the wheel alone scored a transcript, {len(quotes)} quotes found")
