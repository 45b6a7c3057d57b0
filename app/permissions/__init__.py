"""Who may: ``roles`` (which doors), ``rules`` (this record, with the reason), ``scopes`` (the same as SQL)."""
