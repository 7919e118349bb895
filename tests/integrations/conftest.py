"""What the tests of several integrations look through."""

import pytest


@pytest.fixture
def programs(monkeypatch):
    """The programs that steps are joined to, as they are built."""
    from multiconv.torch._compile import _program

    built = []
    build = _program.Program.__init__

    def record(program, *args):
        build(program, *args)
        built.append(program)

    monkeypatch.setattr(_program.Program, "__init__", record)
    return built
