"""Whose faces are one person's: vectors and what people have said in, clusters out. Pure; no SQL, no models, no files."""

from .clusterer import Clusterer, Member
from .constraints import Constraints
from .gallery import Gallery, gallery
from .partition import Partition, partition
from .rules import VERSION, Rules, likeness
from .scores import Directions

__all__ = [
    "VERSION",
    "Clusterer",
    "Constraints",
    "Directions",
    "Gallery",
    "Member",
    "Partition",
    "Rules",
    "gallery",
    "likeness",
    "partition",
]
