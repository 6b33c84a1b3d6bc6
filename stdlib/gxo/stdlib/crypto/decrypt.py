"""The module `crypto:decrypt`."""

from typing import NotRequired, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.spec import FileMode, Secret, WorkspacePath, module, reads, writes
from gxo.stdlib.crypto._texts import plain_text, read_text
from gxo.stdlib.filesystem._content import Encoding, check_encoding


class Decrypted(TypedDict):
    """The `plaintext`, or the `path` of the file, and its `size` in bytes."""

    plaintext: NotRequired[Secret]
    path: NotRequired[str]
    size: int


@module(
    "crypto:decrypt",
    changes="by_call",
    effects=[reads("source"), writes("destination")],
    idempotent=True,
    needs=["cryptography"],
    one_of=["ciphertext", "source"],
    requires={"source": ["destination"], "destination": ["source"]},
    returns={"path": ["destination"]},
)
async def decrypt(
    ctx: Context,
    *,
    key: Secret,
    ciphertext: str | None = None,
    source: WorkspacePath | None = None,
    destination: WorkspacePath | None = None,
    aad: str = "",
    encoding: Encoding = "utf-8",
    mode: FileMode = "0600",
) -> Decrypted:
    """Decrypt what `crypto:encrypt` has made, a text or a file, if nobody has changed it.

    A decrypted text is a secret of at most 64 KiB: templates read it, and it is redacted wherever
    it could leave the process. A decrypted file gets its name when the last byte of it has been
    verified; before, its pieces are in a file without a name, and nothing is left of it when they
    are refused.

    In a dry run no file is written.

    Args:
        key: The key of AES that it was encrypted under, in base64; or the X25519 private key in
            PEM, for a text that was encrypted for the public one.
        ciphertext: The text to decrypt, in base64.
        source: The file to decrypt.
        destination: Where the decrypted file goes; it is replaced as a whole.
        aad: The same as when it was encrypted.
        encoding: `base64` gives the plaintext in base64, for what is no text, or has more than
            2,000 lines.
        mode: The permissions of the decrypted file.

    Returns:
        `plaintext` of a text; `path` of a file; `size` of it in bytes.

    Raises:
        ParameterError: the key is none, or to sign with; `ciphertext` is no base64.
        ModuleError: it was changed or cut off, or `key` or `aad` is another one; the plaintext is
            too long, or no UTF-8 and has to be; the file cannot be read, or the disk is full.

    Example:
        name: unlocked
        lifecycle: {policy: run_once}
        process:
          module: crypto:decrypt
          params:
            key: '{{ secret "BACKUP_KEY" }}'
            source: dump.sql.gz.enc
            destination: dump.sql.gz
            aad: shop-db
    """
    from gxo.stdlib.crypto import _ciphers, _files, _keys
    from gxo.stdlib.crypto._sealed import unsealed

    check_encoding(encoding)
    extra = await read_text(ctx, "aad", aad, "utf-8")
    if source is not None:
        files = _files.Files(source, destination, mode)
        steps = unsealed(ctx.workspace, source, _keys.file_key(key), extra)
        summary: Decrypted = await _files.written(ctx, files, steps, private=True)
        return summary
    _files.check_text(destination)
    ctx.changes_nothing()
    hint = "give it as `crypto:encrypt` has made it; a file is a `source`"
    data = await read_text(ctx, "ciphertext", ciphertext, "base64", hint)
    result = await ctx.offload(len(data), _ciphers.decrypt, key, data, extra)
    text = await ctx.offload(len(result), plain_text, result, encoding)
    return {"plaintext": text, "size": len(result)}
