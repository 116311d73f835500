"""Authoring: what somebody who changes a mapping asks of it before and after it is in force."""
