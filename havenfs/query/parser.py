"""Text in, Query out. One grammar for the web box and for names of folders.

    query = or ;  or = and { "OR" and } ;  and = not { ["AND"] not } ;  not = ["-" | "NOT "] atom
    atom  = "(" query ")" | field | quoted | word
    field = key ("=" | ":") value { "," value } ;  value = word | quoted | range | "none" | "any"

In a name of a folder, the full-width twins of characters that names cannot hold stand for those. Bare words under one
AND become one phrase, dates among them become filters. Pure; any thread.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from havenfs.errors import InvalidQuery

from . import dates
from .nodes import And, Choice, Field, Node, Not, Or, Presence, Query, Range, Words
from .terms import BY_KEY, Term

if TYPE_CHECKING:
    from datetime import date

    from .nodes import Value

MAX_CHARS = 2000
MAX_DEPTH = 32
"""Of parentheses: nobody nests deeper, and the stack of the interpreter is finite."""

TWINS = str.maketrans("＼／：＊？＂＜＞｜", '\\/:*?"<>|')
_KEY = re.compile(r"([^\W\d_][\w-]*)([=:])")
_NOISE = " ,;"
_STOPS = " ()"


def parse(text: str, *, path: bool = False, today: date | None = None) -> Query:
    """The Query that *text* says. Raises InvalidQuery, whose position counts in the text with single spaces.

    *path*: the text is the name of a folder. *today*: for "last summer"; the clock's date when left out.
    """
    if path:
        text = text.translate(TWINS)
    text = " ".join(unicodedata.normalize("NFC", text).split())
    if len(text) > MAX_CHARS:
        raise InvalidQuery(text, MAX_CHARS, f"a search has at most {MAX_CHARS} characters")
    for position, char in enumerate(text):
        if "\ud800" <= char <= "\udfff":
            raise InvalidQuery(text, position, "this is not text")
    return _Parser(text, today or datetime.now().astimezone().date()).query()


@dataclass(frozen=True, slots=True)
class _Mark:
    """A parenthesis or an operator: `(`, `)`, `OR`, `AND`, `NOT`."""

    sign: str
    position: int


@dataclass(frozen=True, slots=True)
class _Atom:
    node: Words | Field
    position: int


class _Parser:
    """Recursive descent over the tokens of one text."""

    def __init__(self, text: str, today: date) -> None:
        self.text = text
        self.today = today
        self.tokens = list[_Mark | _Atom]()
        self.at = 0
        self.depth = 0
        position = 0
        while (position := self._skip(position)) < len(text):
            token, position = self._token(position)
            self.tokens.append(token)

    def query(self) -> Query:
        """The whole text."""
        if not self.tokens:
            raise self._error(0, "there is nothing to search for")
        shaping = {id(t.node): t for t in self.tokens if isinstance(t, _Atom) and _shapes(t.node)}
        node = self._or()
        if (mark := self._mark()) is not None:
            raise self._error(mark.position, "this parenthesis was never opened")
        items = node.items if isinstance(node, And) else (node,)
        query = Query()
        rest: list[Node] = []
        for item in items:
            token = shaping.pop(id(item), None)
            if token is None:
                rest.append(item)
            else:
                query = self._shape(query, token)
        for token in shaping.values():
            key = token.node.key if isinstance(token.node, Field) else ""
            raise self._error(token.position, f"{key}= stands outside of OR, NOT and parentheses")
        return replace(query, where=_join(rest, self.today) if rest else None)

    # --- grammar

    def _or(self) -> Node:
        items = [self._and()]
        while (mark := self._mark()) and mark.sign == "OR":
            self.at += 1
            items.append(self._and())
        flat = [
            part for item in items for part in (item.items if isinstance(item, Or) else (item,))
        ]
        return flat[0] if len(flat) == 1 else Or(tuple(flat))

    def _and(self) -> Node:
        items = [self._not()]
        while True:
            mark = self._mark()
            if self.at == len(self.tokens) or (mark and mark.sign in ("OR", ")")):
                return _join(items, self.today)
            if mark and mark.sign == "AND":
                self.at += 1
            items.append(self._not())

    def _not(self) -> Node:
        negative = False
        while (mark := self._mark()) and mark.sign == "NOT":
            negative = not negative
            self.at += 1
        node = self._atom()
        if not negative:
            return node
        node = _join([node], self.today)  # a year alone becomes a date here, not above the NOT
        return node.item if isinstance(node, Not) else Not(node)

    def _atom(self) -> Node:
        if self.at == len(self.tokens):
            raise self._error(len(self.text), "something must follow here")
        token = self.tokens[self.at]
        if isinstance(token, _Atom):
            self.at += 1
            return token.node
        if token.sign != "(":
            what = (
                "an empty parenthesis"
                if token.sign == ")"
                else f"nothing stands before {token.sign}"
            )
            raise self._error(token.position, what)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self._error(token.position, "parentheses are nested too deeply")
        self.at += 1
        node = self._or()
        if self.at == len(self.tokens):
            raise self._error(token.position, "this parenthesis is never closed")
        self.at += 1
        self.depth -= 1
        return node

    def _mark(self) -> _Mark | None:
        token = self.tokens[self.at] if self.at < len(self.tokens) else None
        return token if isinstance(token, _Mark) else None

    def _shape(self, query: Query, token: _Atom) -> Query:
        """*query* with what a `sort=`, `limit=` or `score=` says."""
        field = token.node
        if not isinstance(field, Field) or len(field.values) != 1:
            raise self._error(token.position, "this takes one value")
        if getattr(query, field.key) is not None:
            raise self._error(token.position, f"{field.key}= is said twice")
        value = field.values[0]
        if field.key == "sort" and isinstance(value, Choice):
            return replace(query, sort=value)
        if isinstance(value, Range):
            if field.key == "score":
                return replace(query, score=value)
            if value.low is not None and value.low == value.high:
                return replace(query, limit=int(value.low))
        raise self._error(token.position, f"{field.key}= takes one number")

    # --- tokens

    def _skip(self, position: int) -> int:
        """Past spaces, commas between words, and minus signs that stand alone."""
        text = self.text
        while position < len(text):
            alone = text[position] == "-" and (
                position + 1 == len(text) or text[position + 1] in " )"
            )
            if text[position] not in _NOISE and not alone:
                break
            position += 1
        return position

    def _token(self, position: int) -> tuple[_Mark | _Atom, int]:
        text = self.text
        char = text[position]
        if char in "()":
            return _Mark(char, position), position + 1
        if char == "-":
            return _Mark("NOT", position), position + 1
        if char in "\"'":
            quoted, end = self._quoted(position)
            if quoted is None:  # an apostrophe: 'tis
                return self._token_at(end)
            return _Atom(Words(quoted, quoted=True), position), end
        return self._word(position)

    def _token_at(self, position: int) -> tuple[_Mark | _Atom, int]:
        position = self._skip(position)
        if position == len(self.text):
            raise self._error(position - 1, "there is nothing behind this quote")
        return self._token(position)

    def _word(self, position: int) -> tuple[_Mark | _Atom, int]:
        text = self.text
        key = _KEY.match(text, position)
        if key is not None:
            term = BY_KEY.get(key[1].casefold())
            if term is not None:
                return self._field(term, position, key.end())
            web = text[key.end() :]  # `http://` and `note: ` are words
            if key[2] == "=" or not (web.startswith("//") or web[:1] in ("", *_STOPS)):
                raise self._error(position, _unknown(key[1]))
        end = _until(text, position, _STOPS)
        word = text[position:end].rstrip(",;")
        if word in ("OR", "AND", "NOT"):
            return _Mark(word, position), end
        return _Atom(Words(word), position), end

    def _field(self, term: Term, start: int, position: int) -> tuple[_Atom, int]:
        values: list[Value] = []
        while True:
            value, position = self._value(term, position)
            if value not in values:
                values.append(value)
            if position == len(self.text) or self.text[position] != ",":
                return _Atom(Field(term.keys[0], tuple(values)), start), position
            position += 1
            if (
                position == len(self.text) or self.text[position] in _STOPS
            ):  # a comma of the sentence
                return _Atom(Field(term.keys[0], tuple(values)), start), position

    def _value(self, term: Term, position: int) -> tuple[Value, int]:
        text, start = self.text, position
        raw: str | None = None
        is_quoted = position < len(text) and text[position] in "\"'"
        if is_quoted:
            raw, position = self._quoted(position)
        if raw is None:
            is_quoted = False
            end = _until(text, position, _STOPS + ",")
            raw, position = text[position:end], end
        if not raw:
            raise self._error(min(start, len(text)), f"a value must follow {term.keys[0]}=")
        if term.presence and not is_quoted and raw.casefold() in ("none", "any"):
            return Presence(raw.casefold()), position
        if term.kind is None:
            raise self._error(start, "this takes no value")
        try:
            return term.kind.read(raw, self.today), position
        except ValueError as error:
            raise self._error(start, str(error)) from None

    def _quoted(self, position: int) -> tuple[str | None, int]:
        """The text in the quotes that open here, and where they end; None for a single quote that is an apostrophe."""
        text, sign = self.text, self.text[position]
        end = position
        while (end := text.find(sign, end + 1)) >= 0:
            if sign == '"' or end + 1 == len(text) or text[end + 1] in _STOPS + ",":
                inside = text[position + 1 : end].strip()
                if not inside:
                    raise self._error(position, "there is nothing between these quotes")
                return inside, end + 1
        if sign == '"':
            raise self._error(position, "this quote is never closed")
        return None, position + 1

    def _error(self, position: int, reason: str) -> InvalidQuery:
        return InvalidQuery(self.text, position, reason)


def _join(items: list[Node], today: date) -> Node:
    """The AND of *items*: flat, its bare words one phrase, the dates in that phrase filters behind."""
    flat: list[Node] = []
    for item in items:
        flat.extend(item.items if isinstance(item, And) else (item,))
    words = [
        word
        for item in flat
        if isinstance(item, Words) and not item.quoted
        for word in item.text.split()
    ]
    found = _take_dates(words, today)
    joined: list[Node] = []
    placed = False
    for item in flat:
        if not (isinstance(item, Words) and not item.quoted):
            joined.append(item)
        elif words and not placed:
            joined.append(Words(" ".join(words)))
            placed = True
    joined += found
    return joined[0] if len(joined) == 1 else And(tuple(joined))


def _take_dates(words: list[str], today: date) -> list[Field]:
    """Take dates out of *words*, with the "in" before them, until none is left (taking one may join another)."""
    found: list[Field] = []
    at = 0
    while at < len(words):
        hit = dates.phrase(words[at : at + 2], today)
        if hit is None:
            at += 1
            continue
        count, days = hit
        found.append(Field("date", (days,), said=" ".join(words[at : at + count])))
        del words[at : at + count]
        if at and words[at - 1].casefold() in dates.LEADING:
            at -= 1
            del words[at]
        at = max(0, at - 1)
    return found


def _shapes(node: Node) -> bool:
    return isinstance(node, Field) and BY_KEY[node.key].shapes


def _until(text: str, position: int, stops: str) -> int:
    while position < len(text) and text[position] not in stops:
        position += 1
    return position


def _unknown(key: str) -> str:
    near = difflib.get_close_matches(key.casefold(), BY_KEY, n=1)
    return f"{key!r} is no search key" + (
        f"; did you mean {near[0]!r}?" if near else "; quote it to search for the text"
    )
