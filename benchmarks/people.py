"""Those who load the dashboard at the same time, as `benchmarks.seed` makes them."""

NAMES = ("ana", "bruno", "carla", "diogo", "elsa", "filipe", "graca", "hugo")
PASSWORD = "correct horse battery staple"  # noqa: S105 - of a database that is measured and thrown away
