"""Tells catkin where the Python package is."""

from distutils.core import setup

from catkin_pkg.python_setup import generate_distutils_setup

setup(**generate_distutils_setup(packages=["atlas_collector", "atlas_collector.drivers"], package_dir={"": "src"}))
