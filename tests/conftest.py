"""For every test: the servers of the run, and how long property tests look for a counterexample."""

from hypothesis import settings

pytest_plugins = ["tests.servers"]

# No deadline per example: how long one takes says more about the machine than about the code.
settings.register_profile("quick", deadline=None, max_examples=60, stateful_step_count=40)
settings.register_profile("fuzz", deadline=None, max_examples=2000, stateful_step_count=80)
settings.load_profile("quick")
