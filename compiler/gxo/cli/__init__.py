"""The command line of gxo."""

VERSION = "0.1.0"
