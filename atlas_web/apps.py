from django.apps import AppConfig
from django.apps.registry import Apps
from django.db.models.signals import post_migrate

from atlas.access import Role


class AtlasWebConfig(AppConfig):
    """The dashboard."""

    name = "atlas_web"
    verbose_name = "Dashboard"

    def ready(self) -> None:
        """Have the roles' groups made with the tables."""
        post_migrate.connect(make_groups, sender=self)


def make_groups(*, apps: Apps, using: str, **_: object) -> None:
    """Make the group of each role, after tables were migrated."""
    groups = apps.get_model("auth", "Group")
    for role in Role:
        groups.objects.using(using).get_or_create(name=role.value)
