"""Forgetting: destroying keys, proof that they are gone, and rolling the key that wraps the others."""
