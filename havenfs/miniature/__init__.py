"""Trains the built-in miniature models from drawings and exports them. Needs the `training` extra."""
