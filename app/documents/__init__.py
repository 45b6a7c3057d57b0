"""Room 7: printed paper and files to hand over.

``context`` turns a record into one value tree (``tree.Paper``); ``word`` and ``pdf`` write the same tree, ``sheet`` the
lists, ``package`` the archive, ``codes`` the check codes. Nothing here reads the database or knows who asks.
"""
