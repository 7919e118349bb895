"""Warnings of the continuous side."""


class IntegrationWarning(UserWarning):
    """An integral missed its tolerance; the message says which error was achieved, and where."""
