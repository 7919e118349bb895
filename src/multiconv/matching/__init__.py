"""Where one signal lies in another."""

from multiconv.matching._lags import lags
from multiconv.matching._template import match_template

__all__ = ["lags", "match_template"]
