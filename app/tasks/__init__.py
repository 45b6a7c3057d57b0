"""Background jobs: a handler opens what its arguments name and calls one service. The worker runs them.

A new kind of job is a function with ``@task("kind")`` in a module of this package; nothing else lists it.
"""
