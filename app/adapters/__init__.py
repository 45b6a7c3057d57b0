"""The outside world behind small interfaces: files, SMS, challenges, passwords, ciphers, parsers in a child process.

Imports no other room and needs no application context; settings arrive as constructor arguments. Refusals are
``app.errors`` exceptions with a sentence. Nothing here knows an account, a declaration or HTTP.
"""
