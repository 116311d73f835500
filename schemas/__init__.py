"""The canonical language: what a till, a shop and a call centre mean, said once.

One noun a module, frozen pydantic models, no input or output. Nothing here imports another
package of the project.
"""
