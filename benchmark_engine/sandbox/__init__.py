"""The walls round untrusted model code: `launcher` starts a child process, `child` is what runs in it.

The two exchange files in a scratch folder: JSON documents (`protocol`) and raw little-endian doubles. Nothing that a
child wrote is ever unpickled or executed.
"""
