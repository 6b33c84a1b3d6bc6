"""The module `crypto:sign`."""

from typing import Literal, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.spec import Secret, WorkspacePath, module, reads
from gxo.stdlib.crypto._texts import feed
from gxo.stdlib.filesystem._content import Encoding

Algorithm = Literal[
    "ed25519",
    "ecdsa-sha256",
    "ecdsa-sha384",
    "ecdsa-sha512",
    "rsa-pss-sha256",
    "rsa-pss-sha384",
    "rsa-pss-sha512",
    "rsa-pkcs1v15-sha256",
    "rsa-pkcs1v15-sha384",
    "rsa-pkcs1v15-sha512",
]


class Signed(TypedDict):
    """The `signature` in base64, and the `algorithm` that made it."""

    signature: str
    algorithm: str


@module(
    "crypto:sign",
    effects=[reads("path")],
    idempotent=True,
    needs=["bcrypt", "cryptography"],
    one_of=["content", "path"],
    returns={"signature": [], "algorithm": []},
)
async def sign(
    ctx: Context,
    *,
    private_key: Secret,
    passphrase: Secret | None = None,
    content: str | None = None,
    path: WorkspacePath | None = None,
    algorithm: Algorithm | None = None,
    encoding: Encoding = "utf-8",
) -> Signed:
    """Sign a text or a file, so that who has the public key can tell whose it is.

    An Ed25519 key signs by `ed25519`; an ECDSA key by the hash that fits its curve (`ecdsa-sha256`
    for 256 bits, `ecdsa-sha384`, `ecdsa-sha512`), in DER, which is what `cosign sign-blob --key`
    and `openssl dgst -sign` give. An RSA key can sign in two ways, and says neither: `rsa-pss-...`,
    with a salt as long as the hash, or `rsa-pkcs1v15-...`.

    A file is read in pieces, in constant memory; Ed25519 needs all of it, and takes 64 MiB at most.

    Args:
        private_key: The content of a private key of Ed25519, ECDSA or RSA (2048 bits or more), in
            PEM or OpenSSH's form.
        passphrase: What opens an encrypted `private_key`.
        content: The text to sign.
        path: The file to sign, inside the workspace.
        algorithm: How to sign; by default as above. RSA has to be told.
        encoding: `base64` signs the bytes that `content` stands for.

    Returns:
        `signature` in base64, and the `algorithm`.

    Raises:
        ParameterError: the key is none, stays closed, or cannot sign by the algorithm.
        ModuleError: the file cannot be read, or is too much for Ed25519.

    Example:
        name: signature
        lifecycle: {policy: run_once}
        process:
          module: crypto:sign
          params:
            private_key: '{{ secret "RELEASE_KEY" }}'
            path: release.tar.gz
        register: signature
    """
    from base64 import b64encode

    from gxo.stdlib.crypto import _keys, _signatures

    key = await ctx.thread(_keys.private_key, "private_key", private_key, passphrase)
    chosen = _signatures.algorithm_for(key, algorithm, "private_key")
    message = _signatures.Message(chosen)
    await feed(ctx, content, path, encoding, message.take)
    signature = await ctx.thread(message.sign, key)
    return {"signature": b64encode(signature).decode(), "algorithm": chosen}
