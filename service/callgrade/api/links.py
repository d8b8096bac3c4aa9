"""What follows upon an answer: which of its values is whose parameter, as OpenAPI links. Clients are made from them,
and the tests that try every operation walk along them."""

from typing import Any

CALL, EVALUATION, BATCH, WEBHOOK = (
    {"id": f"$response.body#/{name}"} for name in ("id", "evaluation_id", "batch_id", "id")
)
SAME, MADE = {"id": "$request.path.id"}, {"id": "$response.body#/id"}
FIRST = "$response.body#/items/0/id"
FIRST_OF_ALL = {"id": FIRST}
_OF_A_CALL = ("read_call", "read_transcript", "read_audio", "evaluate_call", "erase_call")
_OF_AN_EVALUATION = ("read_evaluation", "cancel_evaluation", "retry_evaluation")
_OF_A_BATCH = ("read_batch", "watch_batch", "read_results", "cancel_batch")
_OF_A_WEBHOOK = ("read_webhook", "list_deliveries", "test_webhook", "remove_webhook")
_OF_AN_APPEAL = ("read_appeal", "withdraw_appeal", "decide_appeal")

LINKS: dict[str, dict[str, dict[str, str]]] = {
    "submit_call": dict.fromkeys(_OF_A_CALL, CALL) | dict.fromkeys(_OF_AN_EVALUATION, EVALUATION),
    "evaluate_call": dict.fromkeys(_OF_AN_EVALUATION, EVALUATION),
    "cancel_evaluation": {"retry_evaluation": SAME},
    "submit_batch": dict.fromkeys(_OF_A_BATCH, BATCH),
    "list_rubrics": {"read_rubric": {"reference": FIRST}},
    "list_prompts": {"read_prompt": {"reference": FIRST}},
    "create_release": {"read_release": MADE},
    "list_releases": {"read_release": FIRST_OF_ALL},
    "list_calibrations": {"read_calibration": FIRST_OF_ALL},
    "list_reviews": {"read_review": FIRST_OF_ALL},
    "ask_for_review": {"read_review": MADE},
    "list_appeals": dict.fromkeys(_OF_AN_APPEAL, FIRST_OF_ALL),
    "file_appeal": dict.fromkeys(_OF_AN_APPEAL, MADE),
    "add_webhook": dict.fromkeys(_OF_A_WEBHOOK, WEBHOOK),
    "test_webhook": {"redeliver": SAME},
}
"""Operation → the operations that follow, with their parameters."""
BODIES = {("test_webhook", "redeliver"): {"delivery_id": "$response.body#/id"}}


def put_links(operation: dict[str, Any]) -> None:
    """Into its answer of success."""
    name = operation["operationId"]
    if name not in LINKS:
        return
    success = next(answer for status, answer in operation["responses"].items() if status.startswith("2"))
    success["links"] = {
        follows: {"operationId": follows, "parameters": parameters} | _body(name, follows)
        for follows, parameters in LINKS[name].items()
    }


def _body(name: str, follows: str) -> dict[str, Any]:
    body = BODIES.get((name, follows))
    return {"requestBody": body} if body else {}
