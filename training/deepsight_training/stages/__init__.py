"""Training stages: what is learned from what, one module per network."""
