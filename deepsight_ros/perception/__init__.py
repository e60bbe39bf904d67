"""Ring 2: one file per task, from picture to array: prepare, run the engine, finish."""
