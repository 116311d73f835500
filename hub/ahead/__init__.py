"""Ahead: a second process that translates messages before their turn comes."""
