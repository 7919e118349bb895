"""One file per algorithm; the registry finds them."""
