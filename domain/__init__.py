"""What happens in a peer-mentoring scheme: facts, and the rules that they follow. No web, no SQL."""
