"""Benchmarks that anyone can run: ``make bench``. Figures are ratios within one run wherever time is measured,
because machines differ; a part that cannot run says why instead of showing a figure."""
