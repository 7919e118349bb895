"""JAX's convolutions on this engine; imports jax."""

from multiconv._errors import MissingExtraError

try:
    import jax as _jax
except ModuleNotFoundError as error:
    raise MissingExtraError("multiconv.jax needs JAX: pip install 'multiconv[jax]'") from error
if _jax.__version_info__ < (0, 8, 2):  # those before do not say which interface they have
    raise MissingExtraError(
        f"multiconv.jax needs JAX 0.8.2 or later, not {_jax.__version__}: "
        "pip install 'multiconv[jax]'"
    )

from multiconv.jax._conv import conv, conv_general_dilated, conv_transpose

__all__ = ["conv", "conv_general_dilated", "conv_transpose"]
