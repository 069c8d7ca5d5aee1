"""Speed, as ratios to a baseline that the same run measures: `make bench`."""
