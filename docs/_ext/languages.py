"""Pages in ``zh/`` are Chinese: they say so, and their lines join without spaces."""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

CHINESE = "zh/"
CHARACTER = re.compile("[\u2018-\u201d\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")


class Joined(SphinxTransform):
    """Takes away line breaks beside Chinese characters, which a browser shows as spaces."""

    default_priority = 400

    def apply(self, **options: Any) -> None:
        """Breaks are texts of their own."""
        if not self.env.docname.startswith(CHINESE):
            return
        for text in list(self.document.findall(nodes.Text)):
            if text.astext() == "\n" and _between(text):
                text.parent.remove(text)


def _between(text: nodes.Text) -> bool:
    """Whether a Chinese character stands on a side of this break."""
    siblings, place = text.parent.children, text.parent.index(text)
    before = siblings[place - 1].astext() if place else ""
    after = siblings[place + 1].astext() if place + 1 < len(siblings) else ""
    return any(CHARACTER.match(c) for c in (before[-1:], after[:1]))


def name_language(
    app: Sphinx, page: str, template: str, context: dict[str, Any], tree: Any
) -> None:
    """Fill the attribute ``lang`` of a page, by which browsers choose fonts and voices."""
    if page.startswith(CHINESE):
        context["language"] = "zh-CN"


def setup(app: Sphinx) -> dict[str, bool]:
    """Look at every page."""
    app.add_transform(Joined)
    app.connect("html-page-context", name_language)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
