"""The module `crypto:hash`."""

from typing import TYPE_CHECKING, Literal, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ParameterError
from gxo.runtime.spec import Secret, WorkspacePath, module, reads
from gxo.stdlib.crypto._texts import feed
from gxo.stdlib.filesystem._content import Encoding, to_bytes

if TYPE_CHECKING:
    import hashlib
    import hmac

    _Digest = hashlib._Hash | hmac.HMAC

Algorithm = Literal[
    "sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512", "blake2b", "sha1", "md5"
]
ALGORITHMS = (
    *("sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512", "blake2b"),
    *("sha1", "md5"),
)


class Hashed(TypedDict):
    """The `hash` in hexadecimal digits and in `base64`, and the `size` of what it is of."""

    hash: str
    base64: str
    size: int


@module(
    "crypto:hash",
    effects=[reads("path")],
    idempotent=True,
    one_of=["content", "path"],
    returns={"hash": [], "base64": []},
)
async def hash_(
    ctx: Context,
    *,
    algorithm: Algorithm = "sha256",
    content: str | None = None,
    path: WorkspacePath | None = None,
    key: Secret | None = None,
    encoding: Encoding = "utf-8",
) -> Hashed:
    """Compute the hash of a text or a file, or with a key its HMAC.

    A hash shows that nothing was damaged on the way, not that nobody has changed it: who changes a
    file can hash it too. With a secret `key` it is an HMAC (RFC 2104), which only who has the key
    can make; `crypto:sign` makes what others can check.

    A file is read in pieces, in constant memory.

    Args:
        algorithm: What computes it. `sha1` and `md5` are here for what asks for them, and no longer
            safe against who wants two texts with one hash.
        content: The text.
        path: The file, inside the workspace.
        key: The key of an HMAC, a text.
        encoding: `base64` hashes the bytes that `content` stands for.

    Returns:
        `hash` in lower-case hexadecimal digits, `base64` of the same bytes, and the `size` in bytes
        of what was hashed.

    Raises:
        ModuleError: the file cannot be read.

    Example:
        name: checksum
        lifecycle: {policy: run_once}
        process:
          module: crypto:hash
          params:
            path: release.tar.gz
        register: checksum
    """
    import hmac  # start-up
    from base64 import b64encode
    from hashlib import new

    if algorithm not in ALGORITHMS:
        raise ParameterError(f"`algorithm` is none of {', '.join(ALGORITHMS)}")
    if key == "":
        raise ParameterError("`key` is empty: everybody could compute the HMAC")
    if key is None:
        digest: _Digest = new(algorithm)
    else:
        digest = hmac.new(to_bytes(key, "utf-8", "key"), None, algorithm)
    size = await feed(ctx, content, path, encoding, digest.update)
    result = digest.digest()
    return {"hash": result.hex(), "base64": b64encode(result).decode(), "size": size}
