"""Who somebody is, what they may do, and the note that they looked."""
