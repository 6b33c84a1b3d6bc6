"""Files and folders of the workspace, one module a file."""
