"""`serve` and `worker`: the service itself."""

import gc
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from shlex import quote
from typing import Annotated, Any

import typer

from callgrade.cli.output import emit, tell
from callgrade.domain.errors import ConfigurationError, SettingsError
from callgrade.settings import Settings, load_settings

DRAIN_S = 20
"""Requests under way get so long to end when the process is asked to."""


WELCOME = {
    "zh": """
callgrade 已启动：{address}
数据在：{data}（数据库：{database}）
评判模型：{model}

第一步，给一个客户端发一把钥匙（只显示这一次）：
  CG_KEY=$({environment}callgrade key create first --plain)

第二步，送一通电话进来打分，看结果：
  curl -s -X POST "{address}/v1/calls?rubric={rubric}" \\
    -H "Authorization: Bearer $CG_KEY" -H "Content-Type: application/json" \\
    -d '{call}'
  curl -s "{address}/v1/evaluations?limit=1" -H "Authorization: Bearer $CG_KEY"

全部接口：{address}/openapi.json　　就绪检查：{address}/readyz　　停止：Ctrl-C
""",
    "en": """
callgrade is up: {address}
Data: {data} (database: {database})
Judging model: {model}

First make a key for a client (it is shown this once):
  CG_KEY=$({environment}callgrade key create first --plain)

Then send a call in to be graded, and look at the result:
  curl -s -X POST "{address}/v1/calls?rubric={rubric}" \\
    -H "Authorization: Bearer $CG_KEY" -H "Content-Type: application/json" \\
    -d '{call}'
  curl -s "{address}/v1/evaluations?limit=1" -H "Authorization: Bearer $CG_KEY"

All there is: {address}/openapi.json    Ready? {address}/readyz    Stop: Ctrl-C
""",
}
DESK = {
    "zh": """合成样例通话正在送入评审台（台词与语音均为合成）。
请在浏览器打开 {address}/ ，用下列账号登录（密码只显示这一次）：
{people}
""",
    "en": """The synthetic sample calls are on their way to the desk (lines and voices are made up).
Open {address}/ in a browser and sign in as one of these (the password is shown this once):
{people}
""",
}
DESK_THERE = {
    "zh": "  账号早已建立；忘记密码请用 callgrade user password LOGIN",
    "en": "  the people are there already; a forgotten password is made anew by `callgrade user password LOGIN`",
}
NO_MODEL = {
    "zh": "没有配置，只按规则和语音事实评判；要用模型请设 CALLGRADE_LLM__MODEL 和 CALLGRADE_LLM__BASE_URL",
    "en": "none, so rules and speech facts alone judge; set CALLGRADE_LLM__MODEL and CALLGRADE_LLM__BASE_URL for one",
}
FIRST_RUBRIC = "telesales-misconduct"
FIRST_CALL = (
    '{"schema":"callgrade.transcript/1","call_id":"first","turns":['
    '{"speaker":"agent","text":"您好，请问有什么可以帮您？"},{"speaker":"customer","text":"我想问一下套餐。"}]}'
)


def register(app: typer.Typer) -> None:
    app.command()(serve)
    app.command()(worker)


def serve(
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="0 takes a free one.")] = None,
    host: Annotated[str | None, typer.Option(help="The address to listen at; 0.0.0.0 for all.")] = None,
    demo: Annotated[
        bool,
        typer.Option(
            "--demo",
            help="Fill the desk with synthetic sample calls and a user of every role, to have something to look at.",
        ),
    ] = False,
) -> int:
    """Run the service: HTTP and workers in one process. 启动服务。"""
    # most of a start is importing, and nothing of that is garbage: a sixth of the time
    gc.disable()
    try:
        settings = _with_address(load_settings(), host, port)
        _log_as_json()
        # before all else, so that a port in use is told at once; who comes early waits
        with closing(_listen(settings.service.host, settings.service.port)) as listening:
            prepare(settings)
            address = _address(settings.service.host, listening.getsockname()[1])
            return _run(settings, listening, lambda: _welcome(settings, address), demo=demo)
    finally:
        gc.enable()


def worker(
    metrics_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Show this process's figures here, for Prometheus.")
    ] = None,
) -> int:
    """Work off queues (CALLGRADE_QUEUES) beside a service elsewhere. 启动工作进程。"""
    from callgrade.api.metrics import Metrics
    from callgrade.db.migrate import require_current
    from callgrade.main import open_workshop

    settings = load_settings()
    if not settings.works_off:
        raise SettingsError("CALLGRADE_QUEUES: is empty; a worker works off `asr`, `score` or both")
    _log_as_json()
    require_current(settings.database)
    ended = threading.Event()
    for asked in (signal.SIGTERM, signal.SIGINT):
        signal.signal(asked, lambda *_: ended.set())
    metrics = Metrics()
    with open_workshop(settings, metrics) as shop:
        _adopt_loggers()
        if metrics_port is not None:
            metrics.listen(settings.service.host, metrics_port)
        tell(f"worker {shop.engine.executor_id}: {', '.join(settings.works_off)}")
        ended.wait()
    return 0


def prepare(settings: Settings) -> None:
    """Folder, database, rubrics, a first client. A PostgreSQL is shared, so upgrading it is left to people."""
    from callgrade.access.keys import ensure_client
    from callgrade.db.migrate import require_current, upgrade
    from callgrade.db.session import Database
    from callgrade.evaluations.registry import sync_shipped

    _make(settings.data_dir)
    if settings.database.startswith("sqlite"):
        upgrade(settings.database)
    else:
        require_current(settings.database)
    with closing(Database(settings.database)) as database, database.writing() as session:
        if settings.database.startswith("sqlite"):
            sync_shipped(session)
        ensure_client(session)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"CALLGRADE_DATA_DIR={folder}: cannot be made: {error.strerror}") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SettingsError(f"CALLGRADE_DATA_DIR={folder}: this user may not write there")


def _with_address(settings: Settings, host: str | None, port: int | None) -> Settings:
    given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    return settings.model_copy(update={"service": settings.service.model_copy(update=given)})


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(2048)
    except OSError as error:
        listening.close()
        raise ConfigurationError(
            f"{_address(host, port)} cannot be listened at: {error.strerror}. Another program may be there (another "
            "`callgrade serve`?): take another port with --port, or 0 for any free one"
        ) from None
    return listening


def _address(host: str, port: int) -> str:
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}"


def _run(settings: Settings, listening: socket.socket, ready: Callable[[], None], *, demo: bool) -> int:
    import uvicorn

    from callgrade.main import create_app

    stopping = threading.Event()
    app = create_app(settings, stopping=stopping)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=DRAIN_S,
        timeout_keep_alive=30,
        h11_max_incomplete_event_size=65_536,
        lifespan="on",
    )

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            # why it does not start is told once, by us, and without a traceback where it is a matter of setting up
            logger = logging.getLogger("uvicorn.error")
            logger.setLevel(logging.CRITICAL)
            await super().startup(sockets)
            logger.setLevel(logging.WARNING)
            if self.started:
                _adopt_loggers()
                ready()
                _settle()
                if demo:
                    address = _address(settings.service.host, listening.getsockname()[1])
                    _open_sample_desk(app.state.services, settings, address)

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            """To be asked to end and to have ended well is no failure; the library would raise the signal again."""
            before = {asked: signal.signal(asked, self.handle_exit) for asked in (signal.SIGTERM, signal.SIGINT)}
            try:
                yield
            finally:
                for asked, handler in before.items():
                    signal.signal(asked, handler)

        def handle_exit(self, sig: int, frame: Any) -> None:
            stopping.set()
            super().handle_exit(sig, frame)

    server = Server(config)
    try:
        server.run(sockets=[listening])
    except SystemExit:
        if (failed := getattr(app.state, "failed", None)) is None:
            raise
        raise failed from None
    return 0 if server.started else 1


def _settle() -> None:
    """What was imported stays: the collector need not look at it again."""
    gc.collect()
    gc.freeze()
    gc.enable()


def _open_sample_desk(services: Any, settings: Settings, address: str) -> None:
    from callgrade.cli import sample_desk

    visitors = sample_desk.make_people(services)
    language = "zh" if settings.language.startswith("zh") else "en"
    lines = "\n".join(f"  {visitor.login:<10} {visitor.role:<10} {visitor.password}" for visitor in visitors)
    emit(DESK[language].format(address=address, people=lines or DESK_THERE[language]))
    threading.Thread(target=sample_desk.fill, args=(services,), daemon=True).start()


def _log_as_json() -> None:
    """Everything that is logged, one JSON object a line on standard error."""
    from callgrade.api.middleware import JsonLines

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for noisy in ("alembic", "httpx", "httpcore", "openai", "uvicorn.error"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _welcome(settings: Settings, address: str) -> None:
    from callgrade.db.urls import database_url, describe

    language = "zh" if settings.language.startswith("zh") else "en"
    # the key is made in the same database only if the other command is told where it is
    told = {name: os.environ[name] for name in ("CALLGRADE_CONFIG", "CALLGRADE_DATA_DIR") if name in os.environ}
    emit(
        WELCOME[language].format(
            address=address,
            data=settings.data_dir.resolve(),
            database=describe(database_url(settings.database)),
            model=settings.llm.model or NO_MODEL[language],
            environment="".join(f"{name}={quote(value)} " for name, value in told.items()),
            rubric=FIRST_RUBRIC,
            call=FIRST_CALL,
        )
    )


def _adopt_loggers() -> None:
    """The engine's library writes lines of its own, with whole tracebacks; here they become lines like all others."""
    foreign = logging.getLogger("dbos")
    foreign.handlers.clear()
    foreign.propagate = True
