#!/usr/bin/env python
"""Runs the administrative commands and the processes of Atlas."""

import os
import sys

from django.core.management import execute_from_command_line

from atlas.errors import SettingsError

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "atlas_web.settings")
    try:
        execute_from_command_line(sys.argv)
    except SettingsError as error:  # of the settings themselves, which are read before any command begins
        sys.exit(str(error))
