"""Which keys a host may show, as a known_hosts file lists them, and what to say of another one."""

from typing import NamedTuple

import asyncssh

from gxo.runtime.errors import ModuleError, ParameterError, SecurityError, WorkloadError


class HostKeys(NamedTuple):
    """What is known of a host: its keys, the keys that may vouch for it, and those to refuse.

    where: what messages call the list that says so.
    """

    where: str
    trusted: list[asyncssh.SSHKey]
    authorities: list[asyncssh.SSHKey]
    revoked: list[asyncssh.SSHKey]

    def algorithms(self) -> list[str]:
        """What the host may be asked to show, what is known of it first.

        Others follow, so that a host of which another kind of key is known shows one at all: only
        then can be said that it has changed.
        """
        known = [name.decode() for key in self.trusted for name in key.sig_algorithms]
        all_keys = [name.decode() for name in _PLAIN]
        certified = [name.decode() for name in _CERTIFIED] if self.authorities else []
        return list(dict.fromkeys([*certified, *known, *all_keys]))


_REVOKED = "@revoked"
_PLAIN = asyncssh.public_key.get_default_public_key_algs()
_CERTIFIED = asyncssh.public_key.get_default_certificate_algs()


def read_known_hosts(text: str, where: str, hosts: list[tuple[str, int]]) -> list[HostKeys]:
    """What the entries of a known_hosts file say of each host (name and port).

    ParameterError when a line is no entry.
    """
    lines = [line.strip() for line in text.splitlines()]
    # For a port that is not 22 asyncssh may take the host's other keys, and forgets what is revoked
    # for that port. So these are looked up by themselves.
    revoked = [line.removeprefix(_REVOKED) for line in lines if line.startswith(_REVOKED)]
    try:
        entries = asyncssh.import_known_hosts("\n".join(lines))
        refused = asyncssh.import_known_hosts("\n".join(revoked))
    except ValueError:
        raise ParameterError(
            f"{where} has a line that is no entry of known_hosts",
            hint="each line is like `web-1,192.0.2.7 ssh-ed25519 AAAA...`; `ssh-keyscan` prints "
            "such lines",
        ) from None
    found = []
    for host, number in hosts:
        port = None if number == 22 else number
        trusted, authorities, *_ = entries.match(host, "", port)
        never = [*refused.match(host, "", port)[0], *refused.match(host, "", None)[0]]
        found.append(HostKeys(where, list(trusted), list(authorities), never))
    return found


def refusal(target: str, key: asyncssh.SSHKey | None, known: HostKeys) -> WorkloadError:
    """The error for a host whose key was not accepted; `key` is the one that it showed.

    One that is not who it was is no failure to try again, or to ignore.
    """
    where = known.where
    if key is None:  # asyncssh asks only about a key that is neither known nor revoked
        return SecurityError(
            f"{target} shows a key that {where} marks as revoked, or a certificate that is not "
            "valid for it",
            hint="do not connect before you know why; the host needs a new key",
        )
    shown = f"{key.get_fingerprint()} ({key.get_algorithm()})"
    if known.trusted or known.authorities:
        listed = ", ".join(one.get_fingerprint() for one in (*known.trusted, *known.authorities))
        return SecurityError(
            f"{target} has another key than before: it shows {shown}, and {where} lists {listed}",
            hint="somebody may have put a host of theirs in its place; if it was set up anew, "
            "compare the key with the host's own and replace its line",
        )
    return ModuleError(
        f"{target} is not known: it shows the key {shown}, and {where} lists none for it",
        hint="compare it with the host's own (`ssh-keygen -lf /etc/ssh/ssh_host_..._key.pub` "
        "there), then add its line, which `ssh-keyscan` prints",
    )
