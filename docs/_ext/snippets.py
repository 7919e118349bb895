"""Examples end where their last line ends; the blank line that doctest needs is not shown."""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform


class Trimmed(SphinxTransform):
    """Takes away blank lines at the end of blocks of code."""

    default_priority = 400

    def apply(self, **options: Any) -> None:
        """Both the text and its source, which must stay alike for the block to be coloured."""
        for block in self.document.findall(nodes.literal_block):
            text = block.astext().rstrip()
            if block.rawsource == block.astext():
                block.rawsource = text
                block[:] = [nodes.Text(text)]


def setup(app: Sphinx) -> dict[str, bool]:
    """Read every page so."""
    app.add_transform(Trimmed)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
