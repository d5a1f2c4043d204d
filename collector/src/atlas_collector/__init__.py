"""Records what a car's sensors measure, in sets that agree in time, and sends the recordings to Atlas."""
