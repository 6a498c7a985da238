"""Model directories: manifests, what is installed, what is built in."""
