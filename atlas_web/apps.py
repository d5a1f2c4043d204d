import logging
import os

from django.apps import AppConfig
from django.apps import apps as installed
from django.apps.registry import Apps
from django.contrib.admin.apps import AdminConfig
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.db.models.signals import post_migrate

from atlas.access import Role
from atlas.variables import misspelt

logger = logging.getLogger(__name__)


class AtlasWebConfig(AppConfig):
    """The dashboard."""

    name = "atlas_web"
    verbose_name = "Dashboard"

    def ready(self) -> None:
        """Have the roles' groups made with the tables, and sign-ins kept; tell of variables that are misspelt."""
        post_migrate.connect(make_groups, sender=installed.get_app_config("auth"))
        from atlas_web import lockout  # it reads tables, which are there only now

        for sentence in misspelt(os.environ):
            logger.warning(sentence)
        user_logged_in.connect(lockout.keep_sign_in)
        user_login_failed.connect(lockout.keep_failure)


class AtlasAdminConfig(AdminConfig):
    """Django's admin on Atlas' own site."""

    default_site = "atlas_web.site.AtlasAdminSite"


def make_groups(*, using: str, apps: Apps | None = None, **_: object) -> None:
    """Make the group of each role, once there is a table of groups."""
    groups = (apps or installed).get_model("auth", "Group")
    for role in Role:
        groups.objects.using(using).get_or_create(name=role.value)
