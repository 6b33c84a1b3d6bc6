"""A job that can go on after it was killed (language, section 6, "Resume").

    job.pyz --journal state        state/journal     one line for each thing that happened
                                   state/workspace   kept until the job is Completed
    kill -9 ...
    job.pyz --resume state         what was Completed is restored, the rest runs

`lines` keeps the file, `records` knows what its lines mean, `plan` decides what runs again, and
`journal` is what a run talks to. Nothing here is imported by a job without these options.
"""
