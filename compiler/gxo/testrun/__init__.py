"""What `gxo test` does, from paths to an exit code.

    finding    paths → test playbooks, in order
    folder     where they write, which goes at the end
    pool       a process for each test, so many at once       child → pool   lines and the log
      inside     what a test's process does: compile, run     pool → shown   in the order of tests
    results    those lines → how a test has ended
    shown      for people, as JSON, for GitHub; junit
    coverage   what the tests have reached of playbooks; as text, as a page
    watching   runs again what a change concerns

`gxo.testing` is something else: what tests of modules written in Python use.
"""
