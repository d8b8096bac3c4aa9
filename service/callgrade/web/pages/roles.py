"""What the roles are called, and what each is for."""

from collections.abc import Mapping

from callgrade.access.permissions import PEOPLE, Role
from callgrade.web.words import N_

ROLES: Mapping[Role, str] = {
    "admin": N_("Administrator"),
    "qa_lead": N_("QA lead"),
    "reviewer": N_("Reviewer"),
    "agent": N_("Agent"),
    "client": N_("Program"),
}
MEANING: Mapping[Role, str] = {
    "admin": N_("Everything, of all teams; users, keys and the record."),
    "qa_lead": N_("The calls, reviews and appeals of the teams they lead; samples, rubrics, dashboards."),
    "reviewer": N_("What is theirs to review, and what waits in the pool of their teams."),
    "agent": N_("Their own published results; contests them."),
}
assert set(MEANING) == set(PEOPLE)
