"""Proofs that the record is complete and unaltered: ledger, checkpoints, witnesses, evidence packs."""
