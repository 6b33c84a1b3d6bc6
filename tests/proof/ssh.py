"""A host prints 100 MB by SSH, and 200 peers send garbage: little memory, one clear error each."""

from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.proof.figure import Figure
from tests.services.openssh import SshServer, ssh_server
from tests.stdlib.exec.flows import measured
from tests.stdlib.harness import run
from tests.stdlib.ssh.fuzzed import babble, babble_of_files
from tests.stdlib.ssh.jobs import job, login

OUTPUT, LIMIT = 10**8, 10 * 2**20
REPLIES = 200


def prove(scale: float) -> Iterator[Figure]:
    with TemporaryDirectory() as folder:
        there, ours = Path(folder, "sshd"), Path(folder, "ws")
        there.mkdir()
        ours.mkdir()
        size = max(LIMIT + 1, round(OUTPUT * scale))
        with ssh_server(there) as server:
            result, peak = measured(printed(server, ours, size))
        yield Figure("bytes that a host prints", size)
        yield Figure("bytes kept", len(result["stdout"]), LIMIT)
        yield Figure("peak memory, MiB", peak / 2**20, 6 * LIMIT / 2**20)
        replies = range(max(10, round(REPLIES * scale)))
        (ours / "a").write_text("x")
        wrong = [
            *(seed for seed in replies if is_wrong(babble, ours, seed)),
            *(
                seed
                for module in ("upload", "download")
                for seed in replies
                if is_wrong(babble_of_files, ours, module, seed)
            ),
        ]
        yield Figure("peers that send garbage, for SSH and twice for SFTP", 3 * len(replies))
        yield Figure("of them without one clear error, or with something left open", len(wrong), 0)


async def printed(server: SshServer, folder: Path, size: int) -> Any:
    async with job(folder) as call:
        return await call(
            "ssh:command",
            connection_id=await call.connect(login(server)),
            command=f"yes | head -c {size}",
            max_output=LIMIT,
        )


def is_wrong(play: Callable[..., Coroutine[Any, Any, None]], *args: Any) -> bool:
    try:
        run(play(*args))
    except AssertionError:
        return True
    return False
