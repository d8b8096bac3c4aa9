"""`agree`: how well raters agree, from a CSV file."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from callgrade.cli.output import emit, to_json
from callgrade.settings import load_settings

KindOption = Literal["nominal", "ordinal", "interval", "ratio"]


def register(app: typer.Typer) -> None:
    app.command()(agree)


def agree(
    file: Annotated[Path, typer.Argument(help="CSV with the columns item, rater, rating [, criterion] [, agent].")],
    scale: Annotated[
        list[str] | None,
        typer.Option(
            help="All values of the scale, used or not: 1,2,3,4,5 or 1..5 or 1..5:0.5 (half points) or no,yes. "
            "For one criterion: empathy=1..5. May be given again."
        ),
    ] = None,
    kind: Annotated[
        KindOption | None, typer.Option(help="What the values are. Left out: ordinal for numbers, nominal for words.")
    ] = None,
    draws: Annotated[int, typer.Option(help="Bootstrap draws.", min=200, max=100_000)] = 2000,
    json_: Annotated[bool, typer.Option("--json", help="JSON instead of text.")] = False,
) -> int:
    """Measure how well raters agree, with intervals. 评分人一致性：一致率、kappa、alpha、AC1/AC2。

    Intervals draw agents where the file names at least ten, else items. 有至少十名坐席时按坐席抽样，否则按样本抽样。
    """
    from callgrade.cli.agree_csv import read_ratings
    from callgrade.cli.agree_report import report
    from callgrade.cli.agree_scales import Scales

    language = load_settings().language
    found = [report(one, draws=draws) for one in read_ratings(file, Scales.parse(scale or [], kind))]
    if json_:
        emit(to_json({"file": str(file), "criteria": [one.as_json() for one in found]}, pretty=True))
        return 0
    from callgrade.cli.agree_render import show_report

    for one in found:
        show_report(one, language)
    return 0
