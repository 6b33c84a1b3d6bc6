"""The services that tests keep objects in, as the modules' parameters name them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.services.azurite import Azurite
from tests.services.gcs import Gcs, make_key
from tests.services.moto import Moto
from tests.services.swift import Swift

WRONG = "d3Jvbmctc2VjcmV0LXRoYXQtbm9ib2R5LW1heS1zZWU="


@dataclass(frozen=True)
class Service:
    """credentials: of who may do everything; wrong: the same with another secret.

    provider, port, path: where it is.
    """

    name: str
    provider: str
    port: int
    credentials: Mapping[str, str]
    wrong: Mapping[str, str]
    path: str = ""

    def parameters(self, *, port: int | None = None) -> dict[str, Any]:
        """Those that all calls share. port: of a proxy on the way."""
        endpoint = f"http://127.0.0.1:{port or self.port}{self.path}"
        return {
            "provider": self.provider,
            "endpoint": endpoint,
            "credentials": dict(self.credentials),
        }


def of_moto(moto: Moto) -> Service:
    keys = moto.keys["admin"]
    return Service("moto", "s3", moto.port, keys, {**keys, "secret_access_key": WRONG})


def of_swift(swift: Swift) -> Service:
    keys = {
        "access_key_id": swift.access_key_id,
        "secret_access_key": swift.secret_access_key,
    }
    return Service("swift", "s3", swift.port, keys, {**keys, "secret_access_key": WRONG})


def of_azurite(azurite: Azurite) -> Service:
    keys = {"account": azurite.account, "account_key": azurite.account_key}
    wrong = {**keys, "account_key": WRONG}
    return Service("azure", "azure", azurite.port, keys, wrong, f"/{azurite.account}")


def of_gcs(gcs: Gcs, folder: Path) -> Service:
    """folder: for the key of somebody else."""
    other = json.loads(gcs.service_account) | {"private_key": make_key(folder / "other.pem")}
    credentials = {"service_account": gcs.service_account}
    return Service("gcs", "gcs", gcs.port, credentials, {"service_account": json.dumps(other)})


SERVICES: Mapping[str, Callable[[pytest.FixtureRequest], Service]] = {
    "moto": lambda request: of_moto(request.getfixturevalue("moto")),
    "swift": lambda request: of_swift(request.getfixturevalue("swift")),
    "azure": lambda request: of_azurite(request.getfixturevalue("azurite")),
    "gcs": lambda request: of_gcs(
        request.getfixturevalue("gcs"), request.getfixturevalue("tmp_path_factory").mktemp("key")
    ),
}
