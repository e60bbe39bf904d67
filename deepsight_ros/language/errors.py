"""Error of the language ring."""


class LanguageError(RuntimeError):
    """A tokenizer, prompt or model cannot be used; the message names cause and remedy."""
