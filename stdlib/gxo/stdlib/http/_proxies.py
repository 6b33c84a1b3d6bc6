"""Which proxy a request goes through, as the environment says.

HTTPS_PROXY=http://proxy:3128 NO_PROXY=corp.example,10.0.0.0/8
https://api.example.com  ->  http://proxy:3128
https://git.corp.example, https://10.1.2.3  ->  none
"""

import ipaddress
from collections.abc import Callable
from typing import TYPE_CHECKING

from gxo.runtime.errors import ModuleError

if TYPE_CHECKING:
    import httpx

Env = Callable[[str], str]


def proxy_for(url: "httpx.URL", env: Env) -> str | None:
    """The address of the proxy, or None for none. env: gives a variable, or an empty text."""
    name = f"{url.scheme}_proxy"
    # A server that runs CGI scripts sets HTTP_PROXY to what its client likes.
    is_cgi = name == "http_proxy" and env("REQUEST_METHOD")
    proxy = env(name) or ("" if is_cgi else env(name.upper())) or _either(env, "all_proxy")
    if not proxy or _is_exempt(url, _either(env, "no_proxy")):
        return None
    address = proxy if "://" in proxy else f"http://{proxy}"
    if address.partition("://")[0].lower() not in ("http", "https"):
        # It is not quoted: there may be a password in it.
        raise ModuleError(
            f"the environment names a proxy for {url.scheme} that is not reached by HTTP",
            hint=f"set {name.upper()} to one that is, or NO_PROXY to hosts that need none",
        )
    return address


def _either(env: Env, name: str) -> str:
    return env(name) or env(name.upper())


def _is_exempt(url: "httpx.URL", listed: str) -> bool:
    """Whether NO_PROXY lists the host: by name, with its subdomains, by address or network."""
    port = url.port or {"http": 80, "https": 443}.get(url.scheme)
    for entry in listed.replace(",", " ").split():
        name, separator, number = entry.rpartition(":")
        if separator and number.isdigit() and (":" not in name or name.endswith("]")):
            if int(number) != port:
                continue
            entry = name
        if entry == "*" or _covers(entry.strip("[]").lower(), url.host.lower().rstrip(".")):
            return True
    return False


def _covers(entry: str, host: str) -> bool:
    try:
        network = ipaddress.ip_network(entry, strict=False)
    except ValueError:
        name = entry.removeprefix("*").strip(".")
        return bool(name) and (host == name or host.endswith(f".{name}"))
    try:
        return ipaddress.ip_address(host) in network
    except ValueError:
        return False
