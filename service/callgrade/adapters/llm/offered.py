"""Which models may be asked here. One endpoint serves many of them under their own names; what is behind `litellm:` or
`gguf:` is reached another way, and a host is set up for one way."""

from callgrade.adapters.llm.local import PREFIX as GGUF
from callgrade.domain.errors import InputError, SettingsError
from callgrade.settings import LLMSettings

LITELLM = "litellm:"
PATIENCE_S = 5.0
NAMED_AT_ONCE = 30


def require_reachable(settings: LLMSettings, model: str) -> None:
    """Raises SettingsError where a host that is set up so cannot ask this model, saying which it can."""
    if not has_endpoint(settings):
        raise SettingsError(
            f"the model {model} is asked for and no endpoint is set up here: set CALLGRADE_LLM__BASE_URL, or "
            "CALLGRADE_LLM__MODEL"
        )
    own = _way(settings.model or "")
    if _way(model) != own or (own == GGUF and model != settings.model):
        can = {GGUF: f"{settings.model} alone", LITELLM: "models of the form litellm:NAME"}
        raise SettingsError(f"the model {model} cannot be asked here: this host asks {can.get(own, _PLAIN)}")


_PLAIN = "the models of CALLGRADE_LLM__BASE_URL, named as that names them"


def require_offered(settings: LLMSettings, model: str) -> None:
    """Raises InputError, naming those there are, for a model that the endpoint says it does not serve. An endpoint that
    does not say what it serves is taken to serve it."""
    try:
        require_reachable(settings, model)
    except SettingsError as error:
        raise InputError(f"model: {error}") from None
    if model == settings.model or _way(model):
        return
    offered = models_offered(settings)
    if offered and model not in offered:
        more = len(offered) - NAMED_AT_ONCE
        named = ", ".join(sorted(offered)[:NAMED_AT_ONCE]) + (f", and {more} more" if more > 0 else "")
        raise InputError(f"model: the endpoint does not serve {model}; it serves {named}")


def models_offered(settings: LLMSettings) -> frozenset[str]:
    """What the endpoint lists; empty where it lists nothing, or does not answer."""
    from openai import OpenAI, OpenAIError

    from callgrade.adapters.llm.client import NO_KEY, quiet

    quiet("openai", "httpx", "httpcore")
    key = settings.api_key.get_secret_value() if settings.api_key else (NO_KEY if settings.base_url else None)
    try:
        with OpenAI(api_key=key, base_url=settings.base_url, max_retries=0, timeout=PATIENCE_S) as client:
            # not through its own method, which takes for granted that what comes is a list of models
            answer = client.get("/models", cast_to=object)
    except (OpenAIError, ValueError):
        return frozenset()
    listed = answer.get("data") if isinstance(answer, dict) else None
    models = listed if isinstance(listed, list) else []
    return frozenset(str(model["id"]) for model in models if isinstance(model, dict) and "id" in model)


def has_endpoint(settings: LLMSettings) -> bool:
    return bool(settings.model or settings.base_url or settings.api_key)


def _way(model: str) -> str:
    return next((prefix for prefix in (GGUF, LITELLM) if model.startswith(prefix)), "")
