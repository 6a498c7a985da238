"""XMP sidecars: what people said about a picture, in a file beside it that every other program reads and writes too."""
