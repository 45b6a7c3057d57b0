"""What happens next: ``steps`` is the only table of who may do what, ``engine`` carries it out.

``guards`` say why not, ``calendar`` counts working days. Effects are names; services carry them out.
"""
