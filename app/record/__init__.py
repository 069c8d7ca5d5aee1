"""The record: facts sealed, numbered and kept for good; keys apart from them; and who looked."""
