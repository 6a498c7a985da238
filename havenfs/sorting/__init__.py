"""Where the files in the inbox belong: learned from the folders that are there, and from the owner's rules.

`traits` is what is known of one file, `profile` of a folder, `patterns` what names of folders say of dates and places, `clues` how
much each observation speaks for a folder, `model` all folders weighed against each other, `calibration` how sure that is,
`rules` what the owner wrote, `sorter` the proposals of the moment. Reads the catalog, writes proposals, moves nothing.
Synchronous; arithmetic of numpy.
"""
