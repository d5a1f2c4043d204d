"""The collector's casing as a parametric model: `make case` builds, checks and draws it.

Lengths are in millimetres, angles in degrees. Seen from the lid, x runs to the side of the Raspberry Pi's USB
sockets and y to the side where air comes in; z runs from the windscreen to the lid.
"""
