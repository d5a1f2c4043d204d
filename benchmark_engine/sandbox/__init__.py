"""The walls round untrusted model code.

`launcher` has the `zygote` start a child for each of the `stages` of a benchmark; `confinement` is what the child puts
up round itself before it touches a model, and `monitor` what the zygote sees of it. The two sides exchange files in a
`workspace`: JSON documents (`protocol`) and raw little-endian doubles. Nothing that a child wrote is ever unpickled or
executed.
"""
