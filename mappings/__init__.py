"""The mapping language and the shipped mappings, one folder a system.

A mapping is text: target field <- source path | transforms, one line a field. It is read without
ever running anything it says, compiled to Python, and can tell for every value where it came from.
"""
