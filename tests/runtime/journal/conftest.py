"""A test that kills no host needs no disk: what is written is there for the next process."""

import os

import pytest


@pytest.fixture(scope="session", autouse=True)
def unsynced() -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _descriptor: None)
        yield
