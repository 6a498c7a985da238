"""HavenFS: a household's library as a file system whose folders are answers."""

__version__ = "0.1.0"
