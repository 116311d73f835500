"""Coverage on traffic: what a mapping leaves of the messages that really came."""
