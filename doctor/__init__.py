"""`atlas doctor`: whether everything that an installation needs is there, and how to mend what is not."""
