"""What readers ask: lists that are kept up to date from the facts, and can be made anew."""
