"""Benchmarks: each prints ratios that it measured side by side in one run, and what the machine could do at most."""
