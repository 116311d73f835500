"""The console: pages for the people who work with a running hub, in a browser."""

# The pages stand on the HTTP side, which in turn serves them: whoever comes here first has to let
# that side be put together first.
import hub.api  # noqa: F401
