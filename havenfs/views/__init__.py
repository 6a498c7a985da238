"""The virtual tree: the one definition of directories, leaves and names. Knows neither inodes nor HTTP."""
