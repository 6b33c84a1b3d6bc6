"""What becomes of secrets and of values from outside, followed through the whole plan.

    marks.py      what a value may hold, and the way it took: the lattice
    functions.py  what a template function's result holds of its arguments
    templates.py  one template: what its result holds, and what each action prints
    declared.py   what a module's summary and records hold, from its declaration
    uses.py       what a parameter's type says the value is for
    shells.py     which parameters a shell reads
    trace.py      one walk over the plan; yields what arrives where

    injection.py  what may not arrive in a shell's or a database's text
    shell_text.py where a shell's quotes stand in a text
    exposure.py   where a secret may not arrive

Nothing is read and nothing runs: all of it follows from the text of the playbook and from what the
modules declare.
"""
