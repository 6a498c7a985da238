"""What removing means: the trash, removals in a row, the guard against too many."""
