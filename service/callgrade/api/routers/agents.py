"""Agents: who takes calls, and in which team they are today."""

from fastapi import APIRouter

from callgrade.access import agents
from callgrade.access.agents import AgentTold
from callgrade.api.dependencies import PeopleReader, PeopleWriter, Serving
from callgrade.api.documentation import errors
from callgrade.api.paging import Cursor, Limit, Page, decoded, encoded
from callgrade.api.schemas import AgentShown, AgentsPut, AgentsWanted
from callgrade.domain.errors import InputError

router = APIRouter(prefix="/v1/agents", tags=["people"])


@router.put("", responses=errors(409, 413, 422))
def put_agents(wanted: AgentsWanted, principal: PeopleWriter, services: Serving) -> AgentsPut:
    """Makes or replaces each. A call that names an agent and no team gets the agent's of that day, and keeps it."""
    told = [AgentTold.model_validate(agent.model_dump()) for agent in wanted.agents]
    with services.database.writing() as session:
        done = agents.put_agents(session, principal, told)
    return AgentsPut(made=done.made, changed=done.changed)


@router.get("", responses=errors(422))
def list_agents(
    principal: PeopleReader, services: Serving, limit: Limit = 50, cursor: Cursor = None
) -> Page[AgentShown]:
    """By their ids; those who left, too."""
    after = _id_of(cursor) if cursor is not None else None
    with services.database.reading() as session:
        found = agents.list_agents(session, principal, after=after, limit=limit + 1)
    shown = [AgentShown.model_validate(agent.model_dump()) for agent in found[:limit]]
    # an id may hold anything, a cursor may not
    further = encoded(shown[-1].agent_id.encode().hex()) if len(found) > limit else None
    return Page(items=shown, next_cursor=further)


def _id_of(cursor: str) -> str:
    try:
        return bytes.fromhex(decoded(cursor)).decode()
    except ValueError:
        raise InputError("the cursor is not one of this list: begin again without it") from None
