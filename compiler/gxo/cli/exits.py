"""Exit codes (language, section 6)."""

OK = 0
INVALID = 1
DIFFERENT = 1
USAGE = 2
DEFECT = 70
