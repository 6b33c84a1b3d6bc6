"""Texts and files that are encrypted under a password, as `ansible-vault` keeps them."""
