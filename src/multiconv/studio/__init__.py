"""The studio: a local page on which convolution can be played with and understood.

The engine answers each question of the page. What the page may ask for lies in ``rooms``, one file
a room; the page itself in ``static``.
"""

from ._room import Cancelled, Message, Room, all_rooms

__all__ = ["Cancelled", "Message", "Room", "all_rooms"]
