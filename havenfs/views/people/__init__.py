"""people/: persons, groups of faces without a name, faces in doubt."""
