"""Messages survive the way as bytes; what is no message is refused."""

import numpy as np
import pytest

pytest.importorskip("starlette")
from multiconv.studio import Message
from multiconv.studio._envelope import DTYPES, decode, encode

ARRAYS = {name: np.arange(15).reshape(3, 5).astype(name) for name in DTYPES}


def test_there_and_back():
    message = Message({"a": 1, "b": [1.5, None], "c": "é卷"}, {**ARRAYS, "none": np.zeros((0, 4))})
    back = decode(encode(message))
    assert back.values == message.values
    assert list(back.arrays) == list(message.arrays)
    for name, array in message.arrays.items():
        np.testing.assert_array_equal(back.arrays[name], array)
        assert back.arrays[name].dtype == array.dtype


def altered(old, new):
    data = encode(Message({"a": 1}, {"x": np.arange(6.0)}))
    assert old in data
    return data.replace(old, new)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "cut short"),
        (b"123", "cut short"),
        (b"\xff" * 8, "not the one it states"),
        (encode(Message({"a": 1}))[:-1], "not the one it states"),
        (encode(Message({"a": 1})) + b" ", "not the one it states"),
        (altered(b'{"values"', b'["values"'), "not understood"),
        (altered(b'"values"', b'"valuez"'), "not understood"),
        (altered(b'"float64"', b'"object" '), "is no array of"),
        (altered(b"[6]", b"[7]"), "x is cut short"),
        (altered(b"[6]", b"[-1]"[:3] + b""), "not understood"),
    ],
)
def test_what_is_no_message_is_refused(data, reason):
    with pytest.raises(ValueError, match=reason):
        decode(data)
