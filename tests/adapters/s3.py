"""An S3 API on loopback for tests: moto, which keeps its objects in memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
import requests
from moto.server import ThreadedMotoServer

from callgrade.adapters.blobs import FsspecBlobs

__all__ = ["S3", "s3", "s3_server"]
BUCKET = "recordings"


@dataclass
class S3:
    """`client` is somebody else's: what it does, our store has not seen."""

    endpoint: str
    client: Any

    @property
    def store(self) -> FsspecBlobs:
        return FsspecBlobs(f"s3://{BUCKET}/calls")

    def keys(self) -> list[str]:
        return [found["Key"] for found in self.client.list_objects_v2(Bucket=BUCKET).get("Contents", [])]

    def ask_for_credentials(self) -> None:
        """From now on every request needs the key of a user that exists; there is none."""
        requests.post(f"{self.endpoint}/moto-api/reset-auth", data="0", timeout=10)


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3]:
    import s3fs

    own = {"AWS_ACCESS_KEY_ID": "desk", "AWS_SECRET_ACCESS_KEY": "a-secret", "AWS_DEFAULT_REGION": "us-east-1"}
    for name, value in {**own, "AWS_ENDPOINT_URL_S3": s3_server, "AWS_EC2_METADATA_DISABLED": "true"}.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    yield S3(s3_server, client)
    requests.post(f"{s3_server}/moto-api/reset-auth", data="inf", timeout=10)
    requests.post(f"{s3_server}/moto-api/reset", timeout=10)
    s3fs.S3FileSystem.clear_instance_cache()
