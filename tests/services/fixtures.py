"""The servers as fixtures: each runs from the first test that asks for it to the end of the session.

    def test_a_name(bind: NameServer) -> None: ...
    def test_three_hosts(sshds: Several) -> None: one, two, three = sshds(3)

Each process of a run in parallel has its own. A test that changes or ends a server starts one for
itself: `name_server(folder)`, `ssh_server(folder)`.
"""

from collections.abc import Iterator

import pytest

from tests.services.azurite import Azurite, azurite_server
from tests.services.bind import NameServer, name_server
from tests.services.gcs import Gcs, gcs_server
from tests.services.mariadb import MariaDb, mariadb_server
from tests.services.moto import Moto, moto_server
from tests.services.openssh import Several, SshServer, several_ssh_servers
from tests.services.postgres import Postgres, postgres_server
from tests.services.swift import Swift, swift_server


@pytest.fixture(scope="session")
def bind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NameServer]:
    """A name server for example.test and what is reversed of it."""
    with name_server(tmp_path_factory.mktemp("bind")) as server:
        yield server


@pytest.fixture(scope="session")
def sshds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Several]:
    """Several SSH servers."""
    with several_ssh_servers(lambda: tmp_path_factory.mktemp("sshd")) as give:
        yield give


@pytest.fixture(scope="session")
def sshd(sshds: Several) -> SshServer:
    """One SSH server."""
    return sshds(1)[0]


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    """S3 and IAM."""
    with moto_server(tmp_path_factory.mktemp("moto")) as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server."""
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDb]:
    """A MariaDB server."""
    with mariadb_server(tmp_path_factory.mktemp("mariadb")) as server:
        yield server


@pytest.fixture(scope="session")
def swift(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swift]:
    """A server of S3's protocol that is not Amazon's."""
    with swift_server(tmp_path_factory.mktemp("swift")) as server:
        yield server


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """Azure's Blob Storage."""
    with azurite_server(tmp_path_factory.mktemp("azurite")) as server:
        yield server


@pytest.fixture(scope="session")
def gcs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gcs]:
    """Google's Cloud Storage."""
    with gcs_server(tmp_path_factory.mktemp("gcs")) as server:
        yield server
