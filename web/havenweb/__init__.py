"""The web program: JSON over the library, and the page."""
