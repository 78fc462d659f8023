"""Run a stranger's notebook: a process that can reach nothing, and a grader that believes nothing it says.

`inside` runs in the sandbox, `worker` talks with it, `wire` is the language between them. `bubblewrap` and `seccomp`
build the walls, `visible` says what stands inside them.
"""
