"""Activations as each library writes them."""

from __future__ import annotations

NUMPY = {
    "relu": "np.maximum(result, 0)",
    "leaky_relu": "np.where(result < 0, 0.01 * result, result)",
    "sigmoid": "1 / (1 + np.exp(-result))",
    "tanh": "np.tanh(result)",
}
TORCH = {
    "relu": "torch.relu(result)",
    "leaky_relu": "torch.nn.functional.leaky_relu(result, 0.01)",
    "sigmoid": "torch.sigmoid(result)",
    "tanh": "torch.tanh(result)",
}
KERAS = {
    "relu": "keras.ops.relu(result)",
    "leaky_relu": "keras.ops.leaky_relu(result, 0.01)",
    "sigmoid": "keras.ops.sigmoid(result)",
    "tanh": "keras.ops.tanh(result)",
}
JAX = {
    "relu": "jax.nn.relu(result)",
    "leaky_relu": "jax.nn.leaky_relu(result, 0.01)",
    "sigmoid": "jax.nn.sigmoid(result)",
    "tanh": "jax.numpy.tanh(result)",
}


def activated(words: dict[str, str], activation: str | None) -> str:
    """The line that applies an activation to ``result``; none where there is none."""
    return f"result = {words[activation]}\n" if activation else ""
