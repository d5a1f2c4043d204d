"""Whether the settings of all processes, as the environment of this one gives them, can be used."""

import os
from collections.abc import Iterator

from atlas.errors import SettingsError
from atlas.ingestion import IngestionSettings
from atlas.settings import Settings
from atlas.variables import misspelt
from atlas_web.environment import Directory, Environment
from benchmark_engine.node_settings import NodeSettings
from benchmark_engine.settings import EngineSettings
from doctor.findings import Finding, broken, doubtful, well
from ingestion_engine.settings import IngestionEnvironment

PART = "settings"
REMEDY = "See docs/reference/settings.md for what each variable may be."
READ: tuple[type[Settings], ...] = (
    Environment,
    Directory,
    IngestionSettings,
    IngestionEnvironment,
    EngineSettings,
    NodeSettings,
)


def look() -> Iterator[Finding]:
    """Read the settings as each process does, and look for names that none of them reads."""
    wrong = False
    for each in READ:
        try:
            each.from_environment()
        except SettingsError as error:
            wrong = True
            yield broken(PART, str(error), REMEDY)
    for sentence in misspelt(os.environ):
        yield doubtful(PART, sentence, REMEDY)
    if not wrong:
        yield well(PART, "Every process can read those that are set here.")
