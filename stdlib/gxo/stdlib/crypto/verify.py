"""The module `crypto:verify`."""

from typing import TypedDict

from gxo.runtime.context import Context
from gxo.runtime.spec import WorkspacePath, module, reads
from gxo.stdlib.crypto._texts import feed, read_text
from gxo.stdlib.crypto.sign import Algorithm
from gxo.stdlib.filesystem._content import Encoding


class Verified(TypedDict):
    """`verified` is true: what does not match is a failure."""

    verified: bool
    algorithm: str


@module(
    "crypto:verify",
    effects=[reads("path")],
    idempotent=True,
    needs=["cryptography"],
    one_of=["content", "path"],
    returns={"algorithm": []},
)
async def verify(
    ctx: Context,
    *,
    public_key: str,
    signature: str,
    content: str | None = None,
    path: WorkspacePath | None = None,
    algorithm: Algorithm | None = None,
    encoding: Encoding = "utf-8",
) -> Verified:
    """Fail unless a text or a file was signed by the owner of a public key, and not changed since.

    It reads what `crypto:sign`, `cosign sign-blob` (once it is decoded, `openssl dgst -sign` as
    well) give. Only the algorithms that the key is for are tried: by default that of `crypto:sign`.

    Args:
        public_key: The key of Ed25519, ECDSA or RSA (2048 bits or more), in PEM, or as a line of
            OpenSSH, such as `ssh-ed25519 AAAA...`.
        signature: The signature in base64; of ECDSA in DER.
        content: The text that was signed.
        path: The file that was signed, inside the workspace.
        algorithm: How it was signed; by default as in `crypto:sign`. RSA has to be told.
        encoding: `base64` is for a `content` that stands for bytes.

    Returns:
        `verified`, true, and the `algorithm`.

    Raises:
        ParameterError: the key is none, or not for the algorithm; the signature is no base64.
        ModuleError: the signature does not match; the file cannot be read, or is too much for
            Ed25519.

    Example:
        name: genuine
        lifecycle: {policy: run_once}
        process:
          module: crypto:verify
          params:
            public_key: |
              -----BEGIN PUBLIC KEY-----
              MCowBQYDK2VwAyEA0MbBOeDjQ856Tn+QV/q1CYYXZ+gkZham4Gh1SUJvftw=
              -----END PUBLIC KEY-----
            signature: >-
              CynwiFpQOzKQ1+3MyLKDUeBHVadkiDyGpknkAqX0hCrFXsMYJBB3qq114tH3RVmi
              KEW4ss0uBmAjRRG4aQVoAQ==
            path: release.txt
    """
    from gxo.stdlib.crypto import _keys, _signatures

    key = _keys.public_key("public_key", public_key)
    chosen = _signatures.algorithm_for(key, algorithm, "public_key")
    hint = "give it as `crypto:sign` has made it"
    expected = await read_text(ctx, "signature", signature, "base64", hint)
    message = _signatures.Message(chosen)
    await feed(ctx, content, path, encoding, message.take)
    await ctx.thread(message.verify, key, expected)
    return {"verified": True, "algorithm": chosen}
