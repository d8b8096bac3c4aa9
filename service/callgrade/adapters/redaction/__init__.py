"""Takes personal data out of a call before anything leaves the process, and puts it back into what returns.

    texts ─▶ one joined text ─▶ numbers · names · places ─▶ spans ─▶ numbered placeholders
             (a line a turn)    (patterns: tables.py)               (placeholders.py, also the way back)

Recall comes before precision where a number could identify somebody: a placeholder too many costs a judge little, a
number too few cannot be called back. Nothing here logs, and no `repr` shows what was taken out.
"""

from callgrade.adapters.redaction.redactor import NoRedaction, RuleRedactor

__all__ = ["NoRedaction", "RuleRedactor"]
