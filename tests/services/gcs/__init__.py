"""gcp-storage-emulator with one service account: it stores, and `launch.py` adds what it lacks."""

import contextlib
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.services.process import find, free_port, running

HERE = Path(__file__).parent
PAGE = 20
"""Few enough objects that a list of a test has pages."""


@dataclass(frozen=True)
class Gcs:
    """service_account: the content of the key file of who is let in."""

    port: int
    service_account: str

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextlib.contextmanager
def gcs_server(folder: Path, page: int = PAGE, keys: int = 0) -> Iterator[Gcs]:
    """Run the emulator; the folder is its own. page: of a list, where the request says nothing else.

    keys: how many empty objects are in the bucket `first` from the start. It takes minutes to upload
    many: after each one it writes down all that there is.
    """
    python = Path(find("gcp-storage-emulator")).with_name("python")
    port = free_port()
    private = make_key(folder / "private.pem")
    public = folder / "public.pem"
    command = [find("openssl"), "pkey", "-in", folder / "private.pem", "-pubout", "-out", public]
    subprocess.run(command, check=True)
    given = map(str, (HERE / "launch.py", port, public, page, keys))
    launch = [str(python), "-I", *given]
    with running(launch, folder / "gcs.log", ready="the emulator is up"):
        yield Gcs(port, service_account(port, private))


def make_key(path: Path) -> str:
    """A new private key in PEM."""
    command = [find("openssl"), "genpkey", "-algorithm", "RSA", "-out", path]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return path.read_text(encoding="ascii")


def service_account(port: int, private_key: str) -> str:
    """The content of a key file."""
    return json.dumps(
        {
            "type": "service_account",
            "project_id": "gxo-tests",
            "private_key_id": "1",
            "private_key": private_key,
            "client_email": "tester@gxo-tests.iam.gserviceaccount.com",
            "token_uri": f"http://127.0.0.1:{port}/token",
        }
    )
