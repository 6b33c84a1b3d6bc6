"""The command line of gxo."""
