"""The service as one app: settings in, everything opened at its start and closed at its end."""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from datetime import timedelta
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import anyio.to_thread

from callgrade import tracing
from callgrade.access.elsewhere import Elsewhere
from callgrade.access.keys import Doorkeeper
from callgrade.access.rates import Rates
from callgrade.access.signing_in import SignIns
from callgrade.adapters.blobs import FsspecBlobs
from callgrade.adapters.cache import DiskCache
from callgrade.api.app import build, is_ours, serve_with
from callgrade.api.bodies import Uploads
from callgrade.api.dependencies import Services
from callgrade.api.health import Check, Health, database_check, disk_check, model_check
from callgrade.api.metrics import Metrics
from callgrade.calibration.autonomy_drift import look_for_drift
from callgrade.calibration.second_opinion.asking import SecondOpinions
from callgrade.db.session import Database
from callgrade.evaluations.housekeeping import HOUR, Housekeeping, Task
from callgrade.evaluations.intake import Intake
from callgrade.evaluations.receiving import Reception
from callgrade.evaluations.watching import Watch
from callgrade.ports import BlobStore, WorkQueue
from callgrade.reviews.alert_mail import AlertPost
from callgrade.reviews.alert_watch import AlertWatch
from callgrade.reviews.corrections import hand_back
from callgrade.reviews.sampling import Sampler
from callgrade.reviews.unread import UnreadDesk
from callgrade.settings import Settings, load_settings
from callgrade.web.app import mount, open_desk
from callgrade.web.dependencies import Desk
from callgrade.wiring import ANSWERS
from callgrade.wiring.calibration import calibration_work
from callgrade.wiring.service import make_pipeline

if TYPE_CHECKING:
    from fastapi import FastAPI

    from callgrade.engine import Engine

GRACE_S, LOOK_THROUGH_S, HAND_BACK_S = 10, 30.0, 10.0
"""What is under way when the process is asked to end may take so long to end; the next launch goes on with the rest."""


class Workshop(NamedTuple):
    """A host's database, blobs and running engine."""

    database: Database
    blobs: FsspecBlobs
    engine: "Engine"


def create_app(settings: Settings | None = None, *, stopping: Event | None = None) -> "FastAPI":
    """The app with its workers, for an ASGI server. The database must have been upgraded (`callgrade serve` sees to
    that). `stopping` is set by whoever asks the process to end, so that endless answers end."""
    settings = settings or load_settings()
    metrics = Metrics()
    ended = stopping or Event()

    @asynccontextmanager
    async def lifespan(app: "FastAPI") -> AsyncIterator[None]:
        opened = open_workshop(settings, metrics)
        try:
            shop = await anyio.to_thread.run_sync(opened.__enter__)
        except Exception as error:
            # a server only knows that the app did not start; whoever runs it tells people why
            app.state.failed = error
            raise
        desk: Desk | None = None
        try:
            checks = {"engine": engine_check(shop.engine), "recordings": shop.blobs.check}
            name = shop.engine.executor_id
            services = make_services(
                settings, shop.database, shop.blobs, shop.engine, metrics, ended, checks=checks, receiver=name
            )
            serve_with(app, services)
            desk = make_desk(services)
            open_desk(app, desk)
            yield
        finally:
            ended.set()
            if desk is not None and desk.elsewhere is not None:
                desk.elsewhere.close()
            await anyio.to_thread.run_sync(partial(opened.__exit__, None, None, None))

    app = build(settings, metrics, lifespan)
    mount(app, elsewhere=is_ours)
    return app


@contextmanager
def open_workshop(settings: Settings, watch: Watch | None = None) -> Iterator[Workshop]:
    """Works off this host's queues until it is left. Raises SettingsError, NotReadyError."""
    from callgrade.adapters.courier import Courier
    from callgrade.adapters.webhooks import Line
    from callgrade.engine import Engine

    with ExitStack() as stack:
        tracing.start()
        stack.callback(tracing.stop)
        database = Database(settings.database)
        stack.callback(database.close)
        blobs = FsspecBlobs(settings.blobs)
        pipeline = make_pipeline(settings, database, blobs)
        pipeline.watch = watch or pipeline.watch
        if "score" in settings.works_off:
            courier = Courier(database, Line(allow_private=settings.service.allow_private_urls))
            courier.start()
            # after the engine, whose last results are told yet
            stack.callback(courier.stop, GRACE_S)
        engine = Engine(settings, pipeline, calibration_work(settings, database))
        engine.launch()
        stack.callback(engine.shutdown, GRACE_S)
        housekeeping = Housekeeping(
            database, blobs, [DiskCache(settings.data_dir / ANSWERS)], desk_work(settings, database)
        )
        housekeeping.start()
        stack.callback(housekeeping.stop)
        yield Workshop(database, blobs, engine)


def desk_work(settings: Settings, database: Database) -> list[Task]:
    """What the review desk has to do now and then."""
    zone = ZoneInfo(settings.timezone)
    second = SecondOpinions(database, zone=zone)
    unread = UnreadDesk(database, zone=zone, audited_share=settings.desk.audited_share, second_opinion=second.ask)
    work = [
        Task("look_through", LOOK_THROUGH_S, Sampler(database, zone=zone).look_through),
        Task("hand_back", HAND_BACK_S, partial(hand_back, database)),
        Task("second_opinion", LOOK_THROUGH_S, second.look_through),
        Task("publish_unread", LOOK_THROUGH_S, unread.look_through),
        Task("look_for_drift", 6 * HOUR, partial(look_for_drift, database)),
        Task("watch", LOOK_THROUGH_S, AlertWatch(database, zone=zone).look_through),
        Task("forget_sign_ins", HOUR, make_sign_ins(settings, database).forget),
    ]
    if settings.mail.host:
        from callgrade.adapters.mail import Mailbox

        mailbox, url = Mailbox(settings.mail), settings.desk.url
        post = AlertPost(database, mailbox, url=url, language=settings.language, zone=zone)
        work.append(Task("mail", LOOK_THROUGH_S, post.send_due))
    return work


def make_services(
    settings: Settings,
    database: Database,
    blobs: BlobStore,
    queue: WorkQueue,
    metrics: Metrics,
    stopping: Event,
    *,
    checks: dict[str, Check] | None = None,
    receiver: str = "",
) -> Services:
    """`checks` are asked by /readyz, beside those of database, disk and model; `receiver` is the executor's name."""
    service = settings.service
    return Services(
        settings=settings,
        database=database,
        blobs=blobs,
        queue=queue,
        intake=Intake(database, blobs, queue, [DiskCache(settings.data_dir / ANSWERS)]),
        reception=Reception(
            database,
            blobs,
            queue,
            chunk_lines=service.chunk_lines,
            most_lines=service.max_batch_lines,
            receiver=receiver,
        ),
        doorkeeper=Doorkeeper(database),
        rates=Rates(service.requests_per_minute),
        uploads=Uploads(),
        metrics=metrics,
        health=Health(
            {
                "database": database_check(database),
                **(checks or {}),
                "disk": disk_check(settings),
                "model": model_check(settings),
            }
        ),
        stopping=stopping,
    )


def make_desk(services: Services) -> Desk:
    """What the pages work with: the same services, and who is signed in to them."""
    sign_ins = make_sign_ins(services.settings, services.database)
    return Desk(
        settings=services.settings,
        database=services.database,
        blobs=services.blobs,
        queue=services.queue,
        intake=services.intake,
        sign_ins=sign_ins,
        elsewhere=_provider(services, sign_ins),
        stopping=services.stopping,
        long_work=services.long_work,
    )


def make_sign_ins(settings: Settings, database: Database) -> SignIns:
    told = settings.desk
    return SignIns(database, idle=timedelta(hours=told.idle_hours), absolute=timedelta(days=told.absolute_days))


def _provider(services: Services, sign_ins: SignIns) -> Elsewhere | None:
    """Raises SettingsError where one is named and its settings are not whole."""
    told = services.settings.oidc
    if told.issuer is None:
        return None
    from callgrade.adapters.oidc import OpenIDProvider

    return Elsewhere(services.database, OpenIDProvider(told), told, sign_ins)


def engine_check(engine: "Engine") -> Check:
    def check() -> str:
        engine.check()
        return "ok"

    return check
