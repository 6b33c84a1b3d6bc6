"""Modules for test playbooks."""
