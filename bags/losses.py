"""What a damaged file has lost, in sentences."""

from collections import Counter

_MOST = 50  # sentences: who reads them is a person


class Losses:
    """Collects sentences, and counts of what happened often."""

    def __init__(self) -> None:
        self._sentences: list[str] = []
        self._counts: Counter[str] = Counter()

    def add(self, sentence: str) -> None:
        """Notes something that happens once."""
        if sentence not in self._sentences:
            self._sentences.append(sentence)

    def count(self, what: str, number: int = 1) -> None:
        """Notes something that may happen often, such as `messages of topic /a could not be read`."""
        self._counts[what] += number

    def damage(self, first: int, stop: int) -> None:
        """Notes that a part of the file was skipped."""
        self.add(f"Bytes {first} to {stop} of the file are damaged and were skipped.")

    @property
    def sentences(self) -> tuple[str, ...]:
        """All of them, at most some dozens."""
        counted = [f"{number} {what}." for what, number in self._counts.items() if number]
        found = [*counted, *self._sentences]
        more = len(found) - _MOST
        return tuple([*found[:_MOST], f"{more} more losses are not listed."] if more > 0 else found)
