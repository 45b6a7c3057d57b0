"""Use cases: the only code that commits. Each takes the user as an argument and raises ``app.errors``."""
