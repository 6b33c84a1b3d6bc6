"""What differs between two jobs, for `gxo diff`: `jobs.py` reads each, `facts.py` says what it is,
`names.py` which workloads are the same under other names, `changes.py` what differs, and
`shown.py` prints it."""
