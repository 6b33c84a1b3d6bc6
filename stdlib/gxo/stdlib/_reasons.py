"""Why something failed, in the words of an error message."""

import os
import ssl


def reason(error: OSError) -> str:
    """asyncio says which call failed, and the number why; a peer that goes away says nothing."""
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.replace("_", " ").lower()
    if error.errno is not None and error.errno > 0:
        return os.strerror(error.errno).lower()
    return (error.strerror or str(error) or "the connection was closed").lower()
