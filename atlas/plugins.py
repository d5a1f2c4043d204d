"""Commands that other packages add to `atlas` and to its groups, by entry points that each name a `typer.Typer`."""

from importlib import metadata
from typing import Any, ClassVar

import typer
from typer.core import TyperGroup

PLUGINS = "atlas.commands"
"""The entry point group of sub-commands of `atlas`; those of its group `bag` are in `atlas.commands.bag`."""


class Pluggable(TyperGroup):
    """Our commands and those of other packages, which are imported only when they are asked for."""

    plugins: ClassVar[str] = PLUGINS

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """The names of all commands."""
        plugins = {plugin.name for plugin in metadata.entry_points(group=self.plugins)}
        own = super().list_commands(ctx)
        return [*own, *sorted(plugins.difference(own))]

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]
        """The command of that name; None, after a warning, if its package cannot be imported."""
        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return own
        for plugin in metadata.entry_points(group=self.plugins, name=cmd_name):
            return _load_plugin(plugin)
        return None


class BagCommands(Pluggable):
    """The group `atlas bag`."""

    plugins = f"{PLUGINS}.bag"


def _load_plugin(plugin: metadata.EntryPoint) -> Any:
    try:
        command: Any = typer.main.get_command(plugin.load())
    except Exception as error:  # noqa: BLE001 - process boundary: other people's package may raise anything
        from atlas.terminal import say

        say("warning", f"the command {plugin.name!r} ({plugin.value}) cannot be loaded: {error}", "yellow")
        return None
    command.name = plugin.name
    command.rich_help_panel = "Others"
    return command
