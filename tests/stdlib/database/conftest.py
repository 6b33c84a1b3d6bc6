"""The databases are fixtures of every test here."""

from tests.stdlib.database.databases import database, mysql, postgresql, server, sqlite

__all__ = ["database", "mysql", "postgresql", "server", "sqlite"]
