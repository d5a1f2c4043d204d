"""How django-auth-ldap reaches a directory. It stands apart, as settings are read before there are tables."""

from typing import Any

import ldap
from django_auth_ldap.config import (
    GroupOfNamesType,
    GroupOfUniqueNamesType,
    LDAPGroupType,
    LDAPSearch,
    NestedActiveDirectoryGroupType,
    PosixGroupType,
)

from atlas_web.environment import Directory, GroupKind

_GROUP_TYPES: dict[GroupKind, type[LDAPGroupType]] = {
    GroupKind.GROUP_OF_NAMES: GroupOfNamesType,
    GroupKind.GROUP_OF_UNIQUE_NAMES: GroupOfUniqueNamesType,
    GroupKind.POSIX_GROUP: PosixGroupType,
    GroupKind.ACTIVE_DIRECTORY: NestedActiveDirectoryGroupType,
}


def django_settings(directory: Directory) -> dict[str, Any]:
    """The settings of django-auth-ldap that reach a directory."""
    return {
        "AUTH_LDAP_SERVER_URI": directory.url,
        "AUTH_LDAP_START_TLS": directory.start_tls,
        "AUTH_LDAP_CONNECTION_OPTIONS": options(directory),
        "AUTH_LDAP_BIND_DN": directory.bind_dn,
        "AUTH_LDAP_BIND_PASSWORD": directory.bind_password,
        "AUTH_LDAP_USER_SEARCH": LDAPSearch(directory.users, ldap.SCOPE_SUBTREE, directory.user_filter),
        "AUTH_LDAP_USER_ATTR_MAP": {
            "first_name": directory.first_name,
            "last_name": directory.last_name,
            "email": directory.email,
        },
        "AUTH_LDAP_GROUP_SEARCH": _group_search(directory),
        "AUTH_LDAP_GROUP_TYPE": _GROUP_TYPES[directory.group_kind](),
    }


def _group_search(directory: Directory) -> LDAPSearch:
    return LDAPSearch(directory.groups, ldap.SCOPE_SUBTREE, directory.group_filter)


def options(directory: Directory) -> dict[int, Any]:
    """What libldap shall do: wait for no long time, follow no referrals, trust no certificate unchecked."""
    options: dict[int, Any] = {
        ldap.OPT_NETWORK_TIMEOUT: directory.timeout_seconds,
        ldap.OPT_TIMEOUT: directory.timeout_seconds,
        ldap.OPT_REFERRALS: 0,
        ldap.OPT_X_TLS_REQUIRE_CERT: ldap.OPT_X_TLS_DEMAND,
    }
    if directory.ca_file:
        options[ldap.OPT_X_TLS_CACERTFILE] = str(directory.ca_file)
    return options | {ldap.OPT_X_TLS_NEWCTX: 0}  # makes the others count, so it comes last
