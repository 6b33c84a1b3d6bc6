"""The module `crypto:encrypt`."""

from base64 import b64encode
from typing import NotRequired, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.spec import FileMode, Secret, WorkspacePath, module, reads, writes
from gxo.stdlib.crypto._texts import read_text
from gxo.stdlib.filesystem._content import Encoding


class Encrypted(TypedDict):
    """The `ciphertext` in base64, or the `path` of the file, and its `size` in bytes."""

    ciphertext: NotRequired[str]
    path: NotRequired[str]
    size: int


@module(
    "crypto:encrypt",
    changes="by_call",
    effects=[reads("source"), writes("destination")],
    needs=["cryptography"],
    one_of=["plaintext", "source"],
    requires={"source": ["destination"], "destination": ["source"]},
    returns={"ciphertext": [], "path": ["destination"]},
)
async def encrypt(
    ctx: Context,
    *,
    key: Secret,
    plaintext: str | None = None,
    source: WorkspacePath | None = None,
    destination: WorkspacePath | None = None,
    aad: str = "",
    encoding: Encoding = "utf-8",
    mode: FileMode = "0644",
) -> Encrypted:
    """Encrypt a text or a file by AES-GCM: `crypto:decrypt` refuses what was changed since.

    Under a key of AES, a text becomes a random nonce (12 bytes), the ciphertext and the tag (16
    bytes), together in base64. One key is good for 4 billion texts.

    For the owner of an X25519 key, whose public key is the `key`, a text of at most 1 MiB becomes
    an encapsulated key (32 bytes), the ciphertext and the tag: HPKE of RFC 9180 in base mode with
    X25519, HKDF-SHA256 and AES-256-GCM, `aad` as its `info`. Only the private key decrypts it.

    A file of any size is encrypted under a key of AES in segments of 1 MiB, and in constant memory.
    Each file has a salt and so a key of its own (HKDF-SHA256), and the nonce of a segment says its
    place and whether it is the last: segments left out, exchanged or cut off are refused. The
    format is that of Tink's streaming AEAD, AES256_GCM_HKDF_1MB or AES128_GCM_HKDF_1MB.

    In a dry run no file is written.

    Args:
        key: 16 or 32 bytes in base64, as `crypto:generate_key` or `openssl rand -base64 32` make
            them, for AES-128 or AES-256; or an X25519 public key in PEM. A password is none: see
            `vault:encrypt`.
        plaintext: The text to encrypt.
        source: The file to encrypt.
        destination: Where the encrypted file goes; it is replaced as a whole.
        aad: Other data that the ciphertext belongs to, such as a customer's number. It is not in
            the ciphertext, and who decrypts must give the same.
        encoding: `base64` encrypts the bytes that `plaintext` stands for.
        mode: The permissions of the encrypted file.

    Returns:
        `ciphertext` of a text, in base64; `path` of a file; `size` of it in bytes, without base64.

    Raises:
        ParameterError: the key is none, or to sign with; the text is no base64 and has to be.
        ModuleError: the file cannot be read, or the disk is full.

    Example:
        name: locked
        lifecycle: {policy: run_once}
        process:
          module: crypto:encrypt
          params:
            key: '{{ secret "BACKUP_KEY" }}'
            source: dump.sql.gz
            destination: dump.sql.gz.enc
            aad: shop-db
        register: locked
    """
    from gxo.stdlib.crypto import _ciphers, _files, _keys
    from gxo.stdlib.crypto._sealed import sealed

    extra = await read_text(ctx, "aad", aad, "utf-8")
    if source is not None:
        files = _files.Files(source, destination, mode)
        steps = sealed(ctx.workspace, source, _keys.file_key(key), extra)
        summary: Encrypted = await _files.written(ctx, files, steps, private=False)
        return summary
    _files.check_text(destination)
    ctx.changes_nothing()
    data = await read_text(ctx, "plaintext", plaintext, encoding)
    result = await ctx.offload(len(data), _ciphers.encrypt, key, data, extra)
    text = await ctx.offload(len(result), b64encode, result)
    return {"ciphertext": text.decode(), "size": len(result)}
