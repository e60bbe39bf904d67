"""Error of the engine ring."""


class EngineError(RuntimeError):
    """A bundle or an engine cannot be used; the message names the cause and the remedy."""
