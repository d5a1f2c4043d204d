"""Watching models over time: how far data has moved. No Django, no ROS: arrays in, numbers out."""
