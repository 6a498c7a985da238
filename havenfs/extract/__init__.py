"""Facts from files: bytes and a model in, findings out. Never touches the catalog or the network."""
