"""The module `crypto:generate_key`."""

from typing import Literal, NotRequired, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ParameterError
from gxo.runtime.spec import Secret, module

Type = Literal["aes", "rsa", "ed25519", "ecdsa", "x25519"]

BITS: dict[str, tuple[int, ...]] = {
    "aes": (256, 128),
    "rsa": (3072, 2048, 4096, 8192),
    "ed25519": (256,),
    "ecdsa": (256, 384, 521),
    "x25519": (256,),
}
"""How long keys can be; the first is what they are by default."""


class Generated(TypedDict):
    """The `private_key`, and the `public_key` of a pair."""

    private_key: Secret
    public_key: NotRequired[str]


@module(
    "crypto:generate_key",
    changes="by_call",
    needs=["cryptography"],
    returns={"public_key": []},
)
async def generate_key(
    ctx: Context,
    *,
    type_: Type,
    bits: int | None = None,
    format_: Literal["pem", "openssh"] = "pem",
) -> Generated:
    """Make a new key, or a pair of a private and a public key.

    `aes` is for `crypto:encrypt`: 256 bits, or 128. `ed25519`, `ecdsa` (on NIST's curves of 256,
    384 or 521 bits) and `rsa` (3072 bits, or 2048, 4096, 8192, which can take half a minute) are
    for signing. With the public key of `x25519` others encrypt for who has the private one.

    The private key is a secret: templates read it, and it is redacted wherever it could leave the
    process. It is gone with the job if no workload keeps it, so a job that is resumed makes no
    other key in its place unless it is told to (`--rerun`), and a dry run makes none.

    Args:
        type_: What the key is for, as above.
        bits: Its size, where there is a choice.
        format_: `pem`, which is PKCS #8 for private keys and SubjectPublicKeyInfo for public ones,
            or `openssh`, for `rsa`, `ed25519` and `ecdsa`. A key of AES is base64.

    Returns:
        `private_key`; `public_key`, except of AES.

    Raises:
        ParameterError: there is no such key.

    Example:
        name: deploy-key
        lifecycle: {policy: run_once}
        process:
          module: crypto:generate_key
          params:
            type: ed25519
            format: openssh
        register: deploy_key
    """
    if type_ not in BITS:
        raise ParameterError("`type` is none of aes, rsa, ed25519, ecdsa and x25519")
    size = BITS[type_][0] if bits is None else bits
    if size not in BITS[type_]:
        sizes = ", ".join(map(str, sorted(BITS[type_])))
        raise ParameterError(f"`bits` is {size}: a key of `{type_}` can have {sizes}")
    if format_ not in ("pem", "openssh"):
        raise ParameterError("`format` is neither pem nor openssh")
    if format_ == "openssh" and type_ in ("aes", "x25519"):
        raise ParameterError(f"`format` is openssh, which has no keys of `{type_}`")
    if ctx.dry_run:
        foreseen: Generated = ctx.would(f"make a key ({type_}, {size} bits)")
        return foreseen
    from gxo.stdlib.crypto._pairs import new_aes_key, new_pair

    if type_ == "aes":
        return {"private_key": new_aes_key(size)}
    private, public = await ctx.thread(new_pair, type_, size, format_)
    return {"private_key": private, "public_key": public}
