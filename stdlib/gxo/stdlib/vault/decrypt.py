"""The module `vault:decrypt`."""

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
    "vault:decrypt",
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
    password: Secret,
    ciphertext: str | None = None,
    source: WorkspacePath | None = None,
    destination: WorkspacePath | None = None,
    encoding: Encoding = "utf-8",
    mode: FileMode = "0600",
) -> Decrypted:
    """Decrypt a text or a file of ansible-vault 1.1 or 1.2, if nobody has changed it.

    A text may be indented, as it is behind `!vault |` in a YAML file. Its label, if it has one, is
    not looked at: the password decides.

    A decrypted text is a secret of at most 64 KiB: templates read it, and it is redacted wherever
    it could leave the process. In a dry run no file is written.

    Args:
        password: The password; white space (of ASCII) around it is left out, as ansible does.
        ciphertext: The text to decrypt, from `$ANSIBLE_VAULT` on.
        source: The file to decrypt.
        destination: Where the decrypted file goes; it is replaced as a whole.
        encoding: `base64` gives the plaintext in base64, for what is no text, or has more than
            2,000 lines.
        mode: The permissions of the decrypted file.

    Returns:
        `plaintext` of a text; `path` of a file; `size` of it in bytes.

    Raises:
        ParameterError: the password is empty.
        ModuleError: it was changed, has another password or another format; the plaintext is no
            UTF-8 and has to be; the file cannot be read, or the disk is full.

    Example:
        name: variables
        lifecycle: {policy: run_once}
        process:
          module: vault:decrypt
          params:
            password: '{{ secret "VAULT_PASSWORD" }}'
            source: group_vars/prod/vault.yml
            destination: vault.yml
    """
    from gxo.stdlib.crypto import _files
    from gxo.stdlib.vault import _ansible

    check_encoding(encoding)
    opening = _ansible.password_bytes(password)
    if source is not None:
        files = _files.Files(source, destination, mode)
        steps = _ansible.decrypted_file(ctx.workspace, source, opening)
        summary: Decrypted = await _files.written(ctx, files, steps, private=True)
        return summary
    _files.check_text(destination)
    ctx.changes_nothing()
    text = await read_text(ctx, "ciphertext", ciphertext, "utf-8")
    data = await ctx.thread(_ansible.decrypted, opening, text, "`ciphertext`")
    return {
        "plaintext": await ctx.offload(len(data), plain_text, data, encoding),
        "size": len(data),
    }
