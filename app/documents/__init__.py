"""Papers that leave the house: the history in an evidence pack, what goes with it, the governors' sheet."""
