"""Who administers Atlas, as both reads and writes ask."""

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from atlas.access import Role


def administrators() -> QuerySet[User]:
    """Those with an open account who administer Atlas, by name."""
    members = User.objects.filter(groups__name=Role.ADMINISTRATOR.value)
    return User.objects.filter(Q(is_superuser=True) | Q(pk__in=members.values("pk")), is_active=True).order_by(
        "username"
    )
