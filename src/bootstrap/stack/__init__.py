"""The stack for development and demo: servers, sandbox, API and worker under one supervisor, in one folder."""

from bootstrap.stack.dev import end_on_signals, run_dev
from bootstrap.stack.environment import data_folder, operator_environment, read_environment
from bootstrap.stack.folder import StackError, StackFolder
from bootstrap.stack.supervisor import Stack

__all__ = [
    "Stack",
    "StackError",
    "StackFolder",
    "data_folder",
    "end_on_signals",
    "operator_environment",
    "read_environment",
    "run_dev",
]
