"""The studio's rooms in a notebook: Jupyter, marimo, Colab, VS Code.

Examples
--------
>>> import multiconv.widgets
>>> room = multiconv.widgets.sum([1, 2, 3], [1, -1])
>>> room.result
array([ 1,  1,  1, -3])
"""

from multiconv._errors import MissingExtraError

try:
    import anywidget  # noqa: F401
except ModuleNotFoundError as error:
    raise MissingExtraError(
        "multiconv.widgets needs anywidget: pip install 'multiconv[widgets]'"
    ) from error

from multiconv.widgets._image import ImageWidget, image
from multiconv.widgets._sum import SumWidget, sum  # noqa: A004

__all__ = ["ImageWidget", "SumWidget", "image", "sum"]
