"""Names of files from names of topics, which may hold anything."""

import re

_OTHERS = re.compile(r"[^\w.-]+")
_LONGEST = 100


class FileNames:
    """Gives each topic a name of its own, also where two differ only in what no file is called."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def of(self, topic: str, ending: str) -> str:
        """The topic's name with underlines for slashes and the like, and the ending; numbered if it is taken."""
        stem = _OTHERS.sub("_", topic).strip("._")[:_LONGEST] or "samples"
        name, number = f"{stem}{ending}", 2
        while name.lower() in self._taken:
            name, number = f"{stem}-{number}{ending}", number + 1
        self._taken.add(name.lower())
        return name
