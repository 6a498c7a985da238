"""The search language: its words, its parser, its parsed form. No SQL, no I/O, nothing of the library."""

from .nodes import (
    And,
    Choice,
    Circle,
    Days,
    Field,
    Name,
    Node,
    Not,
    Or,
    Presence,
    Query,
    Range,
    Value,
    Words,
)
from .parser import parse
from .terms import BY_KEY, TERMS, Term, help_text

__all__ = [
    "BY_KEY",
    "TERMS",
    "And",
    "Choice",
    "Circle",
    "Days",
    "Field",
    "Name",
    "Node",
    "Not",
    "Or",
    "Presence",
    "Query",
    "Range",
    "Term",
    "Value",
    "Words",
    "help_text",
    "parse",
]
