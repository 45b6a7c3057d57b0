"""What a declaration is: pure data, checked when it is loaded.

``schema`` says what a definition may hold, ``registry`` loads the catalogue and stored versions,
``expressions`` runs CEL, ``evaluation`` judges answers against a definition (``states`` is what it finds, ``scope`` what
expressions see meanwhile, ``verdicts`` the conditions and problems). No framework, no database.
"""
