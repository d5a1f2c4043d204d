"""`manage.py send_alerts`: the messenger."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from atlas.errors import AtlasError
from atlas.logs import configure
from benchmark_engine.delivery_settings import DeliverySettings
from benchmark_engine.journal import Journal
from benchmark_engine.messenger import COMPONENT, Messenger
from benchmark_engine.stopping import stopped_by_signals
from benchmark_engine.watched import Pulse, Watch, Watched, WatchSettings
from storage import starting


class Command(BaseCommand):
    """Sends alerts, until it is told to stop. The engines' own sending is switched off by `ATLAS_DELIVER=false`."""

    help = "Send alerts by e-mail, to webhooks and to chats, until SIGTERM or Ctrl-C."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until a signal comes; what is being sent then is sent to its end."""
        stopped = stopped_by_signals()
        try:
            configure(COMPONENT)
            pulse = Pulse()
            messenger = Messenger(Journal(component=COMPONENT), DeliverySettings.from_environment(), pulse)
            watched = Watched(pulse, settings.ATLAS_METRICS_TOKEN)
            watch = Watch(WatchSettings.from_environment().metrics_address, watched)
            starting.check()
        except AtlasError as error:
            raise CommandError(str(error)) from error
        self.stdout.write("Messenger: alerts are sent.")
        with watch:
            messenger.run(stopped)
