"""Proofs that the record is complete and unaltered: ledger, checkpoints, witnesses, evidence packs.

Signing checkpoints: `anchor`, `checkpoints`, `epoch` and `new_epoch` after a loss. Checking the live record:
`verify`, with what it reads and compares in `log_rows`, `parts`, `so_far`, `guards`, `clocks`, `kept_keys`.
Packs: `pack`, `pack_files`, `skeleton`, and `signer` where another machine signs; `verifier` checks them,
alone. Outside the school: `published`, `mail`, `stamp`, `witness`, `remote`. Under all of them: `ledger`,
`note`, `log_key`.
"""
