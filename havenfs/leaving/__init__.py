"""Leaving: a library as plain folders, files and sidecars, in which nothing of HavenFS is needed any more."""
