"""The formats that a bundle's fitted objects are written in. Loading runs what the file says: only a sandbox may.

Each format is one module here, or in another package that names it by an entry point. The libraries are imported where
they are used, so that a manifest can be read, and an engine can run, without any of them.
"""

from atlas.formats.contract import Attribution, Format, Meaning, Model
from atlas.formats.registry import format_named, format_names, format_of, load_file, requirement

__all__ = [
    "Attribution",
    "Format",
    "Meaning",
    "Model",
    "format_named",
    "format_names",
    "format_of",
    "load_file",
    "requirement",
]
