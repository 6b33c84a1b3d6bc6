"""Puts a generated module, and all that it needs on a host that has only Python, in one file."""
