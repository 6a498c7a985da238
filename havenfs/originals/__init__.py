"""The originals on disk: every call that is made of the operating system about them, by source and path."""
