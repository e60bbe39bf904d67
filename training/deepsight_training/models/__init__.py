"""Networks in the style of transformers: a configuration and a model file per system."""
