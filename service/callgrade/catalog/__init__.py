"""What ships with callgrade as data: rubrics, phrase lists, prompts. Found, checked, digested and loaded here."""

from callgrade.catalog.faults import Fault
from callgrade.catalog.lint import lint
from callgrade.catalog.rubrics import digest, json_schema, list_rubrics, load_rubric, resolved_json

__all__ = ["Fault", "digest", "json_schema", "lint", "list_rubrics", "load_rubric", "resolved_json"]
