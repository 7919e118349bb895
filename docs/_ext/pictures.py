"""A picture NAME-light brings NAME-dark along, each shown on its kind of page."""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform


class Pairs(SphinxTransform):
    """Adds the dark picture behind every light one."""

    default_priority = 400

    def apply(self, **options: Any) -> None:
        """Pages name light pictures alone, so they show one wherever else they are read."""
        for light in list(self.document.findall(nodes.image)):
            if "-light." in light["uri"] and not light["classes"]:
                dark = light.deepcopy()
                dark["uri"] = light["uri"].replace("-light.", "-dark.")
                light["classes"] = ["only-light"]
                dark["classes"] = ["only-dark"]
                light.parent.insert(light.parent.index(light) + 1, dark)


def setup(app: Sphinx) -> dict[str, bool]:
    """Read every page so."""
    app.add_transform(Pairs)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
