"""Everything that people read and that isn't in a template: sentences, questions, titles, dates, states."""
