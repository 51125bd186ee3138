"""The rules of Hair Try-On: pure Python, no I/O, no framework."""
