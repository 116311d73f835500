"""Polling: systems that do not tell the hub everything are asked, again and again."""
