"""The module `vault:encrypt`."""

from typing import NotRequired, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ParameterError
from gxo.runtime.spec import FileMode, Secret, WorkspacePath, module, reads, writes
from gxo.stdlib._sizes import shown_text
from gxo.stdlib.crypto._texts import read_text
from gxo.stdlib.filesystem._content import Encoding


class Encrypted(TypedDict):
    """The `ciphertext`, or the `path` of the file, and its `size` in bytes."""

    ciphertext: NotRequired[str]
    path: NotRequired[str]
    size: int


@module(
    "vault:encrypt",
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
    password: Secret,
    plaintext: str | None = None,
    source: WorkspacePath | None = None,
    destination: WorkspacePath | None = None,
    vault_id: str | None = None,
    encoding: Encoding = "utf-8",
    mode: FileMode = "0600",
) -> Encrypted:
    """Encrypt a text or a file under a password, as `ansible-vault encrypt` does.

    The result is a text that begins with `$ANSIBLE_VAULT;1.1;AES256`, or with a `vault_id`
    `$ANSIBLE_VAULT;1.2;AES256;ID`. The format holds all of it in memory, and 64 MiB at most; for
    what is larger there is `crypto:encrypt`.

    In a dry run no file is written.

    Args:
        password: The password; white space (of ASCII) around it is left out, as ansible does.
        plaintext: The text to encrypt.
        source: The file to encrypt.
        destination: Where the encrypted file goes, which may be the source; it is replaced as a
            whole.
        vault_id: The label that says which of several passwords it is, as in `--vault-id`.
        encoding: `base64` encrypts the bytes that `plaintext` stands for.
        mode: The permissions of the encrypted file.

    Returns:
        `ciphertext` of a text; `path` of a file; `size` of it in bytes.

    Raises:
        ParameterError: the password is empty, or the label none.
        ModuleError: the file cannot be read, or has more than 64 MiB; the disk is full.

    Example:
        name: kept
        lifecycle: {policy: run_once}
        process:
          module: vault:encrypt
          params:
            password: '{{ secret "VAULT_PASSWORD" }}'
            source: vars.yml
            destination: group_vars/prod/vault.yml
            vault_id: prod
    """
    from gxo.stdlib.crypto import _files
    from gxo.stdlib.vault import _ansible

    opening = _ansible.password_bytes(password)
    if vault_id is not None and (not vault_id.isprintable() or ";" in vault_id or not vault_id):
        message = f"`vault_id` is {shown_text(vault_id)}, which is no label"
        raise ParameterError(message, hint="a label is a word such as `prod`, without a semicolon")
    if source is not None:
        files = _files.Files(source, destination, mode)
        steps = _ansible.encrypted_file(ctx.workspace, source, opening, vault_id)
        summary: Encrypted = await _files.written(ctx, files, steps, private=False)
        return summary
    _files.check_text(destination)
    ctx.changes_nothing()
    data = await read_text(ctx, "plaintext", plaintext, encoding)
    text = await ctx.thread(_ansible.encrypted, opening, data, vault_id)
    return {"ciphertext": text.decode(), "size": len(text)}
