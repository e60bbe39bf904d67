"""Ring 2: metrics, readers for data sets and bags, deterministic replay, reports."""
