"""The search language: text in, a tree of terms out. Knows nothing of SQL."""
