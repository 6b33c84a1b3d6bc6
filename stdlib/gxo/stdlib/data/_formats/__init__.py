"""The formats of `data:parse` and `data:format` that few playbooks use, one a file.

Each is imported when it is asked for.
"""
