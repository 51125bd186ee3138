"""Words as columns hold them, and what each stands for: an enumeration looks a value up at a multiple of the cost."""

from domain.views import Status, View, ViewError

VIEWS = {view.value: view for view in View}
STATUSES = {status.value: status for status in Status}
ERRORS = {error.value: error for error in ViewError}
